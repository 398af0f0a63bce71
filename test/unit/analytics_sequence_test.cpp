// Sequences against an oracle that tries every order of tied rows and every choice of events.
#include "core/analytics/matching.hpp"
#include "core/analytics/next_node.hpp"
#include "core/analytics/sequence.hpp"
#include "core/base/error.hpp"
#include "oracles/sequence.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <functional>

using namespace nurture;
using namespace nurture::analytics;
using namespace nurture::oracles;

namespace {

// The whole range from the first case on (RapidCheck's own grows with the size of the case).
template <class T>
T pick(T least, T end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(least, end));
}

std::string random_pattern(unsigned conditions) {
    std::string text;
    int const n = pick(1, 5);
    for (int i = 0; i < n; ++i) {
        if (i > 0) {
            if (pick(0, 2) == 0)
                text += ".*";
            if (pick(0, 3) == 0)
                text += "(?t" + *rc::gen::element<std::string>("<=", ">=", "==", "!=", "<", ">") +
                        std::to_string(pick(1, 5)) + ")";
            if (pick(0, 8) == 0)
                text += "(?t!=2)";
        }
        text += pick(0, 5) == 0 ? "." : "(?" + std::to_string(pick(1u, conditions + 1)) + ")";
    }
    return text;
}

std::vector<Event> random_events(unsigned conditions, Time latest) {
    std::vector<Event> events;
    for (auto n = pick(0, 7); n > 0; --n) {
        std::uint32_t mask = bit(pick(0u, conditions));
        if (pick(0, 3) == 0)
            mask |= pick(1u, 1u << conditions);
        events.push_back({pick<Time>(0, latest), mask});
    }
    std::sort(events.begin(), events.end());
    return events;
}

void check_random(Time latest) {
    unsigned const conditions = pick(1u, 4u);
    std::string const text = random_pattern(conditions);
    RC_LOG() << text << "\n";
    Pattern const pattern = parse_pattern(text, true);
    auto const events = random_events(conditions, latest);
    for (const Event& event : events)
        RC_LOG() << event.at << ":" << event.mask << " ";
    std::size_t const expected = most_matches(pattern, events);
    RC_ASSERT(sequence_count(pattern, events) == expected);
    RC_ASSERT(sequence_matches(pattern, events) == (expected > 0));
    RC_ASSERT(sequence_events(pattern, events) == canonical_match(pattern, events));
}

