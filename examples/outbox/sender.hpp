#pragma once
// The loop that every sender runs, whatever it sends by: claim, carry out, say what became of it; wait when there is
// nothing; come back when the server was away; stop cleanly when asked to.
#include "outbox/outbox.hpp"

#include <functional>
#include <map>

namespace outbox {

/// What carrying out an action came to.
struct Outcome {
    enum class Kind {
        done,
        refused,     ///< it will never work: bad address, missing template
        try_later,   ///< this one did not work now
        unreachable, ///< nothing works now: the provider is away
    };
    Kind kind = Kind::done;
    std::string reason;
    std::chrono::seconds retry_after{0}; ///< try_later: as the provider said; 0: as the engine thinks
};

struct Sender {
    std::string name; ///< for what it prints
    std::string database;
    std::string channel;
    int batch = 50;
    std::chrono::seconds lease{60}; ///< longer than carrying out a whole batch takes
    bool once = false;              ///< stop when nothing is left to claim
    std::function<Outcome(const Action&)> carry_out;
};

/// Runs until SIGTERM or SIGINT. Each action is completed as soon as it was carried out, so that being killed leaves at most
/// one that was carried out and not completed: it comes again under the same id. Returns the process's exit status.
int run(const Sender& sender);

/// --name value, or NAME as a switch; what is not known is refused with the usage on standard error, and exit status 2.
class Options {
  public:
    Options(int argc, char** argv, std::string usage, std::map<std::string, std::string> defaults);
    [[nodiscard]] const std::string& operator[](const std::string& name) const { return values_.at(name); }
    [[nodiscard]] int number(const std::string& name) const;
    [[noreturn]] void refuse(const std::string& why) const;

  private:
    std::string usage_;
    std::map<std::string, std::string> values_;
};

} // namespace outbox
