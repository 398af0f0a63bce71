#include "core/profile/profile.hpp"

#include "core/base/error.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <sstream>

namespace nurture::profile {
namespace {

Time any_time(Time clock) {
    return *rc::gen::oneOf(rc::gen::elementOf(std::vector<Time>{never, always, clock, 0}), rc::gen::inRange<Time>(clock - one_week, clock + one_week));
}

Stamp any_stamp(Time clock) {
    return {clock - *rc::gen::inRange<Span>(0, 400 * one_day), *rc::gen::inRange<std::int64_t>(1, 1'000'000), *rc::gen::inRange(1, 5)};
}

void add_branches(Strand& strand, Time clock, int deep) {
    for (int left = *rc::gen::inRange(1, 4); left > 0; --left) {
        Strand branch;
        branch.at_step = *rc::gen::inRange<std::uint32_t>(0, 300);
        for (Time* const t : {&branch.since, &branch.wakes, &branch.check})
            *t = any_time(clock);
        branch.open.resize(*rc::gen::inRange<std::size_t>(0, 2), hash_uuid("branch"));
        branch.loops.resize(*rc::gen::inRange<std::size_t>(0, 3), {7, 2});
        branch.held = *rc::gen::arbitrary<bool>();
        branch.arrived = *rc::gen::arbitrary<bool>();
        if (deep > 0 && *rc::gen::inRange(0, 4) == 0)
            add_branches(branch, clock, deep - 1);
        strand.branches.push_back(std::move(branch));
    }
}

Profile any_profile() {
    Profile out;
    out.model = *rc::gen::inRange<std::uint32_t>(0, 1000);
    out.clock = 9'000 * one_day + *rc::gen::inRange<Span>(0, 900 * one_day);
    out.first_seen = any_time(out.clock);
    out.last_seen = any_time(out.clock);
    std::uint32_t id = 0;
    for (int left = *rc::gen::inRange(0, 6); left > 0; --left) {
        id += *rc::gen::inRange<std::uint32_t>(1, 1000);
        FeatureValue value;
        switch (*rc::gen::inRange(0, 7)) {
        case 0:
            value = Sum{*rc::gen::arbitrary<std::int64_t>()};
            break;
        case 1: {
            auto const kind = static_cast<Value::Kind>(*rc::gen::inRange(0, 6));
            value = Extreme{any_stamp(out.clock), kind, kind == Value::Kind::boolean,
                            kind >= Value::Kind::number ? *rc::gen::string<std::string>() : ""};
            break;
        }
        case 2: {
            Entries entries;
            Stamp stamp = any_stamp(out.clock);
            for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
                entries.items.push_back({stamp, *rc::gen::oneOf(rc::gen::arbitrary<Micro>(), rc::gen::elementOf(std::vector<Micro>{0, micro_one, INT64_MAX, INT64_MIN}))});
                stamp.n += i;
            }
            value = entries;
            break;
        }
        case 3: {
            Extremes texts;
            Stamp stamp = any_stamp(out.clock);
            for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
                texts.items.push_back({stamp, Value::Kind::string, false, *rc::gen::string<std::string>()});
                stamp.n += i;
            }
            value = texts;
            break;
        }
        case 4:
            value = Tally{*rc::gen::arbitrary<std::int64_t>(), *rc::gen::inRange<std::int64_t>(1, 1'000'000)};
            break;
        case 5:
            value = Peak{*rc::gen::arbitrary<Micro>()};
            break;
        default: {
            DecayedSum sum(*rc::gen::elementOf(std::vector<Span>{one_day, one_hour, 12'345}));
            for (int i = *rc::gen::inRange(1, 5); i > 0; --i)
                sum.add(any_stamp(out.clock).at, *rc::gen::arbitrary<std::int32_t>());
            value = sum;
        }
        }
        out.features.push_back({id, std::move(value)});
    }
    for (int left = *rc::gen::inRange(0, 4); left > 0; --left)
        write_attribute(out, *rc::gen::string<std::string>(), any_stamp(out.clock), *rc::gen::element<std::string>("1", "\"x\"", "null", "{}"),
                        *rc::gen::element<std::string>("", "crm"));
    id = 0;
    for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
        id += *rc::gen::inRange<std::uint32_t>(1, 9);
        auto const member = *rc::gen::arbitrary<bool>();
        out.segments.push_back({id, member, member ? any_time(out.clock) : 0, any_time(out.clock)});
    }
    for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
        Journey journey;
        journey.workflow = 1;
        journey.version = 2;
        journey.instance = 3;
        journey.at_step = 4;
        for (Time* const t : {&journey.started, &journey.since, &journey.wakes, &journey.check})
            *t = any_time(out.clock);
        if (*rc::gen::arbitrary<bool>())
            journey.origin = "cookie";
        for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
            journey.open.push_back(hash_uuid(std::to_string(i)));
        if (*rc::gen::inRange(0, 3) == 0)
            add_branches(journey, out.clock, 3);
        out.journeys.push_back(journey);
        out.seen.push_back({any_time(out.clock), *rc::gen::arbitrary<std::uint64_t>()});
    }
    WorkflowMemory memory;
    memory.workflow = 7;
    memory.entries = 3;
    memory.last_start = any_time(out.clock);
    out.workflows.push_back(memory);
    return out;
}

TEST(Profile, BytesComeBack) {
    EXPECT_TRUE(rc::check([] {
        auto const profile = any_profile();
        auto const bytes = encode(profile);
        auto const back = decode(bytes);
        RC_ASSERT(encode(back) == bytes);
        RC_ASSERT(back.model == profile.model);
        RC_ASSERT(back.clock == profile.clock);
        RC_ASSERT(back.first_seen == profile.first_seen);
        RC_ASSERT(back.last_seen == profile.last_seen);
        RC_ASSERT(back.attributes == profile.attributes);
        RC_ASSERT(back.segments == profile.segments);
        RC_ASSERT(back.journeys == profile.journeys);
        RC_ASSERT(back.workflows == profile.workflows);
        RC_ASSERT(back.seen == profile.seen);
        RC_ASSERT(back.features.size() == profile.features.size());
        for (std::size_t i = 0; i < back.features.size(); ++i) {
            RC_ASSERT(back.features[i].id == profile.features[i].id);
            RC_ASSERT(back.features[i].value.index() == profile.features[i].value.index());
            if (const auto* sum = std::get_if<Sum>(&profile.features[i].value))
                RC_ASSERT(*sum == std::get<Sum>(back.features[i].value));
            if (const auto* extreme = std::get_if<Extreme>(&profile.features[i].value))
                RC_ASSERT(*extreme == std::get<Extreme>(back.features[i].value));
            if (const auto* texts = std::get_if<Extremes>(&profile.features[i].value))
                RC_ASSERT(*texts == std::get<Extremes>(back.features[i].value));
            if (const auto* tally = std::get_if<Tally>(&profile.features[i].value))
                RC_ASSERT(*tally == std::get<Tally>(back.features[i].value));
            if (const auto* peak = std::get_if<Peak>(&profile.features[i].value))
                RC_ASSERT(*peak == std::get<Peak>(back.features[i].value));
            if (const auto* entries = std::get_if<Entries>(&profile.features[i].value))
                RC_ASSERT(*entries == std::get<Entries>(back.features[i].value));
        }
    }));
    EXPECT_EQ(encode(decode(encode(Profile{}))), encode(Profile{}));
}

// Whatever bytes come in: an Error, or a profile whose bytes come back for good.
void take_in(const std::string& bytes) {
    try {
        auto const once = encode(decode(bytes));
        RC_ASSERT(encode(decode(once)) == once);
    } catch (const Error& error) {
        RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::newer_format);
    }
}

