// Sequences over sets of entries: is there a chain of events, and when can that change by itself? Nothing is kept from
// one evaluation to the next, so late events need no undoing.
#include "core/step/range.hpp"

#include <algorithm>

namespace nurture::step {

using model::SequenceStep;
using profile::Entries;
using profile::Entry;

namespace {

/// An event that may take part. All of one chain have the same key.
struct Point {
    std::int64_t key = 0;
    Time at = 0;
    friend auto operator<=>(const Point&, const Point&) = default;
};

/// A chain that has come as far as some step.
struct Reached {
    Time at = 0;             ///< of the step
    Time start = 0;          ///< of its first event: the latest there is
    std::int64_t session = 0;///< ordinal
    bool over = false;       ///< the step was a silence that is over: an event of the same instant comes after it
};

class Chain {
  public:
    Chain(const model::Sequence& sequence, const Range& range, const std::vector<Session>* sessions)
        : sequence_(sequence), range_(range), sessions_(sessions) {}

    /// By slot, ascending by (key, at).
    std::vector<std::pair<Index, std::vector<Point>>> points;
    Time pending = never;       ///< when the next silence may be over
    Time latest_start = always; ///< of the complete chains

    /// Looks for complete chains of one key.
    bool complete(std::int64_t key) {
        std::vector<Reached> reached = begin(key);
        for (std::size_t step = 1; step < sequence_.steps.size() && !reached.empty(); ++step)
            reached = sequence_.steps[step].absent ? after_silence(sequence_.steps[step], key, reached)
                                                   : after_event(sequence_.steps[step], key, reached);
        for (const Reached& end : reached)
            latest_start = std::max(latest_start, end.start);
        return !reached.empty();
    }

  private:
    const model::Sequence& sequence_;
    const Range& range_;
    const std::vector<Session>* sessions_;

    [[nodiscard]] std::pair<const Point*, const Point*> of_key(Index slot, std::int64_t key) const {
        for (const auto& [known, all] : points)
            if (known == slot) {
                auto const low = std::lower_bound(all.begin(), all.end(), Point{key, always});
                auto const high = std::upper_bound(low, all.end(), Point{key, never});
                return {all.data() + (low - all.begin()), all.data() + (high - all.begin())};
            }
        return {nullptr, nullptr};
    }

    /// Events of the key between two moments, both excluded.
    [[nodiscard]] bool any_between(Index slot, std::int64_t key, Time after, Time before) const {
        auto const [first, end] = of_key(slot, key);
        const Point* const next = std::upper_bound(first, end, Point{key, after});
        return next != end && next->at < before;
    }
    [[nodiscard]] bool blocked(const SequenceStep& step, std::int64_t key, Time after, Time before) const {
        return std::any_of(step.without.begin(), step.without.end(),
                           [&](Index slot) { return any_between(slot, key, after, before); });
    }

    /// The ordinal of the session an event lies in; -1: none is known.
    [[nodiscard]] std::int64_t session_of(Time at) const {
        if (sessions_ == nullptr)
            return 0;
        auto const next = std::upper_bound(sessions_->begin(), sessions_->end(), at,
                                           [](Time t, const Session& session) { return t < session.first; });
        return next != sessions_->begin() && at <= (next - 1)->last ? next - sessions_->begin() : -1;
    }

    /// What comes after it is later than this: an event at the very end of a silence comes after the silence.
    [[nodiscard]] static Time begin_after(const Reached& reached) { return reached.over ? reached.at - 1 : reached.at; }

    [[nodiscard]] std::vector<Reached> begin(std::int64_t key) const {
        std::vector<Reached> out;
        auto const [first, end] = of_key(sequence_.steps.front().feature, key);
        for (const Point* point = first; point != end; ++point)
            if (std::int64_t const session = session_of(point->at); session >= 0)
                out.push_back({point->at, point->at, session, false});
        return out;
    }

    [[nodiscard]] Time limit(Time at, const Duration& d) const {
        return d.empty() ? never : profile::becomes_old(at, d, range_.zone());
    }
    /// Of two chains that come to the same point the one that leaves more room.
    [[nodiscard]] bool better(Time start, Time than) const {
        if (sequence_.overall.months != 0) {
            Time const a = limit(start, sequence_.overall);
            Time const b = limit(than, sequence_.overall);
            if (a != b)
                return a > b;
        }
        return start > than;
    }

