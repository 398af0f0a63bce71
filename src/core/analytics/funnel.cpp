#include "core/analytics/funnel.hpp"

#include "core/analytics/matching.hpp"
#include "core/base/error.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

namespace nurture::analytics {

namespace {

/// The chains alive after some prefix of the events: of each depth the one that began last, since later
/// events ask for nothing but depth and beginning. Depth i uses index i; 0 is "no chain".
template <bool with_times>
struct Chains {
    std::uint64_t alive = 0; ///< bit i: there is a chain of depth i
    std::array<Time, max_conditions + 1> start;
    std::array<std::array<Time, max_conditions + 1>, with_times ? max_conditions + 1 : 1> path;

    [[nodiscard]] bool has(unsigned i) const noexcept { return (alive >> i & 1) != 0; }
};

template <bool with_times>
class Scan {
public:
    Scan(unsigned steps, Span span, const FunnelMode& mode)
        : steps_(steps), span_(static_cast<std::uint64_t>(span)), mode_(mode),
          once_(mode.strict_once || mode.strict_order || mode.deduplicated) {}

    /// Takes all events of one instant; false when nothing better can come.
    bool instant(std::span<const Event> events, Time at) {
        if (!once_) {
            std::uint32_t all = 0;
            for (const Event& event : events)
                all |= event.mask;
            if (mode_.strict_increase)
                increase(all, at);
            else
                ordered(all, at);
        } else if (events.size() == 1) {
            single(events.front().mask, at);
        } else {
            tied(events, at);
        }
        return best_ < steps_;
    }
    /// Forgets the chains under way, not the best one seen.
    void restart() noexcept { chains_.alive = 0; }

    [[nodiscard]] unsigned best() const noexcept { return best_; }
    [[nodiscard]] const std::array<Time, max_conditions + 1>& best_times() const noexcept {
        return best_times_;
    }

private:
    unsigned steps_;
    std::uint64_t span_;
    FunnelMode mode_;
    bool once_;
    Chains<with_times> chains_;
    unsigned best_ = 0;
    std::array<Time, max_conditions + 1> best_times_{};

    [[nodiscard]] bool in_time(unsigned depth, Time at) const noexcept {
        return chains_.has(depth) && elapsed(chains_.start[depth], at) <= span_;
    }

    /// Makes chain `to` of `next` the chain `from` of `previous` lengthened by events at `at`, if it begins
    /// later than the one there is.
    static void offer(Chains<with_times>& next, const Chains<with_times>& previous, unsigned from,
                      unsigned to, Time at) {
        Time const start = from == 0 ? at : previous.start[from];
        if (next.has(to) && next.start[to] >= start)
            return;
        next.alive |= std::uint64_t{1} << to;
        next.start[to] = start;
        if constexpr (with_times) {
            if (&next != &previous || from != to)
                std::copy_n(previous.path[from].begin(), from, next.path[to].begin());
            std::fill(next.path[to].begin() + from, next.path[to].begin() + to, at);
        }
    }
    void found(const Chains<with_times>& chains, unsigned from, unsigned depth, Time at) {
        if (depth <= best_)
            return;
        best_ = depth;
        if constexpr (with_times) {
            if (from != 0)
                std::copy_n(chains.path[from].begin(), from, best_times_.begin());
            std::fill(best_times_.begin() + from, best_times_.begin() + depth, at);
        }
    }

    void ordered(std::uint32_t mask, Time at) {
        for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1) {
            unsigned const step = static_cast<unsigned>(std::countr_zero(rest)) + 1;
            if (step == 1 || in_time(step - 1, at))
                offer(chains_, chains_, step - 1, step, at);
        }
        // Only a chain with a step at this instant can be new; the deepest is the one to keep.
        for (unsigned depth = steps_; depth > best_; --depth)
            if (chains_.has(depth))
                found(chains_, depth, depth, at);
    }
    void increase(std::uint32_t mask, Time at) {
        for (unsigned step = steps_; step > 0; --step)
            if ((mask & bit(step - 1)) != 0 && (step == 1 || in_time(step - 1, at))) {
                found(chains_, step - 1, step, at);
                offer(chains_, chains_, step - 1, step, at);
            }
    }

