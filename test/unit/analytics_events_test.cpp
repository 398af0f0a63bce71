// Stored event sets: exact in both forms, and nothing else is accepted.
#include "core/analytics/cohort.hpp"
#include "core/analytics/events.hpp"
#include "core/base/error.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

using namespace nurture;
using namespace nurture::analytics;

namespace {

// The whole range from the first case on (RapidCheck's own grows with the size of the case).
template <class T>
T pick(T least, T end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(least, end));
}

EventSet random_set() {
    EventSet set;
    set.kind = static_cast<TimeKind>(pick(0, 4));
    set.conditions = pick(1u, 33u);
    set.span = *rc::gen::positive<Span>();
    for (int n = pick(0, 20); n > 0; --n) {
        Time at = *rc::gen::oneOf(rc::gen::arbitrary<Time>(), rc::gen::just(never), rc::gen::just(always),
                                  rc::gen::inRange<Time>(-5, 5));
        if (set.kind == TimeKind::date && at != never && at != always)
            at -= at % one_day;
        auto const mask =
            static_cast<std::uint32_t>(*rc::gen::arbitrary<std::uint32_t>()) & low_bits(set.conditions);
        set.events.push_back({at, mask == 0 ? 1u : mask});
    }
    std::sort(set.events.begin(), set.events.end());
    return set;
}

bool same(const EventSet& a, const EventSet& b) {
    return a.kind == b.kind && a.conditions == b.conditions && a.span == b.span && a.pattern == b.pattern &&
           a.events == b.events;
}

CohortSummary random_summary() {
    CohortSummary sum;
    sum.period = {0, 7 * one_day};
    for (int n = pick(0, 6); n > 0; --n) {
        std::set<std::int64_t> periods;
        for (int k = pick(0, 6); k > 0; --k)
            periods.insert(pick<std::int64_t>(-3, 8));
        sum.add(summarize_contact(sum.period, pick<std::int64_t>(-3, 4), {periods.begin(), periods.end()}));
    }
    return sum;
}

} // namespace

TEST(EventSet, BytesAndTextAreExact) {
    EXPECT_TRUE(rc::check([] {
        EventSet const set = random_set();
        RC_ASSERT(same(decode(encode(set)), set));
        RC_ASSERT(same(parse_event_set(print(set)), set));
    }));
}

// Whatever bytes come: either refused, or a value whose bytes they are exactly.
TEST(EventSet, HostileBytesAreRefusedOrCanonical) {
    EXPECT_TRUE(rc::check([] {
        std::string bytes = encode(random_set());
        for (int n = pick(1, 4); n > 0; --n) {
            auto const at = pick<std::size_t>(0, bytes.size());
            switch (pick(0, 3)) {
            case 0:
                bytes[at] = static_cast<char>(pick(0, 256));
                break;
            case 1:
                bytes.resize(at + 1);
                break;
            default:
                bytes.insert(at, 1, static_cast<char>(pick(0, 256)));
            }
        }
        try {
            RC_ASSERT(encode(decode(bytes)) == bytes);
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format);
        }
    }));
}

TEST(EventSet, TextThatIsNoValueIsRefused) {
    for (const char* text :
         {"", "1", "2 timestamptz 1 0 []", "1 timestamptz 1 0 [", "1 timestamptz 1 0 [] ",
          "1 timestamptz 0 0 []", "1 timestamptz 33 0 []", "1 timestamptz 2 -1 []", "1 timestamptz 2 1 [5:4]",
          "1 timestamptz 2 1 [5:0]", "1 timestamptz 2 1 [5:1 4:1]", "1 date 2 1 [5:1]", "1 time 2 1 []",
          "1 bigint 2 1 [99999999999999999999:1]"})
        EXPECT_THROW((void)parse_event_set(text), Error) << text;
    EXPECT_EQ(parse_event_set("1 date 2 1 [0:1 86400000000:3]").events.size(), 2u);
}

TEST(Cohort, BytesAndTextAreExactAndNothingElseIsTaken) {
    EXPECT_TRUE(rc::check([] {
        CohortSummary const summary = random_summary();
        RC_ASSERT(decode_cohorts(encode(summary)) == summary);
        RC_ASSERT(parse_cohorts(print(summary)) == summary);
        std::string bytes = encode(summary);
        bytes[pick<std::size_t>(0, bytes.size())] = static_cast<char>(pick(0, 256));
        try {
            RC_ASSERT(encode(decode_cohorts(bytes)) == bytes);
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format);
        }
    }));
}

TEST(Cohort, PeriodsHoldTheirTimes) {
    EXPECT_TRUE(rc::check([] {
        Period const period = *rc::gen::element(Period{1, 0}, Period{3, 0}, Period{12, 0}, Period{0, one_week},
                                                Period{0, one_day}, Period{0, one_hour}, Period{0, 7});
        Time const at = pick<Time>(-200'000'000 * one_second, 2'000'000'000 * one_second);
        std::int64_t const number = period_of(period, at);
        RC_ASSERT(period_start(period, number) <= at);
        RC_ASSERT(at < period_start(period, number + 1));
    }));
    EXPECT_EQ(period_start({0, one_week}, 0), 2 * one_day); // a Monday
    EXPECT_EQ(period_of({1, 0}, -1), -1);           // December 1999
    EXPECT_THROW((void)make_period({1, 1, 0}), Error);
    EXPECT_THROW((void)make_period({0, 0, 0}), Error);
    EXPECT_THROW((void)make_period({0, -7, 0}), Error);
}

TEST(Cohort, LinesBalance) {
    EXPECT_TRUE(rc::check([] {
        CohortSummary const summary = random_summary();
        CohortLine before;
        for (const CohortLine& line : cohort_lines(summary)) {
            RC_ASSERT(line.active <= line.members);
            if (line.offset > 0) {
                RC_ASSERT(line.active == before.active - line.churned + line.resurrected);
                RC_ASSERT(line.churned >= 0 && line.resurrected >= 0);
            }
            before = line;
        }
    }));
}
