#include "outbox/outbox.hpp"

#include <algorithm>
#include <cerrno>

#include <libpq-fe.h>
#include <poll.h>

namespace outbox {

void Outbox::Close::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

class Outbox::Rows {
  public:
    explicit Rows(PGresult* result) : result_(result) {}
    [[nodiscard]] int count() const { return PQntuples(result_.get()); }
    /// The column's text; empty for NULL.
    [[nodiscard]] std::string text(int row, const char* column) const {
        return PQgetvalue(result_.get(), row, PQfnumber(result_.get(), column));
    }

  private:
    struct Clear {
        void operator()(PGresult* result) const noexcept { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
    friend class Outbox;
};

Outbox::Outbox(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw ConnectionLost(PQerrorMessage(connection_.get()));
    static_cast<void>(run("LISTEN nurture_action", {}));
}

Outbox::Rows Outbox::run(const char* sql, const std::vector<const char*>& parameters) {
    Rows rows(PQexecParams(connection_.get(), sql, static_cast<int>(parameters.size()), nullptr, parameters.data(), nullptr,
                           nullptr, 0));
    ExecStatusType const status = PQresultStatus(rows.result_.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return rows;
    std::string const message = PQerrorMessage(connection_.get());
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw ConnectionLost(message);
    throw Refused(message);
}

std::vector<Action> Outbox::claim(const std::string& channel, int max_actions, std::chrono::seconds lease) {
    std::string const most = std::to_string(max_actions), length = std::to_string(lease.count()) + " seconds";
    Rows const rows = run("SELECT c.*, l.attributes FROM nurture.claim($1, $2, $3) c "
                          "LEFT JOIN LATERAL (SELECT l.attributes FROM nurture.lead l WHERE l.contact = c.contact) l ON true",
                          {channel.c_str(), most.c_str(), length.c_str()});
    auto object = [](const std::string& text) {
        return text.empty() ? nlohmann::json::object() : nlohmann::json::parse(text);
    };
    std::vector<Action> actions;
    for (int i = 0; i < rows.count(); ++i)
        actions.push_back({rows.text(i, "receipt"), rows.text(i, "id"), rows.text(i, "contact"), rows.text(i, "template"),
                           rows.text(i, "purpose"), object(rows.text(i, "payload")), object(rows.text(i, "attributes")),
                           rows.text(i, "workflow"), rows.text(i, "step"), std::stoi(rows.text(i, "attempt"))});
    return actions;
}

bool Outbox::complete(const Action& action) {
    std::string const receipts = "{" + action.receipt + "}";
    return run("SELECT nurture.complete($1) AS accepted", {receipts.c_str()}).text(0, "accepted") == "1";
}

std::string Outbox::fail(const Action& action, const std::string& reason, bool permanent) {
    return run("SELECT nurture.fail($1, $2, NULL, $3) AS status",
               {action.receipt.c_str(), reason.c_str(), permanent ? "true" : "false"})
        .text(0, "status");
}

std::string Outbox::fail(const Action& action, const std::string& reason, std::chrono::seconds retry_after) {
    std::string const later = std::to_string(retry_after.count()) + " seconds";
    return run("SELECT nurture.fail($1, $2, $3) AS status", {action.receipt.c_str(), reason.c_str(), later.c_str()})
        .text(0, "status");
}

void Outbox::wait(const std::string& channel, std::chrono::seconds at_most) {
    // What falls due, or whose lease runs out, is told by nobody: hence next_claimable.
    std::string const next =
        run("SELECT greatest(ceil(extract(epoch FROM nurture.next_claimable($1) - clock_timestamp()) * 1000), 0)::bigint AS ms",
            {channel.c_str()})
            .text(0, "ms");
    long long milliseconds = at_most.count() * 1000;
    if (!next.empty())
        milliseconds = std::min(milliseconds, std::stoll(next) + 1);
    auto told = [&] {
        bool ours = false;
        while (PGnotify* notification = PQnotifies(connection_.get())) {
            ours = ours || channel == notification->extra;
            PQfreemem(notification);
        }
        return ours;
    };
    auto const until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (!told()) {
        auto const left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
        if (left <= 0)
            return;
        pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
        int const ready = poll(&socket, 1, static_cast<int>(std::min<long long>(left, 60'000)));
        if (ready < 0 && errno == EINTR)
            return;
        if (ready > 0 && PQconsumeInput(connection_.get()) == 0)
            throw ConnectionLost(PQerrorMessage(connection_.get()));
    }
}

} // namespace outbox