double seconds_for(const char* text, const std::vector<Event>& events, std::size_t* count = nullptr) {
    Pattern const pattern = parse_pattern(text, true);
    auto const begin = std::chrono::steady_clock::now();
    std::size_t const n = sequence_count(pattern, events);
    if (count != nullptr)
        *count = n;
    (void)sequence_events(pattern, events);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace

TEST(Sequence, AgreesWithAllMatchesEnumerated) {
    EXPECT_TRUE(rc::check("times spread", [] {
        for (int i = 0; i < 60; ++i)
            check_random(12);
    }));
    EXPECT_TRUE(rc::check("many ties", [] {
        for (int i = 0; i < 60; ++i)
            check_random(pick<Time>(1, 4));
    }));
}

TEST(Sequence, TimeIsMeasuredBetweenTheMatchedEvents) {
    std::vector<Event> const events{{0, 1}, {10, 4}, {30, 2}};
    EXPECT_TRUE(sequence_matches(parse_pattern("(?1).*(?t<=30)(?2)", true), events));
    EXPECT_FALSE(sequence_matches(parse_pattern("(?1).*(?t<=29)(?2)", true), events));
    EXPECT_TRUE(sequence_matches(parse_pattern("(?1)(?t>=30)(?2)", true), events));
    EXPECT_FALSE(sequence_matches(parse_pattern("(?1)(?2)", true), events));
    EXPECT_TRUE(sequence_matches(parse_pattern("(?1).(?2)", true), events));
}

// What was under way when a match was completed has overlapped it and must not go on, tied rows or not.
TEST(Sequence, MatchesDoNotOverlap) {
    Pattern const pattern = parse_pattern("(?1).*(?2).*(?3).*(?4)", true);
    std::vector<Event> const events{{1, 1}, {2, 2}, {3, 4}, {4, 2}, {4, 8}, {5, 4}, {6, 8}};
    EXPECT_EQ(sequence_count(pattern, events), 1u);
}

TEST(Sequence, UnitsAreExact) {
    EXPECT_EQ(parse_pattern("(?1)(?t<=0.000001)(?1)", false).gaps[0].most, 1u);
    EXPECT_EQ(parse_pattern("(?1)(?t<=1.5h)(?1)", false).gaps[0].most, 5'400'000'000u);
    EXPECT_EQ(parse_pattern("(?1)(?t>2min)(?1)", false).gaps[0].least, 120'000'001u);
}

TEST(Sequence, PatternErrorsNameThePlace) {
    auto const offset = [](const char* text) {
        try {
            (void)parse_pattern(text, false);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::syntax);
            EXPECT_FALSE(error.hint.empty());
            EXPECT_NE(error.detail.find("At character "), std::string::npos);
            return error.offset;
        }
        return std::int64_t{-1};
    };
    EXPECT_EQ(offset(""), 0);
    EXPECT_EQ(offset("(?1)x"), 4);
    EXPECT_EQ(offset("(?"), 2);
    EXPECT_EQ(offset("(?1"), 3);
    EXPECT_EQ(offset("(?0)"), 2);
    EXPECT_EQ(offset("(?33)"), 2);
    EXPECT_EQ(offset("(?99999999999999999999)"), 2);
    EXPECT_EQ(offset("(?t<=1)(?1)"), 0);
    EXPECT_EQ(offset("(?1)(?t<=1)"), 4);
    EXPECT_EQ(offset("(?1)(?t1)(?1)"), 7);
    EXPECT_EQ(offset("(?1)(?t<=)(?1)"), 9);
    EXPECT_EQ(offset("(?1)(?t<=1.2.3)(?1)"), 9);
    EXPECT_EQ(offset("(?1)(?t<=1x)(?1)"), 10);
    EXPECT_EQ(offset("(?1)(?t<=0.0000001)(?1)"), 9);
    EXPECT_EQ(offset("(?1)(?t<=99999999999999999999)(?1)"), 9);
    EXPECT_EQ(offset("(?1)(?t<0)(?1)"), 4);
    EXPECT_EQ(offset(".*"), 0);
    EXPECT_THROW(check_conditions(parse_pattern("(?3)", false), 2), Error);
}

// No pattern makes a million events take long: the searches that backtrack need hours for some of these.
TEST(Sequence, NoPatternIsSlow) {
    std::vector<Event> events;
    for (Time i = 0; i < 1'000'000; ++i)
        events.push_back({i, 1});
    for (const char* text :
         {"(?1).*(?1).*(?1).*(?1).*(?2)", "(?1)(?1)(?1)(?1)(?2)", "(?1)(?t>=10).*(?1)(?t!=3)(?2)",
          "(?1).(?1).(?1).(?2)", "(?1)(?t<=1000)(?1)(?t<=1000)(?1)(?t==7)(?2)"}) {
        std::size_t count = 1;
        EXPECT_LT(seconds_for(text, events, &count), 2.0) << text;
        EXPECT_EQ(count, 0u) << text;
    }
    for (Event& event : events)
        event.at = 0;
    std::size_t count = 0;
    EXPECT_LT(seconds_for("(?1).*(?1)(?1)", events, &count), 2.0);
    EXPECT_EQ(count, 333'333u);
}

TEST(NextNode, AgreesWithThePathWrittenOut) {
    EXPECT_TRUE(rc::check([] {
        unsigned const steps = pick(1u, 4u);
        std::vector<Node> nodes;
        static constexpr std::string_view names[] = {"a", "b", "c", "d"};
        for (int n = pick(0, 9); n > 0; --n) {
            Node node;
            node.at = pick<Time>(0, 6);
            if (pick(0, 5) != 0)
                node.value = names[pick(0, 4)];
            node.mask = pick(0u, 1u << steps);
            node.base = pick(0, 3) != 0;
            nodes.push_back(node);
        }
        std::sort(nodes.begin(), nodes.end(), before);
        bool const forward = *rc::gen::arbitrary<bool>();
        auto const base = static_cast<Base>(pick(0, 4));
        // All places where the path stands, as a list of start positions.
        std::vector<std::ptrdiff_t> starts;
        auto const size = static_cast<std::ptrdiff_t>(nodes.size());
        for (std::ptrdiff_t start = 0; start < size; ++start) {
            bool fits = nodes[static_cast<std::size_t>(start)].base;
            for (unsigned step = 0; step < steps; ++step) {
                std::ptrdiff_t const i = forward ? start + step : start - static_cast<std::ptrdiff_t>(step);
                fits =
                    fits && i >= 0 && i < size && (nodes[static_cast<std::size_t>(i)].mask >> step & 1) != 0;
            }
            if (fits)
                starts.push_back(start);
        }
        std::ptrdiff_t expected = -1;
        if (!starts.empty()) {
            std::ptrdiff_t const start =
                base == Base::head || base == Base::first_match ? starts.front() : starts.back();
            bool const allowed =
                (base != Base::head || start == 0) && (base != Base::tail || start == size - 1);
            std::ptrdiff_t const next = forward ? start + steps : start - static_cast<std::ptrdiff_t>(steps);
            if (allowed && next >= 0 && next < size)
                expected = next;
        }
        auto const got = next_node(nodes, steps, forward ? Direction::forward : Direction::backward, base);
        RC_ASSERT((got ? static_cast<std::ptrdiff_t>(*got) : -1) == expected);
    }));
}
