// Behaviour, told naively: all raw events are walked through for every question.
#include "oracle.hpp"
#include "oracle_helpers.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

namespace nurture::world {

using namespace language;

namespace {

Answer truth(bool b) { return b ? Answer::yes : Answer::no; }

bool own(const Event& event) { return !event.type.empty() && event.type.front() == '$'; }

// Rounded half away from zero, in whole 10^-6.
long double average(std::int64_t sum, std::int64_t count) {
    std::int64_t const magnitude = ((sum < 0 ? -sum : sum) * 2 + count) / (2 * count);
    return static_cast<long double>(sum < 0 ? -magnitude : magnitude) / 1e6L;
}

struct Visit {
    std::vector<const Event*> events;
    [[nodiscard]] Time first() const { return happened(*events.front()); }
    [[nodiscard]] Time last() const { return happened(*events.back()); }
};

std::vector<Visit> visits_of(const std::vector<const Event*>& events, Span gap) {
    std::vector<Visit> out;
    for (const Event* event : events) {
        if (out.empty() || happened(*event) > out.back().last() + gap)
            out.emplace_back();
        out.back().events.push_back(event);
    }
    return out;
}

} // namespace

std::optional<Time> Oracle::moment(const Bound& bound, bool end, Time now) const {
    if (const auto* fixed = std::get_if<Moment>(&bound)) {
        Time const t = fixed->local - fixed->utc_offset.value_or(0);
        return !end ? t : fixed->date_only ? t + one_day : t + 1;
    }
    auto const date = as_time(attribute(std::get<Path>(bound), now)); // dates only: the day is included
    return date ? std::optional(end ? *date + one_day : *date) : std::nullopt;
}

Answer Oracle::inside(Time at, const Window& window, Time now) const {
    auto from = [&](const Bound& bound) {
        if (const auto* ago = std::get_if<Ago>(&bound))
            return truth(now < leaves(at, ago->duration));
        auto const t = moment(bound, false, now);
        return t ? truth(at >= *t) : Answer::unknown;
    };
    auto to = [&](const Bound& bound, bool included) {
        if (const auto* ago = std::get_if<Ago>(&bound))
            return truth(now >= leaves(at, ago->duration));
        auto const t = moment(bound, included, now);
        return t ? truth(at < *t) : Answer::unknown;
    };
    Answer out = Answer::yes;
    auto also = [&](Answer a) {
        if (out == Answer::unknown || a == Answer::unknown)
            out = Answer::unknown;
        else if (a == Answer::no)
            out = Answer::no;
    };
    if (!window.within.empty())
        also(from(Ago{window.within}));
    if (window.since)
        also(from(*window.since));
    if (window.before)
        also(to(*window.before, false));
    if (window.until)
        also(to(*window.until, true));
    return out;
}

bool Oracle::known(const Window& window, Time now) const { return inside(0, window, now) != Answer::unknown; }

std::vector<const Event*> Oracle::look(const EventPattern& pattern, const Window& window, Time now) {
    std::vector<const Event*> out;
    for (const Event& event : std::span(events).first(std::min(told, events.size())))
        if (event.received_at <= now && matches(pattern, event) == Answer::yes &&
            inside(happened(event), window, now) == Answer::yes)
            out.push_back(&event);
    std::stable_sort(out.begin(), out.end(), [](const Event* a, const Event* b) { return happened(*a) < happened(*b); });
    return out;
}

std::optional<Oracle::Held> Oracle::read_behaviour(const Operand& operand, Time now) {
    Held out;
    auto number = [&](long double value) {
        out.kind = Held::Kind::number;
        out.number = value;
        return out;
    };
    if (const auto* count = std::get_if<Count>(&operand))
        return known(count->window, now) ? number(static_cast<long double>(look(count->event, count->window, now).size())) : out;
    if (const auto* aggregate = std::get_if<Aggregate>(&operand))
        return aggregated(*aggregate, now);
    if (const auto* found = std::get_if<Occurrence>(&operand))
        return occurred(*found, now);
    if (const auto* days = std::get_if<Days>(&operand)) {
        if (!known(days->window, now))
            return out;
        std::set<std::string> all;
        for (const Event* event : look(days->event, days->window, now))
            all.insert(period(happened(*event), CapPeriod::day));
        return number(static_cast<long double>(all.size()));
    }
    if (const auto* days = std::get_if<DaysSince>(&operand)) {
        Held const when = occurred({days->which, {}, days->event, days->window}, now);
        if (when.kind == Held::Kind::missing)
            return out;
        long double whole = 0;
        for (Time t = when.time + one_day; t <= now; t += one_day)
            ++whole;
        return number(whole);
    }
    if (const auto* sessions = std::get_if<Sessions>(&operand)) {
        if (!known(sessions->window, now))
            return out;
        std::vector<Span> lengths;
        Span const gap = sessions->gap.empty() ? session_gap_ : sessions->gap.exact();
        if (sessions->figure >= SessionFigure::dwell)
            return dwelt(*sessions, gap, now);
        for (const Visit& visit : visits_of(look(sessions->event, {}, now), gap))
            if (inside(visit.last(), sessions->window, now) == Answer::yes)
                lengths.push_back(visit.last() - visit.first());
        if (sessions->figure == SessionFigure::count)
            return number(static_cast<long double>(lengths.size()));
        if (lengths.empty())
            return out;
        Span const length = sessions->figure == SessionFigure::last ? lengths.back() : *std::max_element(lengths.begin(), lengths.end());
        return number(static_cast<long double>(length) / 1e6L);
    }
    if (const auto* page = std::get_if<SessionPage>(&operand)) {
        auto all = look(page->event, {}, now);
        std::erase_if(all, [&](const Event* e) { return walk(e->properties, page->property).is_null(); });
        // The newest session, of whatever events, that has such a one.
        auto const visits = visits_of(look({}, {}, now), page->gap.empty() ? session_gap_ : page->gap.exact());
        for (auto visit = visits.rbegin(); visit != visits.rend() && out.kind == Held::Kind::missing; ++visit)
            for (const Event* event : all)
                if (happened(*event) >= visit->first() && happened(*event) <= visit->last() &&
                    (!page->entry || out.kind == Held::Kind::missing)) {
                    out.kind = Held::Kind::json;
                    out.json = walk(event->properties, page->property);
                }
        return out;
    }
    return std::nullopt;
}

// Every pair of an event and a later one is looked at.
Oracle::Held Oracle::dwelt(const Sessions& sessions, Span gap, Time now) {
    std::vector<long double> stays;
    for (const Event* event : look(sessions.event, sessions.window, now)) {
        auto const given = as_number(walk(event->properties, {{"seconds"}}));
        Span next = gap + 1;
        for (const Event* other : look({}, {}, now))
            if (happened(*other) > happened(*event))
                next = std::min(next, happened(*other) - happened(*event));
        if (given && *given >= 0)
            stays.push_back(*given);
        else if (next <= gap)
            stays.push_back(static_cast<long double>(next) / 1e6L);
    }
    Held out;
    if (sessions.figure != SessionFigure::dwell && stays.empty())
        return out;
    out.kind = Held::Kind::number;
    out.number = sessions.figure == SessionFigure::dwell           ? std::accumulate(stays.begin(), stays.end(), 0.0L)
                 : sessions.figure == SessionFigure::longest_dwell ? *std::max_element(stays.begin(), stays.end())
                                                                   : stays.back();
    return out;
}

Oracle::Held Oracle::aggregated(const Aggregate& aggregate, Time now) {
    Held out;
    if (!known(aggregate.window, now))
        return out;
    std::vector<std::int64_t> numbers;
    std::set<std::string> values;
    for (const Event* event : look(aggregate.event, aggregate.window, now)) {
        Json const value = walk(event->properties, aggregate.property);
        if (auto const number = as_number(value))
            numbers.push_back(std::llround(*number * 1e6L));
        if (!value.is_null())
            values.insert(as_text(value));
    }
    std::int64_t sum = 0;
    for (std::int64_t const n : numbers)
        sum += n;
    out.kind = Held::Kind::number;
    switch (aggregate.kind) {
    case AggregateKind::sum:
        out.number = static_cast<long double>(sum) / 1e6L;
        return out;
    case AggregateKind::distinct:
        out.number = static_cast<long double>(values.size());
        return out;
    case AggregateKind::avg:
        if (!numbers.empty()) {
            out.number = average(sum, static_cast<std::int64_t>(numbers.size()));
            return out;
        }
        break;
    case AggregateKind::min:
    case AggregateKind::max:
        if (!numbers.empty()) {
            auto const [least, greatest] = std::minmax_element(numbers.begin(), numbers.end());
            out.number = static_cast<long double>(aggregate.kind == AggregateKind::min ? *least : *greatest) / 1e6L;
            return out;
        }
        break;
    }
    return {};
}

Oracle::Held Oracle::occurred(const Occurrence& found, Time now) {
    Held out;
    if (!known(found.window, now))
        return out;
    bool const first = found.which == Which::first;
    const Window& window = found.window;
    auto fixed = [](const std::optional<Bound>& bound) { return !bound || std::holds_alternative<Moment>(*bound); };
    // The newest at all, unless it has left; the oldest at all, unless it is not yet inside.
    bool const at_all = first ? window.within.empty() && fixed(window.since) : fixed(window.before) && fixed(window.until);
    Window limits = window;
    if (at_all) {
        limits.within = {};
        if (limits.since && !fixed(limits.since))
            limits.since.reset();
        if (limits.before && !fixed(limits.before))
            limits.before.reset();
        if (limits.until && !fixed(limits.until))
            limits.until.reset();
    }
    auto all = look(found.event, limits, now);
    if (found.property)
        std::erase_if(all, [&](const Event* e) { return walk(e->properties, *found.property).is_null(); });
    if (all.empty())
        return out;
    const Event& one = first ? *all.front() : *all.back();
    if (inside(happened(one), window, now) != Answer::yes)
        return out;
    if (found.property) {
        out.kind = Held::Kind::json;
        out.json = walk(one.properties, *found.property);
    } else {
        out.kind = Held::Kind::time;
        out.time = happened(one);
    }
    return out;
}

std::optional<Answer> Oracle::test_behaviour(const Condition& condition, Time now) {
    if (const auto* did = std::get_if<Did>(&condition.node)) {
        if (!known(did->window, now))
            return Answer::unknown;
        return truth(!look(did->event, did->window, now).empty());
    }
    if (const auto* in = std::get_if<InSession>(&condition.node)) {
        auto const all = look(in->event, {}, now);
        return truth(!all.empty() && now <= happened(*all.back()) + (in->gap.empty() ? session_gap_ : in->gap.exact()));
    }
    if (const auto* regularly = std::get_if<Regularly>(&condition.node)) {
        CapPeriod const unit = regularly->unit == RegularUnit::day    ? CapPeriod::day
                               : regularly->unit == RegularUnit::week ? CapPeriod::week
                                                                      : CapPeriod::month;
        std::set<std::string> last;
        for (Time t = now; last.size() <= static_cast<std::size_t>(regularly->periods); t -= 6 * one_hour)
            last.insert(period(t, unit));
        last.erase(last.begin()); // the one too many: labels sort by time
        std::set<std::string> with;
        for (const Event* event : look(regularly->event, {}, now))
            if (std::string const label = period(happened(*event), unit); last.contains(label))
                with.insert(label);
        return truth(static_cast<std::int64_t>(with.size()) >= regularly->at_least);
    }
    if (const auto* trend = std::get_if<Trend>(&condition.node))
        return trending(*trend, now);
    if (const auto* sequence = std::get_if<Sequence>(&condition.node))
        return known(sequence->window, now) ? truth(happened_in_sequence(*sequence, now)) : Answer::unknown;
    return std::nullopt;
}

Answer Oracle::trending(const Trend& trend, Time now) {
    auto with = [&](const std::function<Window(const Window&)>& change) {
        Operand operand = trend.left;
        if (auto* count = std::get_if<Count>(&operand))
            count->window = change(count->window);
        else if (auto* aggregate = std::get_if<Aggregate>(&operand))
            aggregate->window = change(aggregate->window);
        else if (auto* days = std::get_if<Days>(&operand))
            days->window = change(days->window);
        else
            std::get<Sessions>(operand).window = change(std::get<Sessions>(operand).window);
        return *read_behaviour(operand, now);
    };
    Held const recent = with([](const Window& w) { return w; });
    Held const before = with([](const Window& w) {
        Window out;
        out.since = Ago{{2 * w.within.months, 2 * w.within.days, 2 * w.within.micros}};
        out.until = Ago{w.within};
        return out;
    });
    if (recent.kind == Held::Kind::missing || before.kind == Held::Kind::missing)
        return Answer::unknown;
    std::int64_t const a = std::llround(before.number * 1e6L);
    std::int64_t const b = std::llround(recent.number * 1e6L);
    std::int64_t const change = trend.increased ? b - a : a - b;
    if (trend.percent == 0)
        return truth(change > 0);
    if (a == 0)
        return Answer::unknown;
    return truth(Wide(change) * 100 * micro_one >= Wide(a < 0 ? -a : a) * trend.percent);
}

// Every choice of events is tried.
bool Oracle::happened_in_sequence(const Sequence& sequence, Time now) {
    auto const everything = [&] {
        std::vector<const Event*> out;
        for (const Event& event : std::span(events).first(std::min(told, events.size())))
            if (event.received_at <= now && !own(event))
                out.push_back(&event);
        std::stable_sort(out.begin(), out.end(), [](const Event* a, const Event* b) { return happened(*a) < happened(*b); });
        return out;
    }();
    auto same_session = [&](Time a, Time b) {
        for (const Visit& visit : visits_of(everything, sequence.gap.empty() ? session_gap_ : sequence.gap.exact()))
            if (visit.first() <= a && a <= visit.last())
                return visit.first() <= b && b <= visit.last();
        return false;
    };
    auto key_of = [&](const Event* event) {
        Json const value = sequence.same ? walk(event->properties, *sequence.same) : Json("");
        return value.is_null() ? std::nullopt : std::optional(as_text(value));
    };
    std::vector<std::vector<const Event*>> of_step;
    std::vector<std::vector<const Event*>> breakers;
    for (const SequenceStep& step : sequence.steps) {
        of_step.push_back(look(step.event, sequence.window, now));
        auto& breaking = breakers.emplace_back();
        for (const EventPattern& pattern : step.without)
            for (const Event* event : look(pattern, sequence.window, now))
                breaking.push_back(event);
    }
    const Event* start = nullptr;
    auto in_time = [&](Time at, Time since, const Duration& d, bool end) {
        return d.empty() || (end ? at <= leaves(since, d) : at < leaves(since, d));
    };
    // `over`: the step before was a silence that ended at `at`; what happens at that very moment comes after it.
    std::function<bool(std::size_t, Time, bool)> go_on = [&](std::size_t index, Time at, bool over) {
        if (index == sequence.steps.size())
            return true;
        const SequenceStep& step = sequence.steps[index];
        auto between = [&](const Event* event, Time end) {
            Time const t = happened(*event);
            return key_of(event) == key_of(start) && (over ? t >= at : t > at) && t < end;
        };
        auto broken = [&](const std::vector<const Event*>& by, Time end) {
            return std::any_of(by.begin(), by.end(), [&](const Event* e) { return between(e, end); });
        };
        if (step.absent) {
            Time const end = leaves(at, step.within);
            Window upper = sequence.window;
            upper.within = {};
            upper.since.reset();
            return !broken(of_step[index], end) && !broken(breakers[index], end) && end <= now &&
                   inside(end, upper, now) == Answer::yes && in_time(end, happened(*start), sequence.overall, true) &&
                   go_on(index + 1, end, true);
        }
        return std::any_of(of_step[index].begin(), of_step[index].end(), [&](const Event* event) {
            Time const t = happened(*event);
            return key_of(event) == key_of(start) && (over ? t >= at : t > at) && in_time(t, at, step.within, false) &&
                   in_time(t, happened(*start), sequence.overall, false) && !broken(breakers[index], t) &&
                   (!sequence.one_session || same_session(happened(*start), t)) && go_on(index + 1, t, false);
        });
    };
    return std::any_of(of_step.front().begin(), of_step.front().end(), [&](const Event* event) {
        start = event;
        return key_of(event).has_value() && go_on(1, happened(*event), false);
    });
}

} // namespace nurture::world