    /// May a row that fills no step of the chain stand where the chain has depth `depth`?
    [[nodiscard]] bool tolerated(std::uint32_t mask, unsigned depth) const noexcept {
        std::uint32_t const done = low_bits(depth);
        if (mode_.deduplicated && (mask & low_bits(depth + 1)) != 0)
            return false;
        if (!mode_.strict_order)
            return true;
        return (mask & ~(mode_.reentry ? done : bit(depth - 1))) == 0;
    }

    /// One row alone at its instant, one row one step.
    void single(std::uint32_t mask, Time at) {
        bool const strict = mode_.strict_order || mode_.deduplicated;
        for (unsigned step = steps_; step > 0; --step) {
            bool const fills = (mask & bit(step - 1)) != 0 && (step == 1 || in_time(step - 1, at));
            if (fills)
                found(chains_, step - 1, step, at);
            if (strict && chains_.has(step) && !tolerated(mask, step))
                chains_.alive &= ~(std::uint64_t{1} << step);
            if (fills)
                offer(chains_, chains_, step - 1, step, at);
        }
    }

    /// Can a chain pass this instant from depth `from` to `to`, every row either filling a step or tolerated?
    /// That steps from+1 … to can be filled is known. The rows that must fill one are matched to the steps;
    /// that both sides can be matched at once follows from each being possible (Mendelsohn and Dulmage 1958).
    [[nodiscard]] bool passes(std::span<const Event> events, unsigned from, unsigned to) const {
        std::array<std::uint32_t, max_conditions> must{};
        unsigned count = 0;
        for (const Event& event : events) {
            bool free = false;
            for (unsigned depth = from; depth <= to && !free; ++depth)
                free = tolerated(event.mask, depth);
            if (free)
                continue;
            if (count == to - from)
                return false;
            must[count++] = event.mask;
        }
        std::array<int, max_conditions> row_of_step;
        row_of_step.fill(-1);
        for (unsigned row = 0; row < count; ++row) {
            std::uint32_t visited = 0;
            if (!match_row(must, row, from, to, row_of_step, visited))
                return false;
        }
        return true;
    }
    static bool match_row(const std::array<std::uint32_t, max_conditions>& must, unsigned row, unsigned from,
                          unsigned to, std::array<int, max_conditions>& row_of_step, std::uint32_t& visited) {
        for (unsigned step = from; step < to; ++step) {
            if ((must[row] & bit(step)) == 0 || (visited & bit(step)) != 0)
                continue;
            visited |= bit(step);
            if (row_of_step[step] < 0 ||
                match_row(must, static_cast<unsigned>(row_of_step[step]), from, to, row_of_step, visited)) {
                row_of_step[step] = static_cast<int>(row);
                return true;
            }
        }
        return false;
    }

    /// Several rows of one time, one row one step: every chain takes them in the order that suits it.
    void tied(std::span<const Event> events, Time at) {
        Chains<with_times> const before = chains_;
        TieMatching matching(events);
        chains_.alive = 0;
        for (unsigned from = 0; from <= steps_; ++from) {
            if (from > 0 && !before.has(from))
                continue;
            if (from > 0 &&
                passes(events, from, from)) // before the offers: an equal beginning keeps its path
                offer(chains_, before, from, from, at);
            if (from > 0 && elapsed(before.start[from], at) > span_)
                continue;
            unsigned const last = mode_.strict_increase ? std::min(from + 1, steps_) : steps_;
            matching.clear();
            for (unsigned to = from + 1; to <= last && matching.demand(to - 1); ++to) {
                note(before, from, to, at);
                // What a new chain does not use is taken before it begins.
                if (from == 0 || passes(events, from, to))
                    offer(chains_, before, from, to, at);
            }
        }
        commit_note(before, at);
    }

