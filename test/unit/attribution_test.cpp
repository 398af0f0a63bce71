#include "core/analytics/attribution.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "core/base/error.hpp"
#include "core/base/iso_time.hpp"

namespace nurture::analytics {
namespace {

using Kind = AttributionModel::Kind;

struct Row {
    Path path;
    Outcome outcome;
};

const char* const names[] = {"direct", "email", "paid search", "social", "x"};

std::vector<Row> any_rows(std::size_t channels = 5) {
    std::vector<Row> rows(static_cast<std::size_t>(*rc::gen::inRange(0, 25)));
    for (auto& row : rows) {
        for (int i = *rc::gen::inRange(0, 5); i > 0; --i)
            row.path.push_back({*rc::gen::inRange<Time>(0, 4) * one_day,
                                names[*rc::gen::inRange<std::size_t>(0, channels)]});
        canonicalize(row.path);
        row.outcome.conversions = *rc::gen::inRange<std::int64_t>(0, 3);
        row.outcome.nulls = *rc::gen::inRange<std::int64_t>(0, 3);
        if (row.outcome.conversions > 0)
            row.outcome.value = *rc::gen::inRange<std::int64_t>(-1'000'000, 100'000'000);
    }
    return rows;
}

std::string summary(const std::vector<Row>& rows) {
    Attribution state(std::pmr::get_default_resource());
    for (auto const& row : rows)
        state.add(row.path, row.outcome);
    return state.encode();
}

std::map<std::string, Credit> credits(const std::vector<Row>& rows, const AttributionModel& model) {
    std::map<std::string, Credit> result;
    for (auto& credit : attribute(decode_attribution(summary(rows)), model))
        result[credit.channel.value_or("")] = credit;
    return result;
}

AttributionModel model_of(Kind kind) {
    AttributionModel model;
    model.kind = kind;
    return model;
}

double per_million(Wide micros) {
    return static_cast<double>(micros) / 1e6;
}

TEST(Path, BytesAndTextComeBack) {
    EXPECT_TRUE(rc::check([] {
        PathBuilder builder(std::pmr::get_default_resource());
        for (int i = *rc::gen::inRange(1, 20); i > 0; --i) {
            auto name = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)));
            builder.add(*rc::gen::inRange<Time>(-400'000 * one_day, 100'000 * one_day), name.substr(0, 100));
        }
        Path const path = builder.path();
        std::string const bytes = encode_path(path);
        RC_ASSERT(encode_path(decode_path(bytes)) == bytes);
        std::pmr::monotonic_buffer_resource memory;
        RC_ASSERT(encode_path(parse_path(print_path(path), &memory)) == bytes);
    }));
}

TEST(Path, EqualTimesAreOrderedByName) {
    PathBuilder one(std::pmr::get_default_resource());
    PathBuilder other(std::pmr::get_default_resource());
    one.add(5, "b");
    one.add(5, "a");
    other.add(5, "a");
    other.add(5, "b");
    EXPECT_EQ(encode_path(one.path()), encode_path(other.path()));
    EXPECT_EQ(one.path()[0].channel, "a");
}

TEST(Path, HostileBytesAreRefused) {
    EXPECT_TRUE(rc::check([] {
        Path path{{3, "a"}, {3, "b"}, {700, "a"}};
        std::string bytes = encode_path(path);
        for (int i = *rc::gen::inRange(1, 4); i > 0; --i)
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
        bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 2));
        try {
            RC_ASSERT(encode_path(decode_path(bytes)) == bytes);
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format);
        }
    }));
}

