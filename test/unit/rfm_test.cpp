#include "core/analytics/rfm.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace nurture::analytics {
namespace {

// Type 7 by its definition, in fifths.
TEST(RfmQuintiles, AgreeWithTheDefinition) {
    EXPECT_TRUE(rc::check([] {
        auto const values = *rc::gen::nonEmpty(
            rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(-50, 1000)));
        auto sorted = values;
        std::sort(sorted.begin(), sorted.end());
        auto const cuts = five_quintile_cuts({values.begin(), values.end()});
        for (std::size_t k = 1; k <= 4; ++k) {
            long double const h = static_cast<long double>((sorted.size() - 1) * k) / 5;
            auto const i = static_cast<std::size_t>(h);
            auto const next = std::min(i + 1, sorted.size() - 1);
            auto const expected =
                static_cast<long double>(sorted[i]) +
                (h - static_cast<long double>(i)) * static_cast<long double>(sorted[next] - sorted[i]);
            RC_ASSERT(std::abs(static_cast<long double>(cuts[k - 1]) / 5 - expected) < 1e-9L);
        }
    }));
}

TEST(RfmQuintiles, BytesComeBack) {
    RfmPopulation population(std::pmr::get_default_resource());
    for (int i = 0; i < 100; ++i)
        population.add(i * i * one_second, 100 - i, (i % 7) * Wide{12'345'678});
    RfmPopulation other(std::pmr::get_default_resource());
    other.merge(population.encode());
    EXPECT_EQ(other.encode(), population.encode());
    EXPECT_TRUE(other.cuts().recency == population.cuts().recency);
    EXPECT_THROW(other.merge("\xff"), Error);
}

TEST(Rfm, CountsWhatWasBoughtByThen) {
    Rfm rfm;
    rfm.add(5 * one_day, 2 * micro_one, 10 * one_day);
    rfm.add(11 * one_day, 100 * micro_one, 10 * one_day);
    rfm.add(10 * one_day, 3 * micro_one, 10 * one_day);
    EXPECT_EQ(rfm.frequency(), 2);
    EXPECT_EQ(rfm.last(), 10 * one_day);
    EXPECT_TRUE(rfm.money() == 5 * micro_one);
    EXPECT_THROW(rfm.add(1, 1, 9 * one_day), Error);
    EXPECT_EQ(Rfm::decode(rfm.encode()).encode(), rfm.encode());
}

} // namespace
} // namespace nurture::analytics
