// Features against the naive reading of a multiset of events: any order, any grouping, the same value and the same bytes.
#include "core/profile/feature.hpp"
#include "core/profile/profile.hpp"

#include "core/base/error.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

namespace nurture::profile {
namespace {

struct Happened {
    Stamp stamp;
    std::string amount; ///< of the property; empty: missing
    [[nodiscard]] Value value() const {
        return amount.empty() ? Value{} : Value{Value::Kind::number, false, amount};
    }
};

Zone any_zone() {
    return Zone::find(*rc::gen::element<std::string>("UTC", "Europe/Rome", "America/New_York", "America/Sao_Paulo",
                                                     "Asia/Kathmandu", "America/St_Johns", "Antarctica/Troll"));
}

/// Of a kind from `from` up to and without `to`.
FeatureDefinition any_definition(int from = 1, int to = 17) {
    FeatureDefinition out;
    out.event.type = "e";
    out.kind = static_cast<FeatureKind>(*rc::gen::inRange(from, to));
    bool const needs_property = out.kind == FeatureKind::distinct || out.kind == FeatureKind::values ||
                                out.kind == FeatureKind::average || out.kind == FeatureKind::least ||
                                out.kind == FeatureKind::greatest || out.kind == FeatureKind::texts ||
                                out.kind == FeatureKind::pages;
    if (needs_property || (*rc::gen::arbitrary<bool>() && out.kind < FeatureKind::periods))
        out.property = language::Path{{"amount"}};
    if (to > 8) // beyond the naive readings below
        out.limit = *rc::gen::elementOf(std::vector<std::int64_t>{1, 2, 5, recent_limit});
    if (out.kind == FeatureKind::visits || out.kind == FeatureKind::pages)
        out.gap = *rc::gen::elementOf(std::vector<Span>{30 * one_minute, 7 * one_minute, 5 * one_hour});
    if (out.kind == FeatureKind::periods)
        out.period = *rc::gen::element(Period::day, Period::week, Period::month);
    if (out.kind == FeatureKind::periods || out.kind == FeatureKind::distinct)
        out.newest = *rc::gen::elementOf(std::vector<std::int64_t>{0, 1, 3});
    if (*rc::gen::inRange(0, 4) == 0 && to > 8) {
        out.from = 9'527 * one_day;
        out.until = 9'584 * one_day;
    }
    if (out.kind == FeatureKind::recent) {
        out.window = *rc::gen::element(Duration{0, 7, 0}, Duration{0, 0, one_hour}, Duration{1, 0, 0}, Duration{2, 3, one_hour});
        out.newest = *rc::gen::elementOf(std::vector<std::int64_t>{0, 1, 2, 3, 10});
    }
    out.half_life = out.kind == FeatureKind::decayed ? *rc::gen::elementOf(std::vector<Span>{one_day, 14 * one_day, one_hour + 1}) : 0;
    if (out.kind == FeatureKind::capped) {
        out.cap = *rc::gen::inRange<std::int64_t>(1, 4);
        out.period = *rc::gen::element(Period::hour, Period::day, Period::week, Period::month, Period::ever);
    }
    return out;
}

// Nights on which clocks change, the ends of months, and anything between.
std::vector<Happened> any_events() {
    Time const around = *rc::gen::elementOf(std::vector<Time>{2'864 * one_day, 6'882 * one_day, 9'794 * one_day, 9'584 * one_day, 9'527 * one_day});
    Span const wide = *rc::gen::elementOf(std::vector<Span>{3 * one_hour, 4 * one_day, 70 * one_day, 800 * one_day});
    std::vector<Happened> out;
    int const count = *rc::gen::inRange(0, 40);
    for (int i = 0; i < count; ++i) {
        Time const at = around + *rc::gen::inRange<Span>(-wide, wide) / one_minute * one_minute;
        out.push_back({{at, 1 + i / 3, i % 3 + 1},
                       *rc::gen::element<std::string>("5", "-2.5", "0.000001", "9223372036854.775807", "-9223372036854.775808", "1",
                                                      "0", "x", "")});
    }
    return out;
}

FeatureValue fold_all(const FeatureDefinition& definition, const std::vector<Happened>& events, const Zone& zone) {
    FeatureValue value;
    for (const auto& event : events)
        fold(definition, value, event.stamp, event.value(), zone);
    return value;
}

std::string bytes(const FeatureValue& value) {
    ByteWriter out;
    encode(out, value, {9'500 * one_day, 0, 0});
    return out.take();
}

template <class T>
void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i)
        std::swap(items[i - 1], items[*rc::gen::inRange<std::size_t>(0, i)]);
}

TEST(Feature, MergesInAnyOrderAndGrouping) {
    EXPECT_TRUE(rc::check([] {
        auto const definition = any_definition();
        auto const zone = any_zone();
        auto events = any_events();
        auto const serial = fold_all(definition, events, zone);
        shuffle(events);
        std::vector<FeatureValue> parts;
        for (std::size_t from = 0; from < events.size();) {
            auto const size = *rc::gen::inRange<std::size_t>(1, 8);
            std::size_t const to = std::min(events.size(), from + size);
            parts.push_back(fold_all(definition, {events.begin() + static_cast<std::ptrdiff_t>(from), events.begin() + static_cast<std::ptrdiff_t>(to)}, zone));
            from = to;
        }
        parts.emplace_back(); // a part without events
        while (parts.size() > 1) {
            auto const a = *rc::gen::inRange<std::size_t>(0, parts.size());
            std::swap(parts[a], parts.back());
            auto const b = *rc::gen::inRange<std::size_t>(0, parts.size() - 1);
            merge(definition, parts[b], parts.back(), zone);
            parts.pop_back();
        }
        RC_ASSERT(bytes(parts[0]) == bytes(serial));
        if (!std::holds_alternative<DecayedSum>(serial) && serial.index() == parts[0].index())
            RC_ASSERT(bytes(fold_all(definition, events, zone)) == bytes(serial));
    }));
}

// --- the naive reading --------------------------------------------------------------------------------------------

std::vector<Entry> naive_entries(const FeatureDefinition& definition, std::vector<Happened> events, const Zone& zone) {
    std::sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.stamp < b.stamp; });
    std::vector<Entry> all;
    for (const auto& event : events) {
        auto const number = number_of(event.value());
        if (definition.property && !number)
            continue;
        all.push_back({event.stamp, definition.property ? *number : micro_one});
    }
    if (definition.kind == FeatureKind::capped) {
        std::map<std::int64_t, std::int64_t> taken;
        std::vector<Entry> kept;
        for (const auto& entry : all)
            if (++taken[period_of(entry.stamp.at, definition.period, zone)] <= definition.cap)
                kept.push_back(entry);
        while (taken.size() > capped_periods) {
            std::erase_if(kept, [&](auto& e) { return period_of(e.stamp.at, definition.period, zone) == taken.begin()->first; });
            taken.erase(taken.begin());
        }
        return kept;
    }
    return all;
}

// What a window shows at a moment is what all events would show, however few of them are kept.
TEST(Feature, AWindowShowsWhatAllEventsWouldShow) {
    EXPECT_TRUE(rc::check([] {
        auto const definition = any_definition(5, 6);
        auto const zone = any_zone();
        auto events = any_events();
        auto const all = naive_entries(definition, events, zone);
        shuffle(events);
        FeatureValue value = fold_all(definition, events, zone);
        std::vector<Time> moments;
        for (const auto& entry : all)
            for (Span const near : {-1, 0, 1})
                moments.push_back(leaves_window(definition, entry.stamp.at, zone) + near);
        std::sort(moments.begin(), moments.end());
        for (Time const now : moments) {
            auto inside = [&](const std::vector<Entry>& entries) {
                return std::count_if(entries.begin(), entries.end(),
                                     [&](auto& e) { return leaves_window(definition, e.stamp.at, zone) > now; });
            };
            auto wanted = inside(all);
            if (definition.newest != 0)
                wanted = std::min<std::ptrdiff_t>(wanted, definition.newest);
            const auto* kept = std::get_if<Entries>(&value);
            RC_ASSERT((kept == nullptr ? 0 : inside(kept->items)) == wanted);
            prune(definition, value, now, zone); // takes nothing away that a later moment would show
        }
    }));
}

TEST(Feature, CapsKeepTheFirstOfEachPeriod) {
    EXPECT_TRUE(rc::check([] {
        auto const definition = any_definition(7, 8);
        auto const zone = any_zone();
        auto events = any_events();
        auto const wanted = naive_entries(definition, events, zone);
        shuffle(events);
        auto const value = fold_all(definition, events, zone);
        if (wanted.empty())
            RC_ASSERT(value.index() == 0U);
        else
            RC_ASSERT(std::get<Entries>(value).items == wanted);
    }));
}

// On 4 November 2007 St. John's put its clocks back at 00:01: the day began, was taken back, and began again.
TEST(Feature, ADayThatBeginsTwiceIsOneDay) {
    FeatureDefinition definition;
    definition.kind = FeatureKind::capped;
    definition.cap = 1;
    Zone const zone = Zone::find("America/St_Johns");
    auto at = [](const char* text) { return *parse_iso_time(text, Zone::find("UTC")); };
    std::vector<Happened> const events{{{at("2007-11-04T02:30:30Z"), 1, 1}, ""},  // the 4th, 00:00:30
                                       {{at("2007-11-04T02:45:00Z"), 1, 2}, ""},  // the 3rd, 23:15
                                       {{at("2007-11-04T03:35:00Z"), 1, 3}, ""}}; // the 4th, 00:05
    for (auto const& order : std::vector<std::vector<std::size_t>>{{0, 1, 2}, {0, 2, 1}, {2, 1, 0}, {1, 2, 0}}) {
        FeatureValue value;
        for (std::size_t const i : order)
            fold(definition, value, events[i].stamp, {}, zone);
        EXPECT_EQ(std::get<Entries>(value).items, (std::vector<Entry>{{events[0].stamp, micro_one}, {events[1].stamp, micro_one}}));
    }
}

TEST(Feature, OnlyTheNewestPeriodsAreKept) {
    FeatureDefinition definition;
    definition.kind = FeatureKind::capped;
    definition.cap = 1;
    Zone const zone = Zone::find("Europe/Rome");
    std::vector<Happened> events;
    for (int day = 0; day < 500; ++day)
        for (int n = 0; n < 2; ++n)
            events.push_back({{day * one_day + n, 1, 2 * day + n}, ""});
    auto const wanted = naive_entries(definition, events, zone);
    EXPECT_EQ(wanted.size(), capped_periods);
    EXPECT_EQ(std::get<Entries>(fold_all(definition, events, zone)).items, wanted);
    std::reverse(events.begin(), events.end());
    EXPECT_EQ(std::get<Entries>(fold_all(definition, events, zone)).items, wanted);
}

TEST(Feature, SumsAndExtremesAreThoseOfTheSet) {
    EXPECT_TRUE(rc::check([] {
        auto const definition = any_definition(1, 5);
        auto const zone = any_zone();
        auto events = any_events();
        Wide sum = 0;
        std::optional<Happened> first, last;
        for (const auto& event : events) {
            bool const extreme = definition.kind >= FeatureKind::first;
            if (definition.property && (extreme ? event.amount.empty() : !number_of(event.value())))
                continue;
            sum += definition.kind == FeatureKind::count ? 1 : definition.property ? *number_of(event.value()) : micro_one;
            if (!first || event.stamp < first->stamp)
                first = event;
            if (!last || last->stamp < event.stamp)
                last = event;
        }
        shuffle(events);
        auto const value = fold_all(definition, events, zone);
        if (!first) {
            RC_ASSERT(value.index() == 0U);
        } else if (definition.kind <= FeatureKind::sum) {
            RC_ASSERT(std::get<Sum>(value).value == sum);
        } else {
            const auto& wanted = definition.kind == FeatureKind::first ? *first : *last;
            const auto& extreme = std::get<Extreme>(value);
            RC_ASSERT(extreme.stamp == wanted.stamp);
            RC_ASSERT(extreme.text == (definition.property ? wanted.amount : ""));
        }
    }));
}

TEST(Feature, BytesComeBack) {
    EXPECT_TRUE(rc::check([] {
        auto const definition = any_definition();
        auto const value = fold_all(definition, any_events(), any_zone());
        if (value.index() == 0U)
            return;
        auto const written = bytes(value);
        ByteReader in(written);
        auto const back = decode_feature(in, {9'500 * one_day, 0, 0});
        RC_ASSERT(in.at_end());
        RC_ASSERT(bytes(back) == written);
        if (const auto* entries = std::get_if<Entries>(&value))
            RC_ASSERT(*entries == std::get<Entries>(back));
        if (const auto* extreme = std::get_if<Extreme>(&value))
            RC_ASSERT(*extreme == std::get<Extreme>(back));
        if (const auto* texts = std::get_if<Extremes>(&value))
            RC_ASSERT(*texts == std::get<Extremes>(back));
        if (const auto* tally = std::get_if<Tally>(&value))
            RC_ASSERT(*tally == std::get<Tally>(back));
        if (const auto* peak = std::get_if<Peak>(&value))
            RC_ASSERT(*peak == std::get<Peak>(back));
        if (const auto* sum = std::get_if<DecayedSum>(&value))
            RC_ASSERT(sum->same_as(std::get<DecayedSum>(back)));
    }));
}

// Periods follow a clock that never goes back, and begin where it says.
TEST(Feature, PeriodsBeginWhereTheyAreReached) {
    EXPECT_TRUE(rc::check([] {
        auto const zone = any_zone();
        auto const period = *rc::gen::element(Period::day, Period::week, Period::month);
        Time const around = *rc::gen::elementOf(std::vector<Time>{2'864 * one_day, 6'882 * one_day, 9'794 * one_day, 9'584 * one_day, -400 * one_day});
        Time const at = around + *rc::gen::inRange<Span>(-3 * one_day, 3 * one_day);
        auto const number = period_reached(at, period, zone);
        RC_ASSERT(begin_of_period(number, period, zone) <= at);
        RC_ASSERT(begin_of_period(number + 1, period, zone) > at);
        RC_ASSERT(period_reached(begin_of_period(number, period, zone), period, zone) == number);
        RC_ASSERT(period_reached(begin_of_period(number, period, zone) - 1, period, zone) == number - 1);
    }));
}

TEST(Feature, TextsTellMeaningsApart) {
    FeatureDefinition day;
    day.kind = FeatureKind::capped;
    day.event.type = "e";
    day.cap = 3;
    auto month = day;
    month.period = Period::month;
    auto ever = day;
    ever.period = Period::ever;
    EXPECT_NE(day.text("UTC"), month.text("UTC"));
    EXPECT_NE(day.text("UTC"), day.text("Europe/Rome"));
    EXPECT_EQ(ever.text("UTC"), ever.text("Europe/Rome"));
    FeatureDefinition recent;
    recent.kind = FeatureKind::recent;
    recent.event.type = "e";
    recent.window = {0, 7, 0};
    EXPECT_EQ(recent.text("UTC"), recent.text("Europe/Rome"));
    auto newest = recent;
    newest.newest = 3;
    EXPECT_NE(newest.text("UTC"), recent.text("UTC"));
    auto since = recent;
    since.from = 1;
    EXPECT_NE(since.text("UTC"), recent.text("UTC"));
    auto until = recent;
    until.until = 1;
    EXPECT_NE(until.text("UTC"), since.text("UTC"));
    auto fewer = recent;
    fewer.limit = 10;
    EXPECT_NE(fewer.text("UTC"), recent.text("UTC"));
    fewer.newest = newest.newest; // what decides is kept, whatever the limit
    EXPECT_EQ(fewer.text("UTC"), newest.text("UTC"));
    recent.window = {1, 0, 0};
    EXPECT_NE(recent.text("UTC"), recent.text("Europe/Rome"));
}

} // namespace
} // namespace nurture::profile
