// What one step costs: 20 rules, 10 segments and 3 workflows (test/bench/definitions.sql), a contact with two months of
// behaviour behind it, one message.
#include "../../simulation/world.hpp"

#include <benchmark/benchmark.h>

#include <fstream>
#include <random>
#include <regex>

namespace nurture::world {
namespace {

/// Reads the rows of the definitions' INSERTs: one a line, as ('name', 'text').
Definitions definitions() {
    Definitions out;
    std::ifstream file(NURTURE_BENCH_DEFINITIONS);
    std::string line, table;
    std::regex const row(R"re(^  \('([^']*)', '((?:[^']|'')*)'\)[,;]$)re");
    while (std::getline(file, line)) {
        for (const char* name : {"rule", "segment", "workflow"})
            if (line.rfind(std::string("INSERT INTO nurture.") + name + ' ', 0) == 0)
                table = name;
        std::smatch found;
        if (!std::regex_match(line, found, row))
            continue;
        std::string const text = std::regex_replace(found[2].str(), std::regex("''"), "'");
        if (table == "rule")
            out.rule(text);
        else if (table == "segment")
            out.segment(found[1], text);
        else
            out.workflow(found[1], text);
    }
    if (out.source.rules.size() != 20 || out.source.segments.size() != 10 || out.source.workflows.size() != 3)
        throw std::runtime_error("definitions.sql was not read as meant");
    return out;
}

std::vector<Event> behaviour(std::uint64_t seed, int count) {
    std::mt19937_64 engine(seed);
    auto below = [&](std::uint64_t n) { return engine() % n; };
    std::vector<Event> events;
    Time now = 9'500 * one_day;
    for (int i = 0; i < count; ++i) {
        now += static_cast<Span>(below(2 * 60 * one_day / static_cast<std::uint64_t>(count)));
        Event event;
        event.at = event.received_at = now;
        auto const kind = below(100);
        auto const path = [&] {
            static const char* const prefixes[] = {"/pricing/", "/docs/", "/blog/", "/p/", "/about/"};
            return std::string(prefixes[below(5)]) + std::to_string(below(50));
        };
        if (kind < 60) {
            event.type = "page_view";
            event.properties = {{"path", path()}, {"referrer", "https://example.com/"}};
        } else if (kind < 75) {
            event.type = "email_open";
            event.properties = {{"template", "t" + std::to_string(below(20))}};
        } else if (kind < 82) {
            event.type = "email_click";
            event.properties = {{"template", "t" + std::to_string(below(20))}};
        } else if (kind < 92) {
            event.type = "login";
        } else if (kind < 95) {
            event.type = "download";
            event.properties = {{"template", "t2"}};
        } else if (kind < 98) {
            event.type = "form_submit";
            event.properties = {{"form", below(2) == 0 ? "whitepaper" : "newsletter"}};
        } else {
            event.type = "purchase";
            event.properties = {{"amount", static_cast<int>(below(200))}};
        }
        events.push_back(event);
    }
    return events;
}

struct Bench {
    model::Model model = definitions().compile();
    std::vector<std::string> states;
    std::vector<Event> next;

    /// Contacts with `count` events behind them, and an event each to come.
    explicit Bench(int count) {
        for (std::uint64_t seed = 1; seed <= 64; ++seed) {
            auto events = behaviour(seed, count + 1);
            next.push_back(events.back());
            events.pop_back();
            Contact contact;
            for (const Event& event : events)
                contact.step(model, {event}, event.received_at);
            states.push_back(contact.state);
        }
    }
    [[nodiscard]] double bytes() const {
        std::size_t sum = 0;
        for (const auto& state : states)
            sum += state.size();
        return static_cast<double>(sum) / static_cast<double>(states.size());
    }
};

/// Properties that cost nothing to read: what is measured is the step.
class FlatProperties final : public profile::Properties {
  public:
    explicit FlatProperties(const Json& json) {
        for (auto const& [key, value] : json.items())
            items_.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump(), value.is_string());
    }
    [[nodiscard]] profile::Value get(const language::Path& path) const override {
        for (auto const& [key, text, string] : items_)
            if (key == path.keys.front())
                return {string ? profile::Value::Kind::string : profile::Value::Kind::number, false, text};
        return {};
    }
    void each(Visit, void*) const override {}

