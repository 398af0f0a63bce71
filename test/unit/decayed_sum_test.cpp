#include "core/base/decayed_sum.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <boost/multiprecision/cpp_dec_float.hpp>

#include "core/analytics/decayed.hpp"
#include "core/base/error.hpp"
#include "core/base/exp2.hpp"

namespace nurture {
namespace {

using Exact = boost::multiprecision::cpp_dec_float_100;

struct Entry {
    Time at;
    std::int64_t amount;
};

Exact to_exact(Wide value) {
    bool const negative = value < 0;
    auto const magnitude =
        negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
    Exact const result = Exact(static_cast<std::uint64_t>(magnitude >> 64)) * pow(Exact(2), 64) +
                         Exact(static_cast<std::uint64_t>(magnitude));
    return negative ? -result : result;
}

std::vector<Entry> any_history(Span half_life) {
    auto const count = *rc::gen::inRange(0, 30);
    std::vector<Entry> entries;
    for (int i = 0; i < count; ++i)
        entries.push_back({*rc::gen::inRange<Time>(-60 * half_life, 60 * half_life),
                           *rc::gen::inRange<std::int64_t>(-5'000'000, 50'000'000)});
    return entries;
}

Span any_half_life() {
    return *rc::gen::elementOf(
        std::vector<Span>{one_second, one_hour, one_day, 14 * one_day, 365 * one_day, 7 * one_day + 1, Span{999'983}});
}

DecayedSum fold(Span half_life, const std::vector<Entry>& entries) {
    DecayedSum sum(half_life);
    for (auto const& entry : entries)
        sum.add(entry.at, entry.amount);
    return sum;
}

TEST(Exp2, IsCloseToTheTruth) {
    EXPECT_TRUE(rc::check([] {
        auto const fraction = *rc::gen::arbitrary<std::uint64_t>();
        Exact const truth = pow(Exact(2), Exact(fraction) / pow(Exact(2), 64));
        Exact const error = abs(Exact(exp2_q63(fraction)) / pow(Exact(2), 63) - truth);
        RC_ASSERT(error < pow(Exact(2), -56));
    }));
    EXPECT_EQ(exp2_q63(0), std::uint64_t{1} << 63);
}

TEST(DecayedSum, HalvesWithEachHalfLife) {
    DecayedSum sum(14 * one_day);
    sum.add(0, 100 * micro_one);
    EXPECT_TRUE(sum.value_at(0) == 100 * micro_one);
    EXPECT_TRUE(sum.value_at(14 * one_day) == 50 * micro_one);
    EXPECT_TRUE(sum.value_at(28 * one_day) == 25 * micro_one);
    EXPECT_TRUE(sum.value_at(7 * one_day) == 70'710'678);
    EXPECT_TRUE(sum.value_at(-14 * one_day) == 200 * micro_one);
    EXPECT_TRUE(sum.value_at(never) == 0);
    EXPECT_TRUE(DecayedSum(one_day).value_at(0) == 0);
}

TEST(DecayedSum, RoundsHalfAwayFromZero) {
    for (int const sign : {1, -1}) {
        DecayedSum sum(one_day);
        sum.add(0, sign);
        EXPECT_TRUE(sum.value_at(one_day) == sign);
        EXPECT_TRUE(sum.value_at(one_day + 1) == 0);
    }
}

TEST(DecayedSum, AgreesWithTheFormulaInAHundredDigits) {
    EXPECT_TRUE(rc::check([] {
        Span const half_life = any_half_life();
        auto const entries = any_history(half_life);
        auto const sum = fold(half_life, entries);
        Time newest = -61 * half_life;
        for (auto const& entry : entries)
            newest = std::max(newest, entry.at);
        Time const at = newest + *rc::gen::inRange<Span>(0, 20 * half_life);
        Exact truth = 0;
        Exact magnitude = 0;
        for (auto const& entry : entries) {
            Exact const part = Exact(entry.amount) * pow(Exact(2), Exact(entry.at - at) / Exact(half_life));
            truth += part;
            magnitude += abs(part);
        }
        RC_ASSERT(abs(to_exact(sum.value_at(at)) - truth) <=
                  Exact("0.5000001") + magnitude * Exact("4.6e-13"));
    }));
}

TEST(DecayedSum, DependsOnTheSetOnly) {
    EXPECT_TRUE(rc::check([] {
        Span const half_life = any_half_life();
        auto entries = any_history(half_life);
        auto const sum = fold(half_life, entries);
        auto const cut = *rc::gen::inRange<std::size_t>(0, entries.size() + 1);
        for (std::size_t i = entries.size(); i > 1; --i)
            std::swap(entries[i - 1], entries[*rc::gen::inRange<std::size_t>(0, i)]);
        auto left = fold(half_life, {entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(cut)});
        auto right = fold(half_life, {entries.begin() + static_cast<std::ptrdiff_t>(cut), entries.end()});
        auto other_way = right;
        other_way.merge(left);
        left.merge(right);
        RC_ASSERT(left.encode() == sum.encode());
        RC_ASSERT(other_way.encode() == sum.encode());
    }));
}

// The newest period decides what is dropped, even when its amounts cancel out.
TEST(DecayedSum, CancellingAmountsDoNotBringBackWhatWasDropped) {
    std::vector<Entry> entries{{100 * one_day, 5}, {100 * one_day, -5}, {10 * one_day, 7}};
    auto const first = fold(one_day, entries);
    std::rotate(entries.begin(), entries.begin() + 2, entries.end());
    EXPECT_EQ(first.encode(), fold(one_day, entries).encode());
    EXPECT_TRUE(first.value_at(10 * one_day) == 0);
    EXPECT_FALSE(first.empty());
}

TEST(DecayedSum, NeverGrowsWithTime) {
    EXPECT_TRUE(rc::check([] {
        Span const half_life = *rc::gen::elementOf(std::vector<Span>{
            Span{1}, Span{3}, one_second, 14 * one_day + 1, 30 * 365 * one_day, Span{DecayedSum::max_half_life}});
        DecayedSum sum(half_life);
        sum.add(*rc::gen::inRange<Time>(0, std::min<Span>(9 * half_life, 250 * 365 * one_day) + 1),
                *rc::gen::inRange<std::int64_t>(1, INT64_MAX));
        // Around period boundaries and anywhere.
        Time const base = *rc::gen::elementOf(std::vector<Time>{Time{1}, Time{2}, Time{3}, Time{50}}) *
                              std::min<Span>(half_life, 100 * 365 * one_day) +
                          *rc::gen::inRange<Time>(-3, 3) +
                          *rc::gen::elementOf(std::vector<Time>{Time{0}, half_life / 2, half_life / 3});
        Wide last = sum.value_at(base);
        for (Time t = base + 1; t < base + 20; ++t) {
            Wide const value = sum.value_at(t);
            RC_ASSERT(value <= last);
            last = value;
        }
    }));
}

TEST(DecayedSum, OrderHoldsAtAllTimes) {
    EXPECT_TRUE(rc::check([] {
        Span const half_life = any_half_life();
        auto const a = fold(half_life, any_history(half_life));
        auto const b = fold(half_life, any_history(half_life));
        auto const order = a.compare(b);
        RC_ASSERT(b.compare(a) == (0 <=> order));
        RC_ASSERT(a.compare(a) == std::strong_ordering::equal);
        for (Time const at : {-10 * half_life, Time{0}, 55 * half_life + 7}) {
            if (order < 0)
                RC_ASSERT(a.value_at(at) <= b.value_at(at));
            if (order > 0)
                RC_ASSERT(a.value_at(at) >= b.value_at(at));
        }
    }));
    // The same value written in different periods: 2 a day ago is 1 today.
    DecayedSum a(one_day);
    DecayedSum b(one_day);
    a.add(0, 2);
    b.add(one_day, 1);
    EXPECT_TRUE(a.compare(b) == std::strong_ordering::equal);
    b.add(one_day - 1, 1);
    EXPECT_TRUE(a.compare(b) == std::strong_ordering::less);
    EXPECT_TRUE(DecayedSum(one_day).compare(DecayedSum(2 * one_day)) == std::strong_ordering::less);
}

// The frame moves: rows leave in the order they came, and what remains is as if added up anew.
TEST(MovingDecayed, AgreesWithAddingUpTheFrame) {
    EXPECT_TRUE(rc::check([] {
        Span const half_life = any_half_life();
        auto entries = any_history(half_life);
        if (*rc::gen::arbitrary<bool>())
            std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.at < b.at; });
        analytics::MovingDecayed moving(half_life, std::pmr::get_default_resource());
        std::size_t from = 0;
        for (std::size_t to = 0; to < entries.size(); ++to) {
            moving.add(entries[to].at, entries[to].amount);
            while (from < to && *rc::gen::inRange(0, 3) == 0) {
                if (!moving.try_remove(entries[from].at, entries[from].amount)) {
                    moving = analytics::MovingDecayed(half_life, std::pmr::get_default_resource());
                    for (std::size_t i = from + 1; i <= to; ++i)
                        moving.add(entries[i].at, entries[i].amount);
                }
                ++from;
            }
            std::vector<Entry> const frame(entries.begin() + static_cast<std::ptrdiff_t>(from),
                                           entries.begin() + static_cast<std::ptrdiff_t>(to) + 1);
            RC_ASSERT(moving.mean().sum().encode() == fold(half_life, frame).encode());
        }
    }));
}

TEST(DecayedMean, AgreesWithTheFormula) {
    EXPECT_TRUE(rc::check([] {
        Span const half_life = any_half_life();
        auto entries = any_history(half_life);
        RC_PRE(!entries.empty());
        analytics::DecayedMean mean(half_life, std::pmr::get_default_resource());
        Exact above = 0;
        Exact below = 0;
        for (auto const& entry : entries) {
            mean.add(entry.at, entry.amount);
            Exact const weight = pow(Exact(2), Exact(entry.at) / Exact(half_life));
            above += weight * entry.amount;
            below += weight;
        }
        RC_ASSERT(abs(to_exact(mean.mean()) - above / below) < Exact("0.51"));
    }));
}

TEST(DecayedText, ComesBack) {
    DecayedSum sum(90 * one_minute);
    EXPECT_EQ(analytics::print_decayed(sum), "90 minutes:");
    sum.add(0, 1);
    sum.add(-180 * one_minute, -3);
    EXPECT_EQ(analytics::print_decayed(sum), "90 minutes: -2=-3298534883328 0=1099511627776");
    EXPECT_EQ(analytics::print_half_life(1), "1 microsecond");
    EXPECT_EQ(analytics::print_half_life(one_day), "1 day");
    EXPECT_TRUE(rc::check([] {
        Span const half_life = any_half_life();
        auto const any = fold(half_life, any_history(half_life));
        RC_ASSERT(analytics::parse_decayed(analytics::print_decayed(any)).same_as(any));
    }));
    for (auto const* text :
         {"", "14", "14 days", "14 fortnights:", "0 days:", "1 day: 5", "1 day: 5=", "1 day: 5=1x",
          "1 day: 5=1 4=1", "1 day: 5=1 5=1", "1 day: 5=0 6=1", "1 day: 1=1 65=1",
          "99999 days:", "1 day: 5=170141183460469231731687303715884105728", "1 day: 9223372036854775808=1"})
        EXPECT_THROW((void)analytics::parse_decayed(text), Error) << text;
}

TEST(DecayedSum, BytesComeBack) {
    EXPECT_TRUE(rc::check([] {
        Span const half_life = any_half_life();
        auto const sum = fold(half_life, any_history(half_life));
        auto const back = DecayedSum::decode(sum.encode());
        RC_ASSERT(back.same_as(sum));
    }));
    DecayedSum edge(1);
    edge.add(INT64_MIN, INT64_MIN);
    EXPECT_TRUE(DecayedSum::decode(edge.encode()).same_as(edge));
    edge.add(INT64_MAX, INT64_MAX);
    EXPECT_TRUE(DecayedSum::decode(edge.encode()).same_as(edge));
    EXPECT_EQ(edge.buckets().size(), 1U);
}

// Whatever bytes come in: refused, or the very bytes that encode writes.
TEST(DecayedSum, HostileBytesAreRefused) {
    EXPECT_TRUE(rc::check([] {
        std::string bytes;
        if (*rc::gen::arbitrary<bool>()) {
            bytes = fold(one_day, any_history(one_day)).encode();
            for (int i = *rc::gen::inRange(1, 4); i > 0 && !bytes.empty(); --i) {
                auto const place = *rc::gen::inRange<std::size_t>(0, bytes.size());
                if (*rc::gen::arbitrary<bool>())
                    bytes[place] = *rc::gen::arbitrary<char>();
                else
                    bytes.erase(place, *rc::gen::inRange<std::size_t>(1, 4));
            }
        } else {
            bytes = '\1' + *rc::gen::string<std::string>();
        }
        try {
            RC_ASSERT(DecayedSum::decode(bytes).encode() == bytes);
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format);
        }
    }));
    EXPECT_THROW((void)DecayedSum::decode(""), Error);
    EXPECT_THROW((void)DecayedSum::decode(fold(one_day, {{0, 5}, {one_day, 6}}).encode() + '\0'), Error);
}

TEST(DecayedSum, LimitsAreErrors) {
    EXPECT_THROW(DecayedSum(0), Error);
    EXPECT_THROW(DecayedSum(-one_day), Error);
    EXPECT_THROW(DecayedSum(DecayedSum::max_half_life + 1), Error);
    EXPECT_NO_THROW(DecayedSum(DecayedSum::max_half_life));
    DecayedSum sum(one_day);
    EXPECT_THROW(sum.add(0, static_cast<Wide>(1) << 90), Error);
    sum.add(100 * one_day, INT64_MAX);
    EXPECT_THROW((void)sum.value_at(-100 * one_day), Error);
    EXPECT_NO_THROW((void)sum.value_at(50 * one_day));
    DecayedSum other(2 * one_day);
    EXPECT_THROW(sum.merge(other), Error);
}

} // namespace
} // namespace nurture