    // Within one instant several chains reach the best depth; the one that begins last is kept.
    unsigned noted_depth_ = 0, noted_from_ = 0;
    void note(const Chains<with_times>& before, unsigned from, unsigned depth, Time at) {
        auto const start_of = [&](unsigned i) { return i == 0 ? at : before.start[i]; };
        if (depth > noted_depth_ || (depth == noted_depth_ && start_of(from) > start_of(noted_from_))) {
            noted_depth_ = depth;
            noted_from_ = from;
        }
    }
    void commit_note(const Chains<with_times>& before, Time at) {
        if (noted_depth_ != 0)
            found(before, noted_from_, noted_depth_, at);
        noted_depth_ = noted_from_ = 0;
    }
};

/// Feeds a scan instant by instant. An excluded row stops every chain; the rows of its own instant may stand
/// before it or after it, so they end the old chains and begin the new ones.
template <bool with_times>
void feed(Scan<with_times>& scan, std::span<const Event> events, std::uint32_t excluded) {
    std::vector<Event> kept;
    for_each_instant(events, [&](std::size_t first, std::size_t last) {
        Time const at = events[first].at;
        auto const rows = events.subspan(first, last - first);
        if (excluded == 0)
            return scan.instant(rows, at);
        kept.clear();
        for (const Event& event : rows) {
            if ((event.mask & excluded) != 0)
                continue;
            // Close the gaps the excluded conditions leave, so that steps are numbered 1, 2, …
            std::uint32_t mask = 0, target = 1;
            for (std::uint32_t source = 1; source != 0; source <<= 1)
                if ((excluded & source) == 0) {
                    mask |= (event.mask & source) != 0 ? target : 0;
                    target <<= 1;
                }
            kept.push_back({at, mask});
        }
        std::sort(kept.begin(), kept.end());
        bool more = kept.empty() || scan.instant(kept, at);
        if (kept.size() != rows.size()) {
            scan.restart();
            more = more && (kept.empty() || scan.instant(kept, at));
        }
        return more;
    });
}

/// The most different steps within a span: at each instant those whose latest occurrence is not too long ago.
FunnelChain unordered_chain(std::span<const Event> events, unsigned conditions, Span span,
                            std::uint32_t excluded) {
    std::vector<unsigned> steps;
    for (unsigned i = 0; i < conditions; ++i)
        if ((excluded & bit(i)) == 0)
            steps.push_back(i);
    FunnelChain best;
    best.times.resize(steps.size());
    std::vector<std::optional<Time>> last(steps.size());
    auto const take = [&](std::span<const Event> rows, Time at) {
        for (const Event& event : rows)
            for (std::size_t i = 0; i < steps.size() && (event.mask & excluded) == 0; ++i)
                if ((event.mask & bit(steps[i])) != 0)
                    last[i] = at;
        unsigned depth = 0;
        for (auto& time : last) {
            if (time && elapsed(*time, at) > static_cast<std::uint64_t>(span))
                time.reset();
            depth += time ? 1 : 0;
        }
        if (depth > best.depth)
            best = {depth, last};
    };
    for_each_instant(events, [&](std::size_t first, std::size_t end) {
        auto const rows = events.subspan(first, end - first);
        Time const at = events[first].at;
        take(rows, at);
        if (std::any_of(rows.begin(), rows.end(), [&](const Event& e) { return (e.mask & excluded) != 0; })) {
            std::fill(last.begin(), last.end(), std::nullopt);
            take(rows, at);
        }
        return best.depth < steps.size();
    });
    return best;
}

} // namespace

unsigned funnel_steps(unsigned conditions, const FunnelMode& mode) noexcept {
    return conditions - static_cast<unsigned>(std::popcount(mode.excluded & low_bits(conditions)));
}

