// A million small groups each, against brute force: what a hundred random cases cannot see. The groups go
// through the logs of the aggregates that group by contact themselves, their rows shuffled among each other.
#include "core/analytics/attribution.hpp"
#include "core/analytics/attribution_log.hpp"
#include "core/analytics/cohort_log.hpp"
#include "core/analytics/contact_masks.hpp"
#include "oracles/funnel.hpp"
#include "oracles/sequence.hpp"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <map>
#include <random>
#include <set>

using namespace nurture;
using namespace nurture::analytics;
using namespace nurture::oracles;

namespace {

// Under the sanitizers each group takes twenty times as long.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint32_t groups = 50'000;
#else
constexpr std::uint32_t groups = 1'000'000;
#endif

class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    /// A number from `least` to one less than `end`, the same on every machine.
    template <class T>
    T pick(T least, T end) {
        return static_cast<T>(least + static_cast<T>(engine_() % static_cast<std::uint64_t>(end - least)));
    }
    bool one_in(unsigned n) { return engine_() % n == 0; }
    template <class T>
    void shuffle(std::vector<T>& items) {
        for (std::size_t i = items.size(); i > 1; --i)
            std::swap(items[i - 1], items[engine_() % i]);
    }

private:
    std::mt19937_64 engine_;
};

struct Memory {
    std::pmr::monotonic_buffer_resource resource;
    Budget budget;
};

/// The name of a group: its number, some of them too long for a slot.
class Name {
public:
    explicit Name(std::uint32_t group) {
        char* end = std::to_chars(text_, text_ + 16, group).ptr;
        if (group % 8 == 0)
            end = std::fill_n(end, 20, 'x');
        length_ = static_cast<std::size_t>(end - text_);
    }
    operator std::string_view() const noexcept { return {text_, length_}; }

private:
    char text_[40];
    std::size_t length_;
};

struct GroupRow {
    std::uint32_t group;
    Event event;
};

std::vector<Event> random_rows(Dice& dice, unsigned conditions) {
    std::vector<Event> rows(dice.pick<std::size_t>(0, 6));
    Time const latest = dice.pick<Time>(1, 8);
    for (Event& row : rows) {
        row.at = dice.pick<Time>(0, latest);
        row.mask = bit(dice.pick(0U, conditions));
        if (dice.one_in(3))
            row.mask |= dice.pick(1U, 1U << conditions);
    }
    return rows;
}

/// Groups of random rows, all of them in one log in the end; visit(group, rows) sees the rows as they came.
template <class Visit>
void log_groups(Dice& dice, unsigned conditions, ContactLog& log, Visit visit) {
    std::vector<GroupRow> rows;
    rows.reserve(std::size_t{groups} * 5 / 2);
    for (std::uint32_t group = 0; group < groups; ++group) {
        auto const own = random_rows(dice, conditions);
        visit(group, own);
        for (const Event& event : own)
            rows.push_back({group, event});
    }
    dice.shuffle(rows);
    for (const GroupRow& row : rows)
        log.add(Name(row.group), row.event.at, row.event.mask);
}

FunnelMode random_mode(Dice& dice, unsigned conditions) {
    FunnelMode mode;
    if (dice.one_in(8))
        mode.unordered = true;
    else {
        mode.strict_once = dice.one_in(2);
        mode.strict_increase = dice.one_in(4);
        mode.strict_order = dice.one_in(2);
        mode.deduplicated = dice.one_in(3);
        mode.reentry = !mode.deduplicated && dice.one_in(2);
    }
    if (dice.one_in(3))
        mode.excluded = bit(dice.pick(0U, conditions));
    return mode;
}

// Funnels of one number of conditions and one mode: reached[i] groups have depth i.
void check_funnels(Dice& dice, std::uint32_t count, std::size_t& wrong) {
    unsigned const conditions = dice.pick(1U, 5U);
    Span const span = dice.pick<Span>(0, 8);
    FunnelMode const mode = random_mode(dice, conditions);
    for (; count > 0; --count) {
        auto rows = random_rows(dice, conditions);
        std::sort(rows.begin(), rows.end());
        if (mode.unordered) {
            wrong += funnel_depth(rows, conditions, span, mode) != most_steps(rows, span, mode.excluded);
            continue;
        }
        Best const best = best_funnel(rows, conditions, span, mode);
        FunnelChain const chain = funnel_chain(rows, conditions, span, mode);
        bool const right =
            funnel_depth(rows, conditions, span, mode) == best.depth && chain.depth == best.depth &&
            chain.times.size() == best.depth &&
            (best.depth == 0 || (*chain.times.front() == best.start && *chain.times.back() == best.end));
        wrong += right ? 0 : 1;
    }
}

} // namespace