  private:
    std::vector<std::tuple<std::string, std::string, bool>> items_;
};

void step_one_message(benchmark::State& state) {
    Bench const bench(static_cast<int>(state.range(0)));
    std::vector<profile::Profile> profiles;
    std::vector<FlatProperties> properties;
    std::vector<step::Message> messages;
    for (std::size_t i = 0; i < bench.states.size(); ++i) {
        profiles.push_back(bench.states[i].empty() ? profile::Profile{} : profile::decode(bench.states[i]));
        properties.emplace_back(bench.next[i].properties);
    }
    for (std::size_t i = 0; i < bench.states.size(); ++i) {
        step::Message message;
        message.at = message.received_at = bench.next[i].received_at;
        message.type = bench.next[i].type;
        message.properties = &properties[i];
        messages.push_back(message);
    }
    std::size_t i = 0;
    for (auto _ : state) {
        step::Input input;
        input.contact = "anna@example.com";
        input.profile = profiles[i];
        input.messages = {&messages[i], 1};
        input.until = messages[i].received_at;
        input.tick = 1'000;
        auto result = step::step(bench.model, std::move(input));
        benchmark::DoNotOptimize(result.due);
        i = (i + 1) % profiles.size();
    }
    state.counters["state_bytes"] = bench.bytes();
}
BENCHMARK(step_one_message)->Arg(0)->Arg(5)->Arg(30)->Arg(200);

/// What the step of one message costs the tick: bytes in, bytes out.
void decode_step_encode(benchmark::State& state) {
    Bench const bench(static_cast<int>(state.range(0)));
    std::vector<FlatProperties> properties;
    for (const auto& event : bench.next)
        properties.emplace_back(event.properties);
    std::size_t i = 0;
    for (auto _ : state) {
        step::Message message;
        message.at = message.received_at = bench.next[i].received_at;
        message.type = bench.next[i].type;
        message.properties = &properties[i];
        step::Input input;
        input.contact = "anna@example.com";
        input.profile = bench.states[i].empty() ? profile::Profile{} : profile::decode(bench.states[i]);
        input.messages = {&message, 1};
        input.until = message.received_at;
        input.tick = 1'000;
        auto const bytes = profile::encode(step::step(bench.model, std::move(input)).profile);
        benchmark::DoNotOptimize(bytes.data());
        i = (i + 1) % bench.states.size();
    }
}
BENCHMARK(decode_step_encode)->Arg(0)->Arg(5)->Arg(30)->Arg(200);

void copy_profile(benchmark::State& state) { // part of step_one_message
    Bench const bench(static_cast<int>(state.range(0)));
    auto const profile = profile::decode(bench.states[0]);
    for (auto _ : state) {
        auto copy = profile;
        benchmark::DoNotOptimize(copy.clock);
    }
}
BENCHMARK(copy_profile)->Arg(30);

void decode(benchmark::State& state) {
    Bench const bench(static_cast<int>(state.range(0)));
    std::size_t i = 0;
    for (auto _ : state) {
        auto const profile = profile::decode(bench.states[i]);
        benchmark::DoNotOptimize(profile.clock);
        i = (i + 1) % bench.states.size();
    }
}
BENCHMARK(decode)->Arg(30)->Arg(200);

void encode(benchmark::State& state) {
    Bench const bench(static_cast<int>(state.range(0)));
    auto const profile = profile::decode(bench.states[0]);
    for (auto _ : state) {
        auto const bytes = profile::encode(profile);
        benchmark::DoNotOptimize(bytes.data());
    }
}
BENCHMARK(encode)->Arg(30)->Arg(200);

void compile(benchmark::State& state) {
    auto all = definitions();
    (void)all.compile();
    for (auto _ : state) {
        auto const model = model::compile(all.source);
        benchmark::DoNotOptimize(model.nodes.data());
    }
}
BENCHMARK(compile);

} // namespace
} // namespace nurture::world
