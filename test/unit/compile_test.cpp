// From definitions to the model: names, cycles, types, order, shared features.
#include "../simulation/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace nurture::world {
namespace {

Error refused(const std::function<void(Definitions&)>& define) {
    Definitions definitions;
    define(definitions);
    try {
        (void)definitions.compile();
    } catch (const Error& error) {
        return error;
    }
    return {ErrorKind::interrupted, "it compiled"};
}

TEST(Compile, CyclesAreRefusedWithTheirPath) {
    auto const error = refused([](Definitions& d) {
        d.segment("a", "in segment 'b'");
        d.segment("b", "did e or not in segment 'c'");
        d.segment("c", "x = 1 and in segment 'a'");
    });
    EXPECT_EQ(error.kind, ErrorKind::invalid_definition);
    EXPECT_EQ(error.detail, "The circle is \"a\" → \"b\" → \"c\" → \"a\".");
    EXPECT_EQ(refused([](Definitions& d) { d.segment("a", "not in segment 'a'"); }).detail, "The circle is \"a\" → \"a\".");
}

TEST(Compile, UnknownNamesAreSuggested) {
    auto error = refused([](Definitions& d) {
        d.segment("hot lead", "true");
        d.segment("b", "did e and in segment 'hot laed'");
    });
    EXPECT_EQ(error.kind, ErrorKind::undefined_name);
    EXPECT_STREQ(error.what(), "segment \"b\": segment \"hot laed\" does not exist");
    EXPECT_NE(error.hint.find("hot lead"), std::string::npos);
    EXPECT_EQ(error.offset, 21);
    EXPECT_NE(error.detail.find('^'), std::string::npos);

    error = refused([](Definitions& d) {
        d.rule("+1 on e topic pricing");
        d.segment("b", "score(pricin) > 1");
    });
    EXPECT_EQ(error.kind, ErrorKind::undefined_name);
    EXPECT_NE(error.hint.find("pricing"), std::string::npos);

    error = refused([](Definitions& d) {
        d.segment("hot lead", "true");
        d.workflow("w", "on entering segment 'hotlead' exit");
    });
    EXPECT_EQ(error.kind, ErrorKind::undefined_name);
    EXPECT_NE(error.hint.find("hot lead"), std::string::npos);
}

TEST(Compile, WhatCannotBeComparedIsRefused) {
    for (const char* condition : {"count(e) = 'x'", "count(e within 1 day) = 'x'", "count(e within 1 day) in (1, true)", "score > '5'",
                                  "sum(a of e) = true", "first(e) > 5", "last(e) = 'soon'", "last(e) between 2026-01-01 and true",
                                  "count(e) like 'x'", "last(e) like 'x'", "score like 'x'"}) {
        auto const error = refused([&](Definitions& d) { d.segment("s", condition); });
        EXPECT_EQ(error.kind, ErrorKind::invalid_definition) << condition << ": " << error.what();
        EXPECT_EQ(std::string(error.what()).rfind("segment \"s\": ", 0), 0U) << error.what();
    }
    EXPECT_EQ(refused([](Definitions& d) { d.segment("s", "first(a of e within 1 day) increased"); }).kind, ErrorKind::invalid_definition);
    EXPECT_EQ(refused([](Definitions& d) { d.segment("s", "count(e within 1 day) > 10000"); }).kind, ErrorKind::limit_exceeded);
}

// A half-life that cannot be kept is refused here, not when somebody's score is read.
TEST(Compile, HalfLivesAreBounded) {
    for (const char* rule : {"+1 on e half-life 20000 days", "+1 on e half-life 20000 days at most 1 per day"})
        EXPECT_EQ(refused([&](Definitions& d) { d.rule(rule); }).kind, ErrorKind::out_of_range) << rule;
}

TEST(Compile, EachSegmentComesAfterThoseItNames) {
    Definitions definitions;
    definitions.segment("d", "in segment 'b' and in segment 'c'");
    definitions.segment("b", "in segment 'a'");
    definitions.segment("c", "not in segment 'a' or in segment 'b'");
    definitions.segment("a", "did e");
    auto const model = definitions.compile();
    std::vector<std::string> order;
    for (const auto& segment : model.segments)
        order.push_back(segment.name);
    auto place = [&](const char* name) { return std::find(order.begin(), order.end(), name) - order.begin(); };
    EXPECT_LT(place("a"), place("b"));
    EXPECT_LT(place("b"), place("c"));
    EXPECT_LT(place("c"), place("d"));
    for (const auto& row : definitions.source.segments)
        EXPECT_EQ(model.segments[model.segment_of(row.id)].name, row.name);
    // One event runs through them all.
    Contact contact;
    contact.step(model, {{5, 5, "e", Json::object(), {}, false}}, std::nullopt);
    EXPECT_EQ(contact.raw_transitions.size(), 4U);
}

TEST(Compile, EqualFeaturesAreShared) {
    Definitions definitions;
    definitions.rule("+1 on e where a = 1 half-life 1 day");
    definitions.rule("+9 on e where (a=1) topic t half-life 24 hours");
    definitions.segment("x", "count(e within 7 days) >= 3");
    definitions.segment("y", "count(e within 168 hours) < 3");
    definitions.segment("z", "count(e within 7 days) > 2");
    definitions.segment("u", "did f and count(f) > 1");
    auto const model = definitions.compile();
    EXPECT_EQ(model.rules[0].feature, model.rules[1].feature);
    EXPECT_EQ(definitions.source.features.size(), model.features.size());
    auto texts = model::required_features(definitions.source);
    std::sort(texts.begin(), texts.end());
    EXPECT_EQ(std::unique(texts.begin(), texts.end()), texts.end());
    // A decayed count, the window's newest 3, a count of f; 168 hours may be a text of its own.
    EXPECT_LE(model.features.size(), 4U);
}

TEST(Compile, AFeatureWithoutARowIsAnError) {
    model::Source source;
    source.segments.push_back({1, "s", "did e"});
    EXPECT_THROW((void)model::compile(source), Error);
}

TEST(Compile, ASourcesTextComesBack) {
    Definitions definitions;
    definitions.source.timezone = "Europe/Rome";
    definitions.rule("+1 on e");
    definitions.segment("sé\"'", "did e");
    definitions.workflow("w", "on e send email 'x'");
    (void)definitions.compile();
    definitions.source.workflows[0].paused = true;
    EXPECT_EQ(model::parse_source(model::print(definitions.source)), definitions.source);
    for (const char* text : {"", "{", "[]", "{}", "null", R"({"format": 1})"})
        EXPECT_THROW((void)model::parse_source(text), Error) << text;
    EXPECT_THROW((void)model::parse_source(R"({"format": 99})"), Error);
}

} // namespace
} // namespace nurture::world