TEST(MillionGroups, FunnelsInAllModes) {
    Dice dice(1);
    std::size_t wrong = 0;
    for (std::uint32_t done = 0; done < groups; done += 500)
        check_funnels(dice, 500, wrong);
    EXPECT_EQ(wrong, 0U);
}

TEST(MillionGroups, FunnelsOfOneLog) {
    Dice dice(2);
    Memory memory;
    ContactLog log(&memory.resource, memory.budget);
    std::array<std::size_t, 5> expected{}, found{};
    log_groups(dice, 4, log, [&](std::uint32_t, const std::vector<Event>& rows) {
        if (!rows.empty()) // a contact without rows is not known
            ++expected[best_funnel(rows, 4, 3, {}).depth];
    });
    log.for_each_contact([&](std::span<const Event> events) { ++found[funnel_depth(events, 4, 3, {})]; });
    EXPECT_EQ(found, expected);
    EXPECT_GT(expected[4], groups / 100);
}

TEST(MillionGroups, Sequences) {
    Dice dice(3);
    static constexpr const char* gaps[] = {"",          ".*",      "(?t<=2)",     "(?t>=2)",
                                           ".*(?t==1)", "(?t!=2)", "(?t<3)(?t>0)"};
    std::size_t wrong = 0, matching = 0;
    for (std::uint32_t done = 0; done < groups; done += 1000) {
        unsigned const conditions = dice.pick(1U, 4U);
        std::string text;
        for (int n = dice.pick(1, 5), i = 0; i < n; ++i) {
            if (i > 0)
                text += gaps[dice.pick<std::size_t>(0, std::size(gaps))];
            text += dice.one_in(6) ? "." : "(?" + std::to_string(dice.pick(1U, conditions + 1)) + ")";
        }
        Pattern const pattern = parse_pattern(text, true);
        for (int i = 0; i < 1000; ++i) {
            auto rows = random_rows(dice, conditions);
            std::sort(rows.begin(), rows.end());
            std::size_t const expected = most_matches(pattern, rows);
            matching += expected > 0 ? 1 : 0;
            bool const right = sequence_count(pattern, rows) == expected &&
                               sequence_matches(pattern, rows) == (expected > 0) &&
                               sequence_events(pattern, rows) == canonical_match(pattern, rows);
            wrong += right ? 0 : 1;
        }
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_GT(matching, groups / 10);
}

TEST(MillionGroups, RetentionAndCohorts) {
    Dice dice(4);
    Memory memory;
    Period const period{0, 3};
    ContactLog rows(&memory.resource, memory.budget);
    ContactMasks masks(&memory.resource, memory.budget);
    CohortLog cohorts(period, &memory.resource, memory.budget);
    std::vector<std::int64_t> held(4, 0);
    CohortSummary expected;
    expected.period = period;
    log_groups(dice, 4, rows, [&](std::uint32_t group, const std::vector<Event>& own) {
        std::uint32_t all = 0;
        std::set<std::int64_t> active;
        for (const Event& event : own) {
            masks.add(Name(group), event.mask);
            cohorts.add(Name(group), event.at);
            all |= event.mask;
            active.insert(period_of(period, event.at));
        }
        for (unsigned i = 0; i < 4; ++i)
            held[i] += (all & 1) != 0 && (all >> i & 1) != 0 ? 1 : 0;
        if (active.empty())
            return;
        ++expected.members[*active.begin()];
        for (auto const number : active) {
            CohortCell& cell = expected.cells[{*active.begin(), number - *active.begin()}];
            ++cell.active;
            cell.retained += active.count(number - 1) > 0 ? 1 : 0;
        }
    });
    EXPECT_EQ(masks.retained(4), held);
    EXPECT_EQ(cohorts.summary([] {}), expected);
}

namespace {

using Kind = AttributionModel::Kind;
constexpr std::string_view channels[] = {"ad", "direct", "mail", "print", "search"};
constexpr Kind rule_models[] = {Kind::first,    Kind::last,       Kind::last_non_direct, Kind::linear,
                                Kind::position, Kind::time_decay, Kind::shapley};

std::vector<double> weights_of(const std::vector<std::pair<Time, std::size_t>>& path, Kind kind) {
    std::size_t const n = path.size();
    std::vector<double> weights(n, 0);
    std::size_t last = n - 1;
    switch (kind) {
    case Kind::first:
        weights[0] = 1;
        break;
    case Kind::last_non_direct:
        for (std::size_t i = n; i-- > 0;)
            if (channels[path[i].second] != "direct") {
                last = i;
                break;
            }
        [[fallthrough]];
    case Kind::last:
        weights[last] = 1;
        break;
    case Kind::position:
        for (std::size_t i = 0; i < n; ++i)
            weights[i] = n <= 2 ? 1 : i == 0 || i == n - 1 ? 0.4 : 0.2 / static_cast<double>(n - 2);
        break;
    case Kind::time_decay:
        for (std::size_t i = 0; i < n; ++i)
            weights[i] = std::exp2(-static_cast<double>(path[n - 1].first - path[i].first) / 7);
        break;
    case Kind::shapley: // a channel's share at its first place
        for (std::size_t i = 0; i < n; ++i)
            weights[i] = std::none_of(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i),
                                      [&](auto const& touch) { return touch.second == path[i].second; });
        break;
    default:
        weights.assign(n, 1);
    }
    double sum = 0;
    for (double const weight : weights)
        sum += weight;
    for (double& weight : weights)
        weight /= sum;
    return weights;
}

} // namespace

