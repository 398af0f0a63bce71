#include "core/analytics/sequence.hpp"

#include "core/analytics/matching.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace nurture::analytics {

namespace {

/// The instants at which the first elements of a pattern were matched, in order, and a window that slides
/// over them.
struct Reached {
    std::vector<std::uint32_t> instants;
    std::size_t first = 0; ///< entries before are too long ago
    std::size_t end = 0;   ///< entries from here on are too recent

    void clear() noexcept {
        instants.clear();
        first = end = 0;
    }
};

class Matcher {
public:
    /// With `traceable` the first match ends it and times() can tell its way.
    Matcher(const Pattern& pattern, std::span<const Event> events, bool traceable = false)
        : pattern_(pattern), events_(events), size_(pattern.elements.size()), traceable_(traceable),
          reached_(size_) {
        for (std::size_t i = 0; i + 1 < size_; ++i)
            together_.push_back(pattern_.gaps[i].allows(0));
    }

    /// Counts matches, up to `limit`.
    std::size_t count(std::size_t limit) {
        std::size_t matches = 0;
        for_each_instant(events_, [&](std::size_t first, std::size_t last) {
            begins_.push_back(static_cast<std::uint32_t>(first));
            ends_at_ = last;
            matches += last - first == 1 ? single(events_[first].mask) : tied();
            return matches < limit;
        });
        return matches;
    }

    /// After count(1) gave 1: the times of the match that was found.
    std::vector<Time> times() const {
        std::vector<Time> out;
        std::size_t matched = size_, instant = begins_.size() - 1;
        while (matched > 0) {
            std::size_t from = 0;
            std::optional<std::uint32_t> before;
            for (; from < matched; ++from) {
                before = from == 0 ? std::nullopt : predecessor(from, instant);
                if ((from == 0 || before) && leads(from, matched, instant))
                    break;
            }
            for (std::size_t i = matched; i > from; --i)
                if (pattern_.elements[i - 1] != any_event)
                    out.push_back(at(instant));
            matched = from;
            if (before)
                instant = *before;
        }
        std::reverse(out.begin(), out.end());
        return out;
    }

private:
    const Pattern& pattern_;
    std::span<const Event> events_;
    std::size_t size_;
    bool traceable_;
    std::vector<Reached> reached_;      ///< [i]: where elements 1 … i are matched, 0 < i < size_
    std::vector<bool> together_;        ///< may elements i + 1 and i + 2 have the same time?
    std::vector<std::uint32_t> begins_; ///< first event of each instant so far
    std::size_t ends_at_ = 0;

    [[nodiscard]] Time at(std::size_t instant) const noexcept { return events_[begins_[instant]].at; }
    [[nodiscard]] std::size_t now() const noexcept { return begins_.size() - 1; }
    [[nodiscard]] bool fits(std::size_t element, std::uint32_t mask) const noexcept {
        unsigned const condition = pattern_.elements[element];
        return condition == any_event || (mask & bit(condition)) != 0;
    }

    /// Can element `matched` + 1 have its event now, after `matched` ones matched at an earlier instant?
    bool enters(std::size_t matched) {
        Reached& reached = reached_[matched];
        if (reached.instants.empty())
            return false;
        const Gap& gap = pattern_.gaps[matched - 1];
        if (!gap.skips)
            return reached.instants.back() + 1 == now();
        Time const t = at(now());
        while (reached.first < reached.instants.size() &&
               elapsed(at(reached.instants[reached.first]), t) > gap.most)
            ++reached.first;
        reached.end = std::max(reached.end, reached.first);
        while (reached.end < reached.instants.size() &&
               elapsed(at(reached.instants[reached.end]), t) >= gap.least)
            ++reached.end;
        std::size_t candidates = reached.end - reached.first;
        // The few lengths that are not allowed take away at most one instant each.
        for (std::size_t i = 0; i < gap.unequal.size() && candidates > 0; ++i)
            if (find(reached, reached.first, reached.end, t, gap.unequal[i]))
                --candidates;
        return candidates > 0;
    }
    [[nodiscard]] bool find(const Reached& reached, std::size_t first, std::size_t end, Time t,
                            std::uint64_t length) const {
        auto const begin = reached.instants.begin();
        auto const found = std::partition_point(
            begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(end),
            [&](std::uint32_t instant) { return elapsed(at(instant), t) > length; });
        return found != begin + static_cast<std::ptrdiff_t>(end) && elapsed(at(*found), t) == length;
    }

    void begin_anew() noexcept {
        for (Reached& reached : reached_)
            if (!traceable_)
                reached.clear();
    }