unsigned funnel_depth(std::span<const Event> events, unsigned conditions, Span span, const FunnelMode& mode) {
    if (mode.unordered)
        return unordered_chain(events, conditions, span, mode.excluded).depth;
    Scan<false> scan(funnel_steps(conditions, mode), span, mode);
    feed(scan, events, mode.excluded);
    return scan.best();
}

FunnelChain funnel_chain(std::span<const Event> events, unsigned conditions, Span span,
                         const FunnelMode& mode) {
    if (mode.unordered)
        return unordered_chain(events, conditions, span, mode.excluded);
    Scan<true> scan(funnel_steps(conditions, mode), span, mode);
    feed(scan, events, mode.excluded);
    FunnelChain chain;
    chain.depth = scan.best();
    chain.times.assign(scan.best_times().begin(), scan.best_times().begin() + chain.depth);
    return chain;
}

void not_excludable(unsigned conditions) {
    throw Error(ErrorKind::invalid_parameter, "an excluded condition is not one of the funnel's",
                "Conditions are numbered from 1 to " + std::to_string(conditions) + ".");
}

void check_excluded(const FunnelMode& mode, unsigned conditions) {
    if ((mode.excluded & ~low_bits(conditions)) != 0)
        not_excludable(conditions);
}

namespace {

bool blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n';
}

/// "exclude 4": its bit; 0 for any other word.
std::uint32_t excluded_condition(std::string_view word) noexcept {
    constexpr std::string_view verb = "exclude";
    if (!word.starts_with(verb) || word.size() == verb.size() || !blank(word[verb.size()]))
        return 0;
    word.remove_prefix(verb.size());
    while (blank(word.front())) // the word ends with no blank
        word.remove_prefix(1);
    unsigned number = 0;
    auto const [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
    bool const whole = code == std::errc{} && end == word.data() + word.size();
    return whole && number >= 1 && number <= max_conditions ? bit(number - 1) : 0;
}

} // namespace

FunnelMode parse_funnel_mode(std::string_view text) {
    FunnelMode mode;
    for (std::size_t at = 0; at <= text.size();) {
        std::size_t const comma = std::min(text.find(',', at), text.size());
        std::string_view word = text.substr(at, comma - at);
        while (!word.empty() && blank(word.front()))
            word.remove_prefix(1);
        while (!word.empty() && blank(word.back()))
            word.remove_suffix(1);
        if (word == "strict_once")
            mode.strict_once = true;
        else if (word == "strict_increase")
            mode.strict_increase = true;
        else if (word == "strict_order")
            mode.strict_order = true;
        else if (word == "deduplicated")
            mode.deduplicated = true;
        else if (word == "reentry")
            mode.reentry = true;
        else if (word == "unordered")
            mode.unordered = true;
        else if (std::uint32_t const excluded = excluded_condition(word); excluded != 0)
            mode.excluded |= excluded;
        else if (word != "ordered")
            throw Error(
                ErrorKind::invalid_parameter, "unknown funnel mode \"" + std::string(word) + "\"", "",
                "Modes are ordered, strict_order, strict_once, strict_increase, deduplicated, reentry, "
                "unordered and \"exclude 4\" (a condition's number); several are separated by commas.");
        at = comma + 1;
    }
    if (mode.unordered &&
        (mode.strict_once || mode.strict_increase || mode.strict_order || mode.deduplicated || mode.reentry))
        throw Error(ErrorKind::invalid_parameter, "funnel mode \"unordered\" cannot be combined with another",
                    "", "Use \"unordered\" alone; excluded conditions go with it.");
    if (mode.deduplicated && mode.reentry)
        throw Error(ErrorKind::invalid_parameter,
                    "funnel modes \"deduplicated\" and \"reentry\" contradict each other",
                    "A repeated step ends the chain in the one and is ignored in the other.");
    return mode;
}

} // namespace nurture::analytics
