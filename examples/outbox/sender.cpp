#include "outbox/sender.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <thread>

namespace outbox {

namespace {

volatile std::sig_atomic_t stopping = 0;

void stop(int) { stopping = 1; }

constexpr std::chrono::seconds shortest_pause{1}, longest_pause{60};

// In slices, so that a signal does not wait for its end.
void sleep_unless_stopped(std::chrono::seconds length) {
    for (auto left = length * 10; left.count() > 0 && stopping == 0; --left)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

class Loop {
  public:
    explicit Loop(const Sender& sender) : sender_(sender), outbox_(sender.database) {}

    /// Until there is nothing left (once) or a signal.
    void run() {
        while (stopping == 0) {
            auto const actions = outbox_.claim(sender_.channel, away_ ? 1 : sender_.batch, sender_.lease);
            if (actions.empty() && sender_.once)
                return;
            if (actions.empty())
                outbox_.wait(sender_.channel, sender_.lease);
            carry_out(actions);
        }
    }

  private:
    void carry_out(const std::vector<Action>& actions) {
        for (const auto& action : actions) {
            if (stopping != 0 || away_given_back_) { // give the rest back at once: others need not wait for the lease
                outbox_.fail(action, "given back by its sender", std::chrono::seconds(0));
                continue;
            }
            settle(action, sender_.carry_out(action));
        }
        if (away_given_back_) {
            away_given_back_ = false;
            sleep_unless_stopped(pause_);
            pause_ = std::min(pause_ * 2, longest_pause);
        }
    }

    void settle(const Action& action, const Outcome& outcome) {
        switch (outcome.kind) {
        case Outcome::Kind::done:
            if (!outbox_.complete(action))
                say(action, "its lease was over before it was completed");
            break;
        case Outcome::Kind::refused:
            say(action, outcome.reason + ": " + outbox_.fail(action, outcome.reason, true));
            break;
        case Outcome::Kind::try_later:
            say(action, outcome.reason + ": " + (outcome.retry_after.count() > 0
                                                     ? outbox_.fail(action, outcome.reason, outcome.retry_after)
                                                     : outbox_.fail(action, outcome.reason, false)));
            break;
        case Outcome::Kind::unreachable:
            // One action at a time tries whether the provider is back; the others lose no attempts meanwhile.
            say(action, outcome.reason);
            outbox_.fail(action, outcome.reason, pause_);
            away_ = away_given_back_ = true;
            return;
        }
        away_ = false;
        pause_ = shortest_pause;
    }

    void say(const Action& action, const std::string& what) const {
        std::cerr << sender_.name << ": action " << action.id << " for " << action.contact << ": " << what << '\n';
    }

    const Sender& sender_;
    Outbox outbox_;
    bool away_ = false;            // the provider was unreachable the last time
    bool away_given_back_ = false; // in this batch: the rest is given back
    std::chrono::seconds pause_ = shortest_pause;
};

} // namespace

int run(const Sender& sender) {
    struct sigaction action {};
    action.sa_handler = stop;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    auto pause = shortest_pause;
    while (stopping == 0) {
        try {
            Loop loop(sender);
            pause = shortest_pause;
            loop.run();
            return 0;
        } catch (const ConnectionLost& problem) {
            std::cerr << sender.name << ": " << problem.what();
            if (sender.once)
                return 1;
            sleep_unless_stopped(pause);
            pause = std::min(pause * 2, longest_pause);
        } catch (const Refused& problem) {
            std::cerr << sender.name << ": " << problem.what();
            return 1;
        }
    }
    return 0;
}

Options::Options(int argc, char** argv, std::string usage, std::map<std::string, std::string> defaults)
    : usage_(std::move(usage)), values_(std::move(defaults)) {
    for (int i = 1; i < argc; ++i) {
        std::string const name = argv[i];
        if (name == "--help") {
            std::cout << usage_;
            std::exit(0);
        }
        auto const known = name.starts_with("--") ? values_.find(name.substr(2)) : values_.end();
        if (known == values_.end())
            refuse("no option is called " + name);
        if (known->first == "once")
            known->second = "yes";
        else if (++i < argc)
            known->second = argv[i];
        else
            refuse(name + " needs a value");
    }
}

int Options::number(const std::string& name) const {
    try {
        std::size_t read = 0;
        int const value = std::stoi(values_.at(name), &read);
        if (read == values_.at(name).size() && value > 0)
            return value;
    } catch (const std::logic_error&) { // said below
    }
    refuse("--" + name + " needs a whole number above 0");
}

void Options::refuse(const std::string& why) const {
    std::cerr << why << "\n\n" << usage_;
    std::exit(2);
}

} // namespace outbox