TEST(Profile, HostileBytesAreRefused) {
    EXPECT_TRUE(rc::check([] { take_in(*rc::gen::element('\1', '\2') + *rc::gen::string<std::string>()); }));
    EXPECT_TRUE(rc::check([] {
        auto bytes = encode(any_profile());
        for (int i = *rc::gen::inRange(1, 6); i > 0 && !bytes.empty(); --i) {
            auto const place = *rc::gen::inRange<std::size_t>(0, bytes.size());
            switch (*rc::gen::inRange(0, 4)) {
            case 0:
                bytes[place] = *rc::gen::arbitrary<char>();
                break;
            case 1:
                bytes.erase(place, *rc::gen::inRange<std::size_t>(1, 12));
                break;
            case 2:
                bytes.insert(place, *rc::gen::element<std::string>("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x80", std::string(1, '\0'), "\xff\xff\xff\xff\x0f",
                                                                   "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
                break;
            default:
                bytes.resize(place);
            }
        }
        take_in(bytes);
    }));
    EXPECT_THROW((void)decode(""), Error);
    EXPECT_THROW((void)decode(std::string(1, '\0')), Error);
    EXPECT_THROW((void)decode(encode(Profile{}) + '\0'), Error);
    try {
        (void)decode("\x7f");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::newer_format);
    }
}

// What format 1 can hold is written as format 1, and bytes of format 1 are read as ever.
TEST(Profile, TheFormatGrowsOnlyWithWhatNeedsIt) {
    Profile profile;
    profile.clock = 9'000 * one_day;
    profile.features.push_back({1, Sum{3}});
    auto const old = encode(profile);
    EXPECT_EQ(old.front(), '\1');
    EXPECT_EQ(std::get<Sum>(decode(old).features.front().value), Sum{3});
    profile.features.push_back({2, Peak{7}});
    auto const grown = encode(profile);
    EXPECT_EQ(grown.front(), '\2');
    EXPECT_EQ(std::get<Peak>(decode(grown).features.back().value), Peak{7});
    auto relabelled = old;
    relabelled.front() = '\2'; // format 2 goes on
    EXPECT_THROW((void)decode(relabelled), Error);
}

// Version 0.1 reads format 1 and these kinds of value in it; whatever else a state holds must not look like format 1 to it.
TEST(Profile, WhatTheFirstVersionCannotReadIsFormat2) {
    DecayedSum decayed(one_day);
    decayed.add(8'999 * one_day, 5);
    Stamp const stamp{8'999 * one_day, 1, 1};
    std::vector<FeatureValue> const first{Sum{3}, Extreme{stamp, Value::Kind::number, false, "1"}, Entries{{{stamp, 7}}}, decayed};
    std::vector<FeatureValue> const later{Extremes{{{stamp, Value::Kind::string, false, "x"}}}, Tally{1, 1}, Peak{7},
                                          KeyedEntries{{{stamp, 7, 9}}}};
    ASSERT_EQ(std::variant_size_v<FeatureValue>, 1 + first.size() + later.size()) << "a new kind of value belongs to one of them";
    auto const format_with = [](auto change) {
        Profile profile;
        profile.clock = 9'000 * one_day;
        change(profile);
        auto const bytes = encode(profile);
        EXPECT_EQ(encode(decode(bytes)), bytes);
        return int(bytes.front());
    };
    for (const auto& value : first)
        EXPECT_EQ(format_with([&](Profile& p) { p.features.push_back({1, value}); }), 1) << value.index();
    for (const auto& value : later)
        EXPECT_EQ(format_with([&](Profile& p) { p.features.push_back({1, value}); }), 2) << value.index();
    EXPECT_EQ(format_with([](Profile& p) { p.pasts.push_back({1, 5, {{7, true}}}); }), 2);
    EXPECT_EQ(format_with([](Profile& p) { p.completed.push_back(1); }), 2);
    EXPECT_EQ(format_with([](Profile& p) { p.score.adjusted.push_back({"t", 5}); }), 2);
    EXPECT_EQ(format_with([](Profile& p) { p.score.frozen_by = {5, 1, 1}, p.score.frozen = encode(Profile{}); }), 2);
}

// The states of 0.1 are read, and come back as the very bytes it wrote: it can take them back.
TEST(Profile, StatesOfTheFirstVersionComeBack) {
    std::ifstream in(NURTURE_SOURCE "/test/tap/upgrade/0.1/profile.tsv");
    int states = 0;
    for (std::string line; std::getline(in, line); ++states) {
        std::istringstream cells(line);
        std::string contact, text, hex, bytes;
        std::getline(cells, contact, '\t');
        std::getline(cells, text, '\t');
        std::getline(cells, hex);
        for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
            bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
        EXPECT_EQ(encode(decode(bytes)), bytes) << contact;
    }
    EXPECT_GE(states, 10);
}

TEST(Profile, LastWritePerKeyWins) {
    Profile profile;
    write_attribute(profile, "b", {10, 1, 1}, "1");
    write_attribute(profile, "a", {10, 1, 1}, "\"x\"");
    write_attribute(profile, "b", {9, 5, 9}, "2"); // earlier, though told later
    EXPECT_EQ(attribute_json(profile, "b"), "1");
    write_attribute(profile, "b", {10, 1, 2}, "3");
    EXPECT_EQ(attribute_json(profile, "b"), "3");
    write_attribute(profile, "b", {11, 1, 1}, "null");
    EXPECT_EQ(attribute_json(profile, "b"), "");
    write_attribute(profile, "b", {10, 9, 1}, "4"); // the removal is remembered
    EXPECT_EQ(attribute_json(profile, "b"), "");
    EXPECT_EQ(attribute_json(profile, "c"), "");
    EXPECT_EQ(profile.attributes.front().key, "a");
}

} // namespace
} // namespace nurture::profile
