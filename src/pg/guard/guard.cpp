// Guards as claim asks for them: the policies come as a model's source with nothing else in it, as nurture._guard_source()
// writes it, and what is judged comes as arrays side by side.
#include "core/guard/guard.hpp"
#include "core/model/source.hpp"
#include "core/step/facts.hpp"

#include <deque>
#include <memory>
#include <unordered_map>

#include "pg/border/elements.hpp"
#include "pg/border/rows.hpp"
#include "pg/profile/profile_argument.hpp"

using namespace nurture;
using border::Elements;

namespace {

/// What was compiled last: policies hardly ever change, and every claim asks for them.
struct Kept {
    std::string source;
    std::shared_ptr<const guard::Guards> guards;
};
Kept& kept() {
    static Kept* const held = new Kept; // never destroyed: nothing of ours runs in exit()
    return *held;
}

std::shared_ptr<const guard::Guards> guards_argument(FunctionCallInfo fcinfo, int n) {
    std::string_view const text = border::bytes_argument(fcinfo, n);
    Kept& last = kept();
    if (!last.guards || last.source != text) {
        model::Source const source = model::parse_source(text);
        auto compiled = std::make_shared<const guard::Guards>(
            guard::compile(source.policies, source.calendar, Zone::find(source.timezone)));
        last.source = text;
        last.guards = std::move(compiled);
    }
    return last.guards;
}

Elements texts(FunctionCallInfo fcinfo, int n) { return {fcinfo, n, TEXTOID}; }
Elements integers(FunctionCallInfo fcinfo, int n) { return {fcinfo, n, INT4OID}; }
Elements bigints(FunctionCallInfo fcinfo, int n) { return {fcinfo, n, INT8OID}; }
Elements truths(FunctionCallInfo fcinfo, int n) { return {fcinfo, n, BOOLOID}; }
Elements times(FunctionCallInfo fcinfo, int n) { return {fcinfo, n, TIMESTAMPTZOID}; }

void require_equal(std::initializer_list<std::size_t> sizes) {
    for (std::size_t const size : sizes)
        if (size != *sizes.begin())
            throw Error(ErrorKind::invalid_parameter, "arrays side by side must be of one length");
}

/// The candidates, and their contacts as far as they are known.
struct Asked {
    std::vector<guard::Candidate> candidates;
    std::vector<guard::Contact> contacts;
};

Asked read_asked(FunctionCallInfo fcinfo, const guard::Guards& guards) {
    std::string_view const channel = border::bytes_argument(fcinfo, 2);
    Elements const names = texts(fcinfo, 3), purposes = texts(fcinfo, 4), workflows = texts(fcinfo, 5),
                   transactional = truths(fcinfo, 6), consented = truths(fcinfo, 7), first = truths(fcinfo, 8),
                   zones = texts(fcinfo, 9), countries = texts(fcinfo, 10);
    require_equal({names.size(), purposes.size(), workflows.size(), transactional.size(), consented.size(), first.size(),
                   zones.size(), countries.size()});
    Asked out;
    std::unordered_map<std::string_view, std::size_t> numbers;
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto const [known, is_new] = numbers.try_emplace(names.text(i), out.contacts.size());
        if (is_new)
            out.contacts.push_back({{Zone::try_find(zones.text(i)).value_or(guards.zone), std::string(countries.text(i))}, {}});
        out.candidates.push_back({{channel, purposes.text(i), workflows.text(i), transactional.truth(i)}, known->second,
                                  consented.truth(i), first.truth(i)});
    }
    Elements const receivers = texts(fcinfo, 11), moments = times(fcinfo, 12), channels = texts(fcinfo, 13),
                   sent_purposes = texts(fcinfo, 14), sent_workflows = texts(fcinfo, 15), candidates = integers(fcinfo, 16);
    require_equal({receivers.size(), moments.size(), channels.size(), sent_purposes.size(), sent_workflows.size(), candidates.size()});
    for (std::size_t i = 0; i < receivers.size(); ++i) {
        guard::Sent sent{moments.time(i), channels.text(i), sent_purposes.text(i), sent_workflows.text(i)};
        if (candidates.integer(i) > 0)
            sent.candidate = static_cast<std::size_t>(candidates.integer(i)) - 1;
        if (auto const known = numbers.find(receivers.text(i)); known != numbers.end())
            out.contacts[known->second].sent.push_back(sent);
    }
    return out;
}