TEST(IsoTime, ComesBackAndRefusesWhatIsNoTime) {
    EXPECT_EQ(print_iso_time(0), "2000-01-01T00:00:00Z");
    EXPECT_EQ(print_iso_time(-1), "1999-12-31T23:59:59.999999Z");
    EXPECT_EQ(print_iso_time((31 + 29) * one_day + 500'000), "2000-03-01T00:00:00.5Z");
    EXPECT_EQ(parse_iso_time("2024-02-29 12:00:00"), std::optional<Time>((8825) * one_day + 12 * one_hour));
    for (auto const* text :
         {"2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-01", "2023-01-01T24:00:00Z", ""})
        EXPECT_EQ(parse_iso_time(text), std::nullopt) << text;
    EXPECT_TRUE(rc::check([] {
        auto const at = *rc::gen::arbitrary<Time>();
        RC_ASSERT(parse_iso_time(print_iso_time(at)) == at);
    }));
}

// The example of S. Bryl', "Attribution model with R (part 1: Markov chains concept)", analyzecore.com, 2016:
// C1 > C2 > C3 > purchase, C1 > null, C2 > C3 > null: removal effects 0.5, 1, 1.
TEST(Attribution, MarkovAgreesWithThePublishedExample) {
    std::vector<Row> rows{{{{0, "C1"}, {1, "C2"}, {2, "C3"}}, {1, 0, 0}},
                          {{{0, "C1"}}, {0, 1, 0}},
                          {{{0, "C2"}, {1, "C3"}}, {0, 1, 0}}};
    auto const result = credits(rows, model_of(Kind::markov));
    EXPECT_NEAR(*result.at("C1").removal_effect, 0.5, 1e-14);
    EXPECT_NEAR(*result.at("C2").removal_effect, 1, 1e-14);
    EXPECT_NEAR(*result.at("C3").removal_effect, 1, 1e-14);
    EXPECT_TRUE(result.at("C1").conversions == 200'000);
    EXPECT_TRUE(result.at("C2").conversions == 400'000);
    EXPECT_TRUE(result.at("C3").conversions == 400'000);
}

// The chance to convert in the chain without one channel, by iterating the chain until nothing moves.
double chance_without(const std::vector<Row>& rows, const std::string& removed) {
    std::map<std::string, std::map<std::string, double>> count;
    std::map<std::string, double> total;
    for (auto const& row : rows) {
        auto const paths = static_cast<double>(row.outcome.conversions + row.outcome.nulls);
        if (row.path.empty() || paths == 0)
            continue;
        std::string from = "(start)";
        for (auto const& touch : row.path) {
            count[from][std::string(touch.channel)] += paths;
            total[from] += paths;
            from = touch.channel;
        }
        count[from]["(conversion)"] += static_cast<double>(row.outcome.conversions);
        total[from] += paths;
    }
    std::map<std::string, double> mass{{"(start)", 1}};
    double converted = 0;
    for (int i = 0; i < 5000; ++i) {
        std::map<std::string, double> next;
        for (auto const& [state, weight] : mass)
            for (auto const& [to, n] : count[state])
                if (to == "(conversion)")
                    converted += weight * n / total[state];
                else if (to != removed)
                    next[to] += weight * n / total[state];
        mass = std::move(next);
    }
    return converted;
}

TEST(Attribution, MarkovAgreesWithIteratingTheChain) {
    EXPECT_TRUE(rc::check([] {
        auto const rows = any_rows(4);
        double const all = chance_without(rows, "");
        for (auto const& [channel, credit] : credits(rows, model_of(Kind::markov))) {
            if (channel.empty())
                continue;
            double const expected = all > 0 ? 1 - chance_without(rows, channel) / all : 0;
            RC_ASSERT(std::fabs(*credit.removal_effect - expected) < 1e-9);
        }
    }));
}

// Linear, first, last, position and time decay, path by path in doubles.
std::map<std::string, double> naive(const std::vector<Row>& rows, const AttributionModel& model) {
    std::map<std::string, double> result;
    for (auto const& row : rows) {
        auto const n = row.path.size();
        if (n == 0) {
            result[""] += static_cast<double>(row.outcome.conversions);
            continue;
        }
        std::vector<double> weights(n, 0);
        for (std::size_t i = 0; i < n; ++i)
            switch (model.kind) {
            case Kind::first:
                weights[i] = i == 0 ? 1 : 0;
                break;
            case Kind::last:
                weights[i] = i + 1 == n ? 1 : 0;
                break;
            case Kind::linear:
                weights[i] = 1;
                break;
            case Kind::position:
                weights[i] = n == 1 ? 1
                                    : (i == 0 ? 0.4 : 0) + (i + 1 == n ? 0.4 : 0) +
                                          (i > 0 && i + 1 < n ? 0.2 / static_cast<double>(n - 2) : 0);
                break;
            case Kind::time_decay:
                weights[i] = std::pow(0.5, static_cast<double>(row.path[n - 1].at - row.path[i].at) /
                                               static_cast<double>(model.half_life));
                break;
            default:
                break;
            }
        double const sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        for (std::size_t i = 0; i < n; ++i)
            result[std::string(row.path[i].channel)] +=
                weights[i] / sum * static_cast<double>(row.outcome.conversions);
    }
    return result;
}

TEST(Attribution, RuleModelsAgreeWithPathByPath) {
    EXPECT_TRUE(rc::check([] {
        auto const rows = any_rows();
        for (Kind const kind : {Kind::first, Kind::last, Kind::linear, Kind::position, Kind::time_decay}) {
            auto const expected = naive(rows, model_of(kind));
            for (auto const& [channel, credit] : credits(rows, model_of(kind))) {
                auto const found = expected.find(channel);
                RC_ASSERT(std::fabs(per_million(credit.conversions) -
                                    (found == expected.end() ? 0 : found->second)) < 1.1e-6);
            }
        }
    }));
}

TEST(Attribution, LastNonDirectSkipsDirect) {
    std::vector<Row> rows{{{{0, "email"}, {1, "direct"}, {2, "direct"}}, {1, 0, 0}},
                          {{{0, "direct"}}, {1, 0, 0}}};
    auto const result = credits(rows, model_of(Kind::last_non_direct));
    EXPECT_TRUE(result.at("email").conversions == micro_one);
    EXPECT_TRUE(result.at("direct").conversions == micro_one);
}

// Shapley's definition: the mean marginal contribution over all orders of the channels.
std::map<std::string, double> over_all_orders(const std::vector<Row>& rows, bool rate) {
    std::set<std::string> players;
    for (auto const& row : rows)
        if (row.outcome.conversions + row.outcome.nulls > 0)
            for (auto const& touch : row.path)
                players.emplace(touch.channel);
    std::vector<std::string> order(players.begin(), players.end());
    auto const worth = [&](const std::set<std::string>& coalition) {
        double conversions = 0;
        double paths = 0;
        for (auto const& row : rows) {
            bool const inside =
                !row.path.empty() && std::all_of(row.path.begin(), row.path.end(), [&](auto& touch) {
                    return coalition.count(std::string(touch.channel)) > 0;
                });
            if (inside) {
                conversions += static_cast<double>(row.outcome.conversions);
                paths += static_cast<double>(row.outcome.conversions + row.outcome.nulls);
            }
        }
        return rate ? (paths > 0 ? conversions / paths : 0) : conversions;
    };
    std::map<std::string, double> phi;
    double orders = 0;
    do {
        std::set<std::string> coalition;
        for (auto const& player : order) {
            double const before = worth(coalition);
            coalition.insert(player);
            phi[player] += worth(coalition) - before;
        }
        ++orders;
    } while (std::next_permutation(order.begin(), order.end()));
    double const all = worth(players);
    double conversions = 0;
    for (auto const& row : rows)
        if (!row.path.empty())
            conversions += static_cast<double>(row.outcome.conversions);
    for (auto& [player, value] : phi)
        value = all > 0 ? value / orders / all * conversions : 0;
    return phi;
}

TEST(Attribution, ShapleyAgreesWithAllOrders) {
    EXPECT_TRUE(rc::check([] {
        auto const rows = any_rows(4);
        for (Kind const kind : {Kind::shapley, Kind::shapley_rate}) {
            auto const expected = over_all_orders(rows, kind == Kind::shapley_rate);
            for (auto const& [channel, credit] : credits(rows, model_of(kind)))
                if (!channel.empty())
                    RC_ASSERT(std::fabs(per_million(credit.conversions) - expected.at(channel)) < 1.1e-6);
        }
    }));
}

TEST(Attribution, CreditsAddUpExactly) {
    EXPECT_TRUE(rc::check([] {
        auto const rows = any_rows();
        Outcome sum;
        for (auto const& row : rows)
            sum.add(row.outcome);
        for (int kind = 0; kind <= static_cast<int>(Kind::shapley_rate); ++kind) {
            Wide conversions = 0;
            Wide value = 0;
            for (auto const& [channel, credit] : credits(rows, model_of(static_cast<Kind>(kind)))) {
                conversions += credit.conversions;
                value += credit.value;
            }
            RC_ASSERT(conversions == static_cast<Wide>(sum.conversions) * micro_one);
            RC_ASSERT(value == sum.value);
        }
    }));
}

TEST(Attribution, DependsOnTheSetOnly) {
    EXPECT_TRUE(rc::check([] {
        auto rows = any_rows();
        auto const whole = summary(rows);
        std::shuffle(rows.begin(), rows.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
        auto const cut = *rc::gen::inRange<std::size_t>(0, rows.size() + 1);
        Attribution left(std::pmr::get_default_resource());
        Attribution right(std::pmr::get_default_resource());
        for (std::size_t i = 0; i < rows.size(); ++i)
            (i < cut ? left : right).add(rows[i].path, rows[i].outcome);
        Attribution merged(std::pmr::get_default_resource());
        merged.merge(right.encode());
        merged.merge(left);
        RC_ASSERT(merged.encode() == whole);
        RC_ASSERT(encode_attribution(decode_attribution(whole)) == whole);
    }));
}

// The records by age are sorted and merged now and then; that must not show.
TEST(Attribution, CompactionDoesNotShow) {
    Attribution state(std::pmr::get_default_resource());
    Path const path{{0, "a"}, {one_day, "b"}};
    for (int i = 0; i < 30'000; ++i)
        state.add(path, {1, 0, 5});
    auto const data = decode_attribution(state.encode());
    ASSERT_EQ(data.sequences.size(), 1U);
    ASSERT_EQ(data.records.size(), 1U);
    EXPECT_EQ(data.records[0].conversions, 30'000);
}

// However often it has compacted, with much to gain or nothing: the same bytes as in another order and in
// parts.
TEST(Attribution, OrderDoesNotShowThroughCompactions) {
    for (Time const distinct : {7, 60'000}) {
        std::vector<Path> paths;
        for (Time i = 0; i < 60'000; ++i)
            paths.push_back(
                {{0, names[i % 3]}, {i * 7919 % distinct, names[2 + i % 3]}, {one_day, names[i % 5]}});
        Attribution forwards(std::pmr::get_default_resource());
        Attribution backwards(std::pmr::get_default_resource());
        Attribution rest(std::pmr::get_default_resource());
        for (std::size_t i = 0; i < paths.size(); ++i) {
            forwards.add(paths[i], {1, 0, 5});
            (i % 3 == 0 ? rest : backwards).add(paths[paths.size() - 1 - i], {1, 0, 5});
        }
        backwards.merge(rest);
        std::string const bytes = forwards.encode();
        EXPECT_EQ(backwards.encode(), bytes);
        std::map<std::pair<std::vector<std::string_view>, Time>, std::int64_t> expected;
        for (auto const& path : paths)
            ++expected[{{path[0].channel, path[1].channel, path[2].channel}, path[1].at}];
        std::size_t with_ages = 0;
        for (auto const& [key, n] : expected)
            with_ages += key.first[0] != key.first[1] || key.first[1] != key.first[2] ? 1 : 0;
        EXPECT_EQ(decode_attribution(bytes).records.size(), with_ages);
    }
}

TEST(Attribution, HostileBytesAreRefused) {
    EXPECT_TRUE(rc::check([] {
        std::string bytes = summary(any_rows());
        for (int i = *rc::gen::inRange(1, 4); i > 0; --i)
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
        if (*rc::gen::inRange(0, 3) == 0)
            bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
        try {
            auto const data = decode_attribution(bytes);
            RC_ASSERT(encode_attribution(data) == bytes);
            for (int kind = 0; kind <= static_cast<int>(Kind::shapley_rate); ++kind)
                (void)attribute(data, model_of(static_cast<Kind>(kind)));
            auto const brief = decode_attribution(bytes, Detail::without_ages);
            RC_ASSERT(brief.touches == data.touches && brief.records.empty());
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format ||
                      error.kind == ErrorKind::out_of_range);
        }
    }));
}

TEST(Attribution, HostileBytesAreRefusedWhereAgesArePassedOver) {
    EXPECT_TRUE(rc::check([] {
        std::string bytes = summary(any_rows());
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
        if (*rc::gen::inRange(0, 3) == 0)
            bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
        try {
            (void)attribute(decode_attribution(bytes, Detail::without_ages), model_of(Kind::markov));
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format ||
                      error.kind == ErrorKind::out_of_range);
        }
    }));
}

TEST(Attribution, ImpossibleInputIsRefused) {
    Attribution state(std::pmr::get_default_resource());
    EXPECT_THROW(state.add({{0, "a"}}, {-1, 0, 0}), Error);
    EXPECT_THROW(state.add({{0, "a"}}, {0, 1, 5}), Error);
    AttributionModel model;
    model.first_weight = 0.8;
    EXPECT_THROW((void)attribute({}, model), Error);
}

TEST(Apportion, SettlesTheRemaindersByTheirSize) {
    auto const parts = apportion(10, {3.6L, 3.4L, 3.0L});
    EXPECT_TRUE(parts[0] == 4 && parts[1] == 3 && parts[2] == 3);
    auto const thirds = apportion(1, {1 / 3.0L, 1 / 3.0L, 1 / 3.0L});
    EXPECT_TRUE(thirds[0] == 1 && thirds[1] == 0 && thirds[2] == 0);
}

} // namespace
} // namespace nurture::analytics
