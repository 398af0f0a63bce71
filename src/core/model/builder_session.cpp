// Sessions to operands and nodes: which features tell them apart.
#include "core/base/error.hpp"
#include "core/model/builder_part.hpp"

namespace nurture::model {

using namespace language;
using profile::FeatureDefinition;
using profile::FeatureKind;

namespace {

/// Pages are looked at for a day back: so many ends of stretches of the usual gap, and then some.
constexpr std::int64_t visits_of_a_day = 100;

} // namespace

Span Builder::gap_of(const Duration& own) const { return own.empty() ? model_.source.session_gap : own.exact(); }

Index Builder::visits(const EventPattern& event, Span gap, std::int64_t newest) {
    FeatureDefinition definition;
    definition.kind = FeatureKind::visits;
    definition.event = event;
    definition.gap = gap;
    definition.newest = newest;
    return feature(std::move(definition));
}

Operand Builder::sessions(const Sessions& sessions) {
    if (sessions.figure != SessionFigure::count && sessions.figure != SessionFigure::longest &&
        sessions.figure != SessionFigure::last)
        return dwell(sessions);
    Operand out;
    out.kind = sessions.figure == SessionFigure::count     ? OperandKind::sessions
               : sessions.figure == SessionFigure::longest ? OperandKind::longest_session
                                                           : OperandKind::last_session;
    Part const when = part(sessions.window);
    // A session belongs to where it ends and is measured as a whole: the feature holds more than the window.
    out.index = visits(sessions.event, gap_of(sessions.gap));
    if (!sessions.window.ever()) {
        out.span = static_cast<Index>(model_.spans.size());
        model_.spans.push_back(when.span);
    }
    return out;
}

// Three sets of entries: the events asked about, those of them that say how long it was, and whatever came next.
Operand Builder::dwell(const Sessions& sessions) {
    Operand out;
    out.kind = sessions.figure == SessionFigure::dwell           ? OperandKind::dwell
               : sessions.figure == SessionFigure::longest_dwell ? OperandKind::longest_dwell
                                                                 : OperandKind::last_dwell;
    Part const when = part(sessions.window);
    Stay stay;
    stay.gap = gap_of(sessions.gap);
    FeatureDefinition looked_at;
    looked_at.kind = FeatureKind::recent;
    looked_at.event = sessions.event;
    when.narrow(looked_at);
    FeatureDefinition telling = looked_at;
    telling.property = Path{{"seconds"}};
    FeatureDefinition all;
    all.kind = FeatureKind::recent;
    when.narrow(all);
    if (all.until != never)
        all.until = saturating_add(all.until, stay.gap + 1); // what came next may lie behind the end
    out.index = feature(std::move(looked_at));
    stay.seconds = feature(std::move(telling));
    stay.events = feature(std::move(all));
    out.stay = static_cast<Index>(model_.stays.size());
    model_.stays.push_back(stay);
    if (!sessions.window.ever()) {
        out.span = static_cast<Index>(model_.spans.size());
        model_.spans.push_back(when.span);
    }
    return out;
}

// All events hold a session together, whichever have the property.
Operand Builder::session_page(const SessionPage& page) {
    Stay stay;
    stay.gap = gap_of(page.gap);
    FeatureDefinition definition;
    definition.kind = FeatureKind::pages;
    definition.event = page.event;
    definition.property = page.property;
    definition.gap = stay.gap;
    Operand out;
    out.kind = page.entry ? OperandKind::entry_page : OperandKind::exit_page;
    out.index = feature(std::move(definition));
    if (page.entry) {
        stay.events = visits({}, stay.gap, visits_of_a_day);
        out.stay = static_cast<Index>(model_.stays.size());
        model_.stays.push_back(stay);
    }
    return out;
}

Index Builder::compile(const InSession& c, Scope scope) {
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
    FeatureDefinition newest;
    newest.kind = FeatureKind::last;
    newest.event = c.event;
    Stay stay;
    stay.gap = gap_of(c.gap);
    Node node;
    node.op = Op::in_session;
    node.operand = {OperandKind::extreme_time, feature(std::move(newest))};
    node.detail = static_cast<Index>(model_.stays.size());
    model_.stays.push_back(stay);
    return add(std::move(node));
}

} // namespace nurture::model