    /// The step is an event that comes later than the one before it, and soon enough.
    [[nodiscard]] std::vector<Reached> after_event(const SequenceStep& step, std::int64_t key,
                                                   const std::vector<Reached>& before) const {
        std::vector<Reached> out;
        bool const ordered = step.within.months == 0; // what is too old for one event is so for the next
        std::size_t oldest = 0;                       // of those that are not too old
        auto const [first, end] = of_key(step.feature, key);
        for (const Point* point = first; point != end; ++point) {
            std::int64_t const session = session_of(point->at);
            if (session < 0)
                continue;
            while (ordered && oldest < before.size() && limit(before[oldest].at, step.within) <= point->at)
                ++oldest;
            const Reached* best = nullptr;
            for (std::size_t i = oldest; i < before.size(); ++i) {
                const Reached& from = before[i];
                if (from.at > point->at || (from.at == point->at && !from.over))
                    break;
                bool const fits = from.session == session && point->at < limit(from.at, step.within) &&
                                  point->at < limit(from.start, sequence_.overall);
                if (fits && (best == nullptr || better(from.start, best->start)) &&
                    !blocked(step, key, begin_after(from), point->at))
                    best = &from;
            }
            if (best != nullptr)
                out.push_back({point->at, best->start, session, false});
        }
        return out;
    }

    /// The step is that nothing of the kind happens for a while; it comes when the while is over.
    [[nodiscard]] std::vector<Reached> after_silence(const SequenceStep& step, std::int64_t key,
                                                     const std::vector<Reached>& before) {
        std::vector<Reached> out;
        for (const Reached& from : before) {
            Time const over = limit(from.at, step.within);
            if (broken(step, key, from, over) || over >= range_.to || over > limit(from.start, sequence_.overall))
                continue;
            Time const seen = range_.to_ago == nullptr ? over : profile::becomes_old(over, *range_.to_ago, range_.zone());
            if (std::max(over, seen) > range_.clock()) {
                pending = std::min(pending, std::max(over, seen));
                continue;
            }
            out.push_back({over, from.start, from.session, true});
        }
        // Clipped months may bring an earlier one's end behind a later one's.
        std::stable_sort(out.begin(), out.end(), [](const Reached& a, const Reached& b) { return a.at < b.at; });
        return out;
    }
    [[nodiscard]] bool broken(const SequenceStep& step, std::int64_t key, const Reached& from, Time over) const {
        Time const after = begin_after(from);
        return any_between(step.feature, key, after, over) || blocked(step, key, after, over);
    }
};

} // namespace

Outcome Facts::sequence(const model::Node& node, Time clock) const {
    const model::Sequence& sequence = model.sequences[node.detail];
    Range const range = range_of(sequence.span, clock);
    Outcome out{Truth::unknown, never, false};
    if (!range.known)
        return out;
    std::vector<Session> sessions;
    Time unsure = always; // up to when sessions are not known in full
    if (sequence.sessions != none) {
        const auto& visits = model.features[sequence.sessions].definition;
        const auto* const held = std::get_if<Entries>(&features[sequence.sessions]);
        sessions = sessions_of(features[sequence.sessions], visits.gap);
        if (held != nullptr && held->items.size() > static_cast<std::size_t>(visits.limit))
            unsure = sessions.front().last;
    }
    Chain chain(sequence, range, sequence.sessions != none ? &sessions : nullptr);
    Time changes = never;
    auto gather = [&](Index slot) {
        if (std::any_of(chain.points.begin(), chain.points.end(), [&](const auto& known) { return known.first == slot; }))
            return;
        auto& points = chain.points.emplace_back(slot, std::vector<Point>()).second;
        const auto* const held = std::get_if<Entries>(&features[slot]);
        if (held == nullptr)
            return;
        auto const limit = static_cast<std::size_t>(model.features[slot].definition.limit);
        std::size_t const surplus = held->items.size() > limit ? held->items.size() - limit : 0;
        out.bound = out.bound || (surplus != 0 && !range.left(held->items[surplus - 1].stamp.at));
        for (std::size_t i = surplus; i < held->items.size(); ++i) {
            const Entry& entry = held->items[i];
            changes = std::min(changes, range.changes(entry.stamp.at));
            if (!range.inside(entry.stamp.at))
                continue;
            out.bound = out.bound || entry.stamp.at <= unsure;
            points.push_back({sequence.keyed ? entry.amount : 0, entry.stamp.at});
        }
        std::sort(points.begin(), points.end());
    };
    for (const SequenceStep& step : sequence.steps) {
        gather(step.feature);
        for (Index const slot : step.without)
            gather(slot);
    }
    bool found = false;
    const auto& first = chain.points.front().second;
    for (std::size_t i = 0; i < first.size(); ++i)
        if (i == 0 || first[i].key != first[i - 1].key)
            found = chain.complete(first[i].key) || found;
    out.truth = found ? Truth::yes : Truth::no;
    // A window that only loses its oldest events breaks a chain with the chain's first event, and makes none.
    bool const simple = range.only_loses() && range.in_order() && sequence.overall.months == 0;
    if (simple)
        out.flips = found ? range.leaves(chain.latest_start) : chain.pending;
    else
        out.flips = std::min(changes, chain.pending);
    return out;
}

} // namespace nurture::step
