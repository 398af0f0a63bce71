// Sessions: runs of events with no silence longer than the gap; their pages; how long somebody stayed.
#include "core/step/entries.hpp"

namespace nurture::step {

using model::OperandKind;
using profile::Entries;
using profile::Entry;
using profile::Extremes;
using profile::FeatureValue;

std::vector<Session> sessions_of(const FeatureValue& value, Span gap) {
    std::vector<Session> out;
    const auto* const held = std::get_if<Entries>(&value);
    if (held == nullptr)
        return out;
    for (const Entry& entry : held->items) {
        if (out.empty() || entry.stamp.at - out.back().last > gap)
            out.push_back({entry.stamp.at, entry.stamp.at});
        out.back().last = entry.stamp.at;
    }
    return out;
}

void Facts::read_sessions(const model::Operand& operand, const Range& range, Reading& out) const {
    const auto& definition = model.features[operand.index].definition;
    auto const sessions = sessions_of(features[operand.index], definition.gap);
    Wide count = 0;
    Time longest = -1;
    Time last = -1;
    for (const Session& session : sessions) {
        out.flips = std::min(out.flips, range.changes(session.last));
        if (!range.inside(session.last))
            continue;
        ++count;
        last = session.last - session.first;
        longest = std::max(longest, last);
    }
    const auto* const held = std::get_if<Entries>(&features[operand.index]);
    out.bound = held != nullptr && held->items.size() > limit_of(definition) && !range.left(sessions.front().last);
    if (operand.kind != OperandKind::sessions && count == 0)
        return;
    out.kind = Reading::Kind::number;
    out.number = operand.kind == OperandKind::sessions          ? count * micro_one
                 : operand.kind == OperandKind::longest_session ? longest
                                                                : last;
}

// Two events of one stretch of the gap are of one session, so of the pages the ends of each stretch suffice, whatever
// other events hold the session together.
void Facts::read_page(const model::Operand& operand, Reading& out) const {
    const auto* const held = std::get_if<Extremes>(&features[operand.index]);
    if (held == nullptr || held->items.empty())
        return;
    const auto& items = held->items;
    std::size_t place = items.size() - 1;
    if (operand.kind == OperandKind::entry_page) {
        const model::Stay& stay = model.stays[operand.stay];
        auto const sessions = sessions_of(features[stay.events], stay.gap);
        auto const next = std::upper_bound(sessions.begin(), sessions.end(), items.back().stamp.at,
                                           [](Time t, const Session& session) { return t < session.first; });
        // Where no session is known the page is older than those that are kept.
        Time const begin = next == sessions.begin() ? items.back().stamp.at : (next - 1)->first;
        while (place > 0 && items[place - 1].stamp.at >= begin)
            --place;
        const auto* const visits = std::get_if<Entries>(&features[stay.events]);
        bool const begin_unsure = next == sessions.begin() || (next == sessions.begin() + 1 && visits->items.size() ==
                                                               limit_of(model.features[stay.events].definition));
        // A session of more than a day has lost its beginning.
        out.bound = begin_unsure || (place == 0 && items.back().stamp.at - begin >= one_day);
    }
    out.value = items[place].value();
    out.kind = Reading::Kind::value;
}

// The seconds that the event tells; else the time until the next later event, if that is of the same session. Events of the
// same instant have no order: neither ends the other's stay.
void Facts::read_dwell(const model::Operand& operand, const Range& range, Reading& out) const {
    static const std::vector<Entry> nothing;
    auto entries = [&](Index slot) -> const std::vector<Entry>& {
        const auto* const held = std::get_if<Entries>(&features[slot]);
        return held == nullptr ? nothing : held->items;
    };
    const model::Stay& stay = model.stays[operand.stay];
    const auto& telling = entries(stay.seconds);
    const auto& all = entries(stay.events);
    bool const all_cut = all.size() > limit_of(model.features[stay.events].definition);
    bool unsure = false;
    auto length = [&](const Entry& entry) -> std::optional<Micro> {
        auto const told = std::lower_bound(telling.begin(), telling.end(), entry.stamp,
                                           [](const Entry& e, const profile::Stamp& stamp) { return e.stamp < stamp; });
        if (told != telling.end() && told->stamp == entry.stamp && told->amount >= 0)
            return told->amount;
        if (all_cut && entry.stamp.at < all.front().stamp.at) {
            unsure = true;
            return {};
        }
        auto const next = std::upper_bound(all.begin(), all.end(), entry.stamp.at,
                                           [](Time at, const Entry& e) { return at < e.stamp.at; });
        if (next == all.end() || next->stamp.at - entry.stamp.at > stay.gap)
            return {};
        return next->stamp.at - entry.stamp.at; // 10^-6 seconds each
    };
    Wide sum = 0;
    std::optional<Micro> longest, last;
    each_inside(model.features[operand.index].definition, entries(operand.index), range, out, [&](const Entry& entry) {
        auto const stayed = length(entry);
        if (!stayed)
            return;
        sum += *stayed;
        last = last ? last : stayed;
        longest = std::max(longest.value_or(0), *stayed);
    });
    out.bound = out.bound || unsure;
    if (operand.kind == OperandKind::dwell) {
        out.kind = Reading::Kind::number;
        out.number = sum;
    } else if (last) {
        out.kind = Reading::Kind::number;
        out.number = operand.kind == OperandKind::last_dwell ? *last : *longest;
    }
}

// An event exactly at the limit still belongs to the session: it is over the instant after.
Outcome Facts::in_session(const model::Node& node, Time clock) const {
    const auto* const newest = std::get_if<profile::Extreme>(&features[node.operand.index]);
    if (newest == nullptr)
        return {Truth::no, never};
    Time const over = saturating_add(newest->stamp.at, model.stays[node.detail].gap + 1);
    return clock < over ? Outcome{Truth::yes, over} : Outcome{Truth::no, never};
}

} // namespace nurture::step