// The two ways to a summary agree to the byte, and its rule models with crediting path by path.
TEST(MillionGroups, AttributionByRules) {
    Dice dice(5);
    Memory memory;
    Attribution attribution(&memory.resource);
    AttributionLog log(never, &memory.resource, memory.budget);
    std::map<Kind, std::array<double, std::size(channels)>> expected;
    double without_path = 0;
    for (std::uint32_t group = 0; group < groups; ++group) {
        std::vector<std::pair<Time, std::size_t>> touches(dice.pick<std::size_t>(0, 6));
        for (auto& touch : touches)
            touch = {dice.pick<Time>(0, 30), dice.pick<std::size_t>(0, std::size(channels))};
        std::int64_t const conversions = dice.pick<std::int64_t>(0, 3);
        Wide const value = conversions * dice.pick<std::int64_t>(-5, 1000);
        for (auto const& [at, channel] : touches)
            log.add_touch(Name(group), at, channels[channel]);
        if (conversions > 0)
            log.add_conversion(Name(group), 30, conversions, value);
        std::sort(touches.begin(), touches.end()); // the channels' order is that of their names
        Path path;
        for (auto const& [at, channel] : touches)
            path.push_back({at, channels[channel]});
        if (conversions > 0 || !path.empty())
            attribution.add(path, {conversions, conversions == 0 ? 1 : 0, value});
        if (touches.empty()) {
            without_path += static_cast<double>(conversions);
            continue;
        }
        for (Kind const kind : rule_models) {
            auto const weights = weights_of(touches, kind);
            for (std::size_t i = 0; i < touches.size(); ++i)
                expected[kind][touches[i].second] += weights[i] * static_cast<double>(conversions);
        }
    }
    std::string const bytes = attribution.encode();
    EXPECT_EQ(log.summary([] {}), bytes);
    for (Kind const kind : rule_models) {
        AttributionModel model;
        model.kind = kind;
        model.half_life = 7;
        auto const credits = attribute(decode_attribution(bytes), model);
        ASSERT_EQ(credits.size(), std::size(channels) + 1);
        for (std::size_t i = 0; i < std::size(channels); ++i)
            EXPECT_NEAR(static_cast<double>(credits[i].conversions) / 1e6, expected[kind][i], 1e-4)
                << channels[i] << " by model " << static_cast<int>(kind);
        EXPECT_EQ(static_cast<double>(credits.back().conversions) / 1e6, without_path);
        // Those that need no ages do not miss them.
        if (kind != Kind::time_decay) {
            auto const brief = attribute(decode_attribution(bytes, Detail::without_ages), model);
            for (std::size_t i = 0; i < credits.size(); ++i)
                EXPECT_TRUE(brief[i].conversions == credits[i].conversions &&
                            brief[i].value == credits[i].value);
        }
    }
}
