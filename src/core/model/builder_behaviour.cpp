// Behaviour conditions to operands and nodes: which feature holds what a condition needs to know, and no more.
#include "core/base/error.hpp"
#include "core/model/builder_part.hpp"

namespace nurture::model {

using namespace language;
using profile::FeatureDefinition;
using profile::FeatureKind;

namespace {

constexpr std::int64_t most_texts = 100;

Error impossible(const std::string& what, const std::string& hint) {
    return {ErrorKind::invalid_definition, what, {}, hint};
}

// Longer first: "between 7 days ago and 30 days ago" is nothing.
bool reversed(const Duration& from, const Duration& to) {
    return from.months == 0 && to.months == 0 && from.exact() <= to.exact();
}

} // namespace

OperandType type_of(OperandKind kind) noexcept {
    switch (kind) {
    case OperandKind::property:
    case OperandKind::attribute:
    case OperandKind::context:
    case OperandKind::extreme_value:
    case OperandKind::text_first:
    case OperandKind::text_last:
    case OperandKind::entry_page:
    case OperandKind::exit_page:
    case OperandKind::consent:
        return OperandType::value;
    case OperandKind::consent_expires:
    case OperandKind::extreme_time:
    case OperandKind::recent_oldest:
    case OperandKind::recent_newest:
        return OperandType::time;
    default:
        return OperandType::number;
    }
}

// --- windows ----------------------------------------------------------------------------------------------------

Time Builder::moment(const Moment& moment, bool whole_day) const {
    std::int64_t const local = moment.local + (whole_day && moment.date_only ? one_day : 0);
    Time const t = moment.utc_offset ? local - *moment.utc_offset : model_.zone.to_utc(local);
    return whole_day && !moment.date_only ? t + 1 : t;
}

RangeEnd Builder::bound(const Bound& bound, bool whole_day) {
    RangeEnd out;
    out.whole_day = whole_day;
    if (const auto* fixed = std::get_if<Moment>(&bound)) {
        out.kind = RangeEnd::Kind::moment;
        out.moment = moment(*fixed, whole_day);
    } else if (const auto* path = std::get_if<Path>(&bound)) {
        out.kind = RangeEnd::Kind::attribute;
        out.attribute = attribute(*path);
    } else {
        out.kind = RangeEnd::Kind::ago;
        out.ago = std::get<Ago>(bound).duration;
    }
    return out;
}

Builder::Part Builder::part(const Window& window) {
    Part out;
    if (!window.within.empty())
        out.span.from = bound(Bound(Ago{window.within}), false);
    if (window.since)
        out.span.from = bound(*window.since, false);
    if (window.before)
        out.span.to = bound(*window.before, false);
    if (window.until)
        out.span.to = bound(*window.until, true);
    if (out.span.from.kind == RangeEnd::Kind::moment)
        out.from = out.span.from.moment;
    if (out.span.to.kind == RangeEnd::Kind::moment)
        out.until = out.span.to.moment;
    if (out.from != always && out.until != never && out.from >= out.until)
        throw impossible("the window ends before it begins", "Write the earlier date first.");
    if (out.span.from.kind == RangeEnd::Kind::ago && out.span.to.kind == RangeEnd::Kind::ago &&
        reversed(out.span.from.ago, out.span.to.ago))
        throw impossible("the window ends before it begins",
                         "Write what is longer ago first: between 60 days ago and 30 days ago.");
    return out;
}

Operand Builder::entries(FeatureDefinition definition, const Part& part, OperandKind kind) {
    part.narrow(definition);
    Operand out{kind, feature(std::move(definition))};
    bool const own_window = part.span.from.kind == RangeEnd::Kind::ago && part.span.to.kind == RangeEnd::Kind::open;
    if (part.fixed() || own_window)
        return out;
    out.span = static_cast<Index>(model_.spans.size());
    model_.spans.push_back(part.span);
    return out;
}

// --- operands ---------------------------------------------------------------------------------------------------

Operand Builder::count(const EventPattern& event, const Window& window, std::int64_t decisive) {
    FeatureDefinition definition;
    definition.event = event;
    Part const when = part(window);
    if (when.fixed())
        return entries(std::move(definition), when, OperandKind::count);
    definition.kind = FeatureKind::recent;
    if (when.newest_decide()) {
        definition.newest = decisive;
    } else if (when.oldest_decide() && decisive != 0) {
        definition.kind = FeatureKind::capped; // the oldest ones
        definition.cap = decisive;
        definition.period = Period::ever;
    }
    return entries(std::move(definition), when, OperandKind::recent_count);
}

Operand Builder::days(const Days& days, std::int64_t decisive) {
    FeatureDefinition definition;
    definition.event = days.event;
    Part const when = part(days.window);
    if (!when.newest_decide()) {
        definition.kind = FeatureKind::recent;
        return entries(std::move(definition), when, OperandKind::recent_days);
    }
    definition.kind = FeatureKind::periods;
    definition.period = Period::day;
    definition.newest = decisive;
    return entries(std::move(definition), when, OperandKind::recent_count);
}

Operand Builder::aggregate(const Aggregate& aggregate, std::int64_t decisive) {
    FeatureDefinition definition;
    definition.event = aggregate.event;
    definition.property = aggregate.property;
    Part const when = part(aggregate.window);
    if (aggregate.kind == AggregateKind::distinct) {
        definition.kind = when.newest_decide() ? FeatureKind::distinct : FeatureKind::values;
        definition.newest = when.newest_decide() ? decisive : 0;
        return entries(std::move(definition), when,
                       when.newest_decide() ? OperandKind::recent_count : OperandKind::recent_distinct);
    }
    struct Choice {
        FeatureKind kind;
        OperandKind fixed, moving;
    };
    auto choose = [&]() -> Choice {
        switch (aggregate.kind) {
        case AggregateKind::avg:
            return {FeatureKind::average, OperandKind::average, OperandKind::recent_average};
        case AggregateKind::min:
            return {FeatureKind::least, OperandKind::peak, OperandKind::recent_least};
        case AggregateKind::max:
            return {FeatureKind::greatest, OperandKind::peak, OperandKind::recent_greatest};
        default:
            return {FeatureKind::sum, OperandKind::sum, OperandKind::recent_sum};
        }
    };
    Choice const choice = choose();
    definition.kind = when.fixed() ? choice.kind : FeatureKind::recent;
    return entries(std::move(definition), when, when.fixed() ? choice.fixed : choice.moving);
}

Operand Builder::occurrence(const Occurrence& occurrence) {
    FeatureDefinition definition;
    definition.event = occurrence.event;
    definition.property = occurrence.property;
    bool const first = occurrence.which == Which::first;
    Part const when = part(occurrence.window);
    // The newest event at all, unless it has left the window; the oldest, unless it is not yet inside.
    if (first ? when.oldest_decide() : when.newest_decide()) {
        definition.kind = first ? FeatureKind::first : FeatureKind::last;
        return entries(std::move(definition), when,
                       occurrence.property ? OperandKind::extreme_value : OperandKind::extreme_time);
    }
    if (!occurrence.property) {
        definition.kind = FeatureKind::recent;
        return entries(std::move(definition), when, first ? OperandKind::recent_oldest : OperandKind::recent_newest);
    }
    definition.kind = FeatureKind::texts;
    return entries(std::move(definition), when, first ? OperandKind::text_first : OperandKind::text_last);
}

Operand Builder::days_since(const DaysSince& days) {
    Operand out = occurrence({days.which, {}, days.event, days.window});
    out.kind = out.kind == OperandKind::extreme_time    ? OperandKind::days_since_extreme
               : out.kind == OperandKind::recent_oldest ? OperandKind::days_since_oldest
                                                        : OperandKind::days_since_newest;
    return out;
}

// --- predicates -------------------------------------------------------------------------------------------------

namespace {

void refuse_in_where(Scope scope) {
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
}

} // namespace

Index Builder::compile(const Regularly& c, Scope scope) {
    refuse_in_where(scope);
    FeatureDefinition definition;
    definition.kind = FeatureKind::periods;
    definition.event = c.event;
    definition.newest = c.periods;
    definition.period = c.unit == RegularUnit::day    ? Period::day
                        : c.unit == RegularUnit::week ? Period::week
                                                      : Period::month;
    Node node;
    node.op = Op::compare;
    node.comparator = Comparator::greater_equal;
    node.operand = {OperandKind::periods_reached, feature(std::move(definition))};
    Constant least;
    least.number = c.at_least * micro_one;
    node.constants.push_back(least);
    return add(std::move(node));
}

namespace {

// The window of a trend's operand, when it is one that can be compared with the time before.
const Window* window_of(const language::Operand& operand) {
    if (const auto* count = std::get_if<Count>(&operand))
        return &count->window;
    if (const auto* aggregate = std::get_if<Aggregate>(&operand))
        return &aggregate->window;
    if (const auto* days = std::get_if<Days>(&operand))
        return &days->window;
    const auto* sessions = std::get_if<Sessions>(&operand);
    return sessions != nullptr && sessions->figure == SessionFigure::count ? &sessions->window : nullptr;
}

language::Operand with_window(language::Operand operand, const Window& window) {
    if (auto* count = std::get_if<Count>(&operand))
        count->window = window;
    else if (auto* aggregate = std::get_if<Aggregate>(&operand))
        aggregate->window = window;
    else if (auto* days = std::get_if<Days>(&operand))
        days->window = window;
    else
        std::get<Sessions>(operand).window = window;
    return operand;
}

} // namespace

// Both periods are read from one feature that reaches back twice as far.
Index Builder::compile(const Trend& c, Scope scope) {
    refuse_in_where(scope);
    const Window* const window = window_of(c.left);
    if (window == nullptr)
        throw impossible("this has no trend", "Counts, sums, averages and the like have: count(login within 7 days) increased.");
    if (window->within.empty())
        throw impossible("a trend compares a window with the one before it",
                         "Say how long it is: count(login within 7 days) increased.");
    Duration const d = window->within;
    Window before;
    before.since = Ago{{d.months * 2, d.days * 2, d.micros * 2}};
    before.until = Ago{d};
    Node node;
    node.op = Op::trend;
    node.flag = c.increased;
    node.operand = operand(with_window(c.left, before), scope, 0);
    node.detail = node.operand.span; // the time before
    TimeRange now;
    now.from = bound(Bound(Ago{d}), false);
    node.operand.span = static_cast<Index>(model_.spans.size());
    model_.spans.push_back(now);
    Constant percent;
    percent.number = c.percent;
    node.constants.push_back(percent);
    return add(std::move(node));
}

Index Builder::compile(const language::Sequence& c, Scope scope) {
    refuse_in_where(scope);
    Part const when = part(c.window);
    Sequence out;
    out.keyed = c.same.has_value();
    out.overall = c.overall;
    out.span = when.span;
    if (c.one_session)
        out.sessions = visits({}, gap_of(c.gap));
    auto slot = [&](const EventPattern& event) {
        FeatureDefinition definition;
        definition.kind = out.keyed ? FeatureKind::values : FeatureKind::recent;
        definition.event = event;
        definition.property = c.same;
        when.narrow(definition);
        return feature(std::move(definition));
    };
    Span silence = 0;
    for (const language::SequenceStep& step : c.steps) {
        SequenceStep compiled{slot(step.event), step.absent, step.within, {}};
        for (const EventPattern& event : step.without)
            compiled.without.push_back(slot(event));
        if (step.absent && step.within.months == 0)
            silence += step.within.exact();
        out.steps.push_back(std::move(compiled));
    }
    if (!c.overall.empty() && c.overall.months == 0 && silence > c.overall.exact())
        throw impossible("the sequence takes longer than it may overall",
                         "The steps with \"not\" alone last longer than \"overall\" allows.");
    Node node;
    node.op = Op::sequence;
    node.detail = static_cast<Index>(model_.sequences.size());
    model_.sequences.push_back(std::move(out));
    return add(std::move(node));
}

} // namespace nurture::model