std::vector<guard::Counter> read_counters(FunctionCallInfo fcinfo) {
    Elements const policies = integers(fcinfo, 17), keys = texts(fcinfo, 18), ends = times(fcinfo, 19), used = bigints(fcinfo, 20);
    require_equal({policies.size(), keys.size(), ends.size(), used.size()});
    std::vector<guard::Counter> out;
    for (std::size_t i = 0; i < policies.size(); ++i) {
        guard::Counter counter;
        counter.policy = static_cast<std::uint32_t>(policies.integer(i));
        counter.key = keys.text(i);
        counter.ends = ends.time(i);
        counter.used = used.bigint(i);
        out.push_back(std::move(counter));
    }
    return out;
}

} // namespace

// _guard_traits(source): what its policies ask for
NURTURE_FUNCTION(nurture_guard_traits) {
    return border::entry([&]() -> Datum {
        auto const guards = guards_argument(fcinfo, 0);
        bool consent = false, counters = false;
        for (const auto& policy : guards->policies) {
            consent = consent || policy.definition.require_consent;
            counters = counters || !policy.definition.rates.empty() || !policy.definition.budgets.empty();
        }
        border::Row<4> row;
        row.add_bool(has_caps(*guards));
        row.add_bool(consent);
        row.add_bool(counters);
        row.add_bigint(guard::horizon(*guards) / one_second);
        return row.composite(fcinfo);
    });
}

// _guard_counters(source, channel, workflows, moment)
NURTURE_FUNCTION(nurture_guard_counters) {
    return border::entry([&]() -> Datum {
        auto const guards = guards_argument(fcinfo, 0);
        std::string_view const channel = border::bytes_argument(fcinfo, 1);
        Elements const names = texts(fcinfo, 2);
        std::vector<std::string_view> workflows;
        for (std::size_t i = 0; i < names.size(); ++i)
            workflows.push_back(names.text(i));
        border::RowSink sink(fcinfo);
        for (const auto& counter : counters_of(*guards, channel, workflows, border::time_of(PG_GETARG_DATUM(3)))) {
            border::Row<6> row;
            row.add_int(static_cast<std::int32_t>(counter.policy));
            row.add_text(counter.key);
            row.add_time(counter.slot);
            row.add_time(counter.ends);
            row.add_bigint(counter.allowed);
            row.add_bool(counter.whole_channel);
            row.put_into(sink);
        }
        return 0;
    });
}

// _judge(source, moment, channel, candidates …, sent …, counters …): a row for each candidate, then for each counter
NURTURE_FUNCTION(nurture_judge) {
    return border::entry([&]() -> Datum {
        auto const guards = guards_argument(fcinfo, 0);
        Asked asked = read_asked(fcinfo, *guards);
        auto counters = read_counters(fcinfo);
        auto const verdicts =
            guard::judge(*guards, border::time_of(PG_GETARG_DATUM(1)), asked.candidates, asked.contacts, counters);
        static constexpr std::string_view names[] = {"claim", "delay", "drop"};
        border::RowSink sink(fcinfo);
        std::int32_t number = 0;
        for (const auto& verdict : verdicts) {
            border::Row<5> row;
            row.add_int(++number);
            row.add_text(names[static_cast<std::size_t>(verdict.decision)]);
            verdict.decision == guard::Decision::delay ? row.add_time(verdict.until) : row.add_null();
            row.add_optional(verdict.reason);
            row.add_null();
            row.put_into(sink);
        }
        number = 0;
        for (const auto& counter : counters) {
            border::Row<5> row;
            row.add_int(++number);
            row.add_text("count");
            row.add_null();
            row.add_null();
            row.add_bigint(counter.used);
            row.put_into(sink);
        }
        return 0;
    });
}

// _profile_place(state): where guards take the contact to be
NURTURE_FUNCTION(nurture_profile_place) {
    return border::entry([&]() -> Datum {
        profile::Profile const profile = border::profile_argument(fcinfo, 0);
        std::deque<std::string> held;
        auto const told = [&](const char* attribute) {
            profile::Value const value = step::value_of_json(attribute_json(profile, attribute), held);
            return value.kind == profile::Value::Kind::string ? value.text : std::string_view();
        };
        std::string_view const zone = told("timezone");
        border::Row<2> row;
        row.add_optional(!zone.empty() && Zone::try_find(zone) ? zone : std::string_view());
        row.add_optional(told("country"));
        return row.composite(fcinfo);
    });
}
