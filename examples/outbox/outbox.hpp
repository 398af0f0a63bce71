#pragma once
// The outbox of pg_nurture as a program sees it: one connection that claims actions and says what became of them.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

struct pg_conn;

namespace outbox {

/// The server is not there, or the connection broke: connect again.
class ConnectionLost : public std::runtime_error {
    using runtime_error::runtime_error;
};
/// The server refused a statement (a missing privilege, a copy that is not to send).
class Refused : public std::runtime_error {
    using runtime_error::runtime_error;
};

struct Action {
    std::string receipt; ///< names this claim of the action: complete and fail take it
    std::string id;      ///< the same in every attempt: what a provider takes as idempotency key
    std::string contact;
    std::string template_name;
    std::string purpose;
    nlohmann::json payload;    ///< what the workflow's step said `with`
    nlohmann::json attributes; ///< the contact's, as they are now
    std::string workflow, step;
    int attempt = 1;
};

class Outbox {
  public:
    /// Connects and listens for actions that become ready. Throws ConnectionLost.
    explicit Outbox(const std::string& conninfo);

    /// Takes due actions for the length of the lease; each is to be completed or failed before it is over.
    [[nodiscard]] std::vector<Action> claim(const std::string& channel, int max_actions, std::chrono::seconds lease);
    /// It was carried out. False: the lease was over and somebody else has the action now.
    bool complete(const Action& action);
    /// It was not. Without retry_after the engine chooses when to try again; permanent: never. Returns the action's status.
    std::string fail(const Action& action, const std::string& reason, bool permanent);
    std::string fail(const Action& action, const std::string& reason, std::chrono::seconds retry_after);
    /// Sleeps until something may be claimed: a notification of the channel, a due action, the end of a lease, a signal.
    void wait(const std::string& channel, std::chrono::seconds at_most);

  private:
    struct Close {
        void operator()(pg_conn* connection) const noexcept;
    };
    class Rows;
    [[nodiscard]] Rows run(const char* sql, const std::vector<const char*>& parameters);

    std::unique_ptr<pg_conn, Close> connection_;
};

} // namespace outbox