    /// An event alone at its instant.
    std::size_t single(std::uint32_t mask) {
        auto const reaches = [&](std::size_t element) {
            return fits(element, mask) && (element == 0 || enters(element));
        };
        if (reaches(size_ - 1)) {
            begin_anew();
            return 1;
        }
        // Downwards: what is entered below must have been matched earlier.
        for (std::size_t i = size_ - 1; i > 0; --i)
            if (reaches(i - 1))
                reached_[i].instants.push_back(static_cast<std::uint32_t>(now()));
        return 0;
    }

    /// Several events of one time. The most matches end here in some order of them; one more now is never
    /// worse than any beginning of a further one, so only ways with the most go on.
    std::size_t tied() {
        auto const rows = events_.subspan(begins_.back(), ends_at_ - begins_.back());
        TieMatching matching(rows);
        std::size_t most = 0;
        std::uint64_t next = 0; ///< bit i: elements 1 … i are matched, ending now
        for (std::size_t from = 0; from < size_; ++from) {
            if (from > 0 && !enters(from))
                continue;
            matching.clear();
            std::size_t complete = 0, matched = from;
            std::uint64_t mine = 0;
            while (matching.demand(pattern_.elements[matched])) {
                if (++matched == size_) {
                    ++complete;
                    matched = 0;
                    mine = 0; // those go on that begin after the last complete one
                    continue;
                }
                // After a complete match, or before a first one, the other rows stand outside.
                if (complete > 0 || from == 0 || others_fit(from, matched, rows.size()))
                    mine |= std::uint64_t{1} << matched;
                if (!together_[matched - 1])
                    break;
            }
            if (complete > most) {
                most = complete;
                next = 0;
            }
            if (complete == most)
                next |= mine;
        }
        if (most > 0)
            begin_anew();
        for (; next != 0; next &= next - 1)
            reached_[static_cast<std::size_t>(std::countr_zero(next))].instants.push_back(
                static_cast<std::uint32_t>(now()));
        return most;
    }
    /// Is there room for the rows of an instant that are not part of a match going on through it?
    [[nodiscard]] bool others_fit(std::size_t from, std::size_t to, std::size_t rows) const {
        if (rows == to - from)
            return true;
        for (std::size_t i = from; i <= to; ++i)
            if (pattern_.gaps[i - 1].skips)
                return true;
        return false;
    }

    /// The latest instant before `instant` at which `matched` elements are matched and the next may follow at
    /// `instant`.
    [[nodiscard]] std::optional<std::uint32_t> predecessor(std::size_t matched, std::size_t instant) const {
        const auto& instants = reached_[matched].instants;
        const Gap& gap = pattern_.gaps[matched - 1];
        auto it = std::lower_bound(instants.begin(), instants.end(), instant);
        while (it != instants.begin()) {
            --it;
            if (!gap.skips)
                return *it + 1 == instant ? std::optional(*it) : std::nullopt;
            std::uint64_t const length = elapsed(at(*it), at(instant));
            if (length > gap.most)
                return std::nullopt;
            if (gap.allows(length))
                return *it;
            if (length < gap.least) // leap over all that are too recent
                it = std::partition_point(instants.begin(), it, [&](std::uint32_t earlier) {
                    return elapsed(at(earlier), at(instant)) >= gap.least;
                });
        }
        return std::nullopt;
    }
    /// Can elements from + 1 … to be matched by events of `instant` alone?
    [[nodiscard]] bool leads(std::size_t from, std::size_t to, std::size_t instant) const {
        std::size_t const end = instant + 1 < begins_.size() ? begins_[instant + 1] : ends_at_;
        auto const rows = events_.subspan(begins_[instant], end - begins_[instant]);
        if (to - from > rows.size())
            return false;
        TieMatching matching(rows);
        for (std::size_t i = from; i < to; ++i)
            if ((i > from && !together_[i - 1]) || !matching.demand(pattern_.elements[i]))
                return false;
        return from == 0 || to == size_ || others_fit(from, to, rows.size());
    }
};

} // namespace

bool sequence_matches(const Pattern& pattern, std::span<const Event> events) {
    return Matcher(pattern, events).count(1) > 0;
}

std::size_t sequence_count(const Pattern& pattern, std::span<const Event> events) {
    return Matcher(pattern, events).count(static_cast<std::size_t>(-1));
}

std::vector<Time> sequence_events(const Pattern& pattern, std::span<const Event> events) {
    Matcher matcher(pattern, events, true);
    return matcher.count(1) > 0 ? matcher.times() : std::vector<Time>{};
}

} // namespace nurture::analytics
