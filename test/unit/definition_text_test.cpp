// Definitions as text that people compare and rename: lines, differences, references under new names, what is used.
#include "core/language/layout.hpp"
#include "core/language/rename.hpp"
#include "generators/language.hpp"

#include <gtest/gtest.h>

namespace nurture::language {
namespace {

using Lines = std::vector<std::string>;

std::string joined(const Lines& lines, const char* separator) {
    std::string out;
    for (const auto& line : lines)
        out += (out.empty() ? "" : separator) + line;
    return out;
}

TEST(Layout, BreaksWhereOneWould) {
    EXPECT_EQ(lines_of("+5 per amount on page_view where path like '/p%' and a between 1 and 2 topic pricing half-life 14 days "
                       "at most 3 per day"),
              (Lines{"+5 per amount on page_view", "where path like '/p%'", "and a between 1 and 2", "topic pricing",
                     "half-life 14 days", "at most 3 per day"}));
    EXPECT_EQ(lines_of("a = 1 and (b = 2 or not (c = 3 and count(e where x = 1 and y = 2) > 3)) and d in ('or', 'and')"),
              (Lines{"a = 1", "and (b = 2", "  or not (c = 3", "    and count(e where x = 1 and y = 2) > 3))",
                     "and d in ('or', 'and')"}));
    EXPECT_EQ(lines_of("on x\nwait 1 hour"), (Lines{"on x", "wait 1 hour"}));
    EXPECT_EQ(lines_of("+by age (18 1, else 0) topic fit.age floor 0 ceiling 5"),
              (Lines{"+by age (18 1, else 0)", "topic fit.age", "floor 0", "ceiling 5"}));
    EXPECT_EQ(lines_of("+1 on topic topic topic"), (Lines{"+1 on topic", "topic topic"}));
    EXPECT_EQ(lines_of(""), Lines{});
}

TEST(Layout, LinesMeanWhatTheTextMeans) {
    EXPECT_TRUE(rc::check("condition", [] {
        Condition const condition = *generators::condition();
        RC_ASSERT(parse_condition(joined(lines_of(print(condition)), "\n")) == condition);
    }));
    EXPECT_TRUE(rc::check("rule", [] {
        Rule const rule = *generators::rule();
        RC_ASSERT(parse_rule(joined(lines_of(print(rule)), "\n")) == rule);
    }));
    EXPECT_TRUE(rc::check("workflow", [] {
        Workflow const workflow = *generators::workflow();
        RC_ASSERT(parse_workflow(joined(lines_of(print(workflow)), "\n")) == workflow);
    }));
}

std::size_t kept(const std::vector<DiffLine>& lines) {
    std::size_t n = 0;
    for (const auto& line : lines)
        n += line.change == DiffLine::Change::same ? 1 : 0;
    return n;
}

/// The longest common subsequence by trying every subsequence of the first.
std::size_t longest_common(const Lines& a, const Lines& b) {
    std::size_t best = 0;
    for (unsigned chosen = 0; chosen < 1U << a.size(); ++chosen) {
        std::size_t n = 0, at = 0;
        bool fits = true;
        for (std::size_t i = 0; i < a.size() && fits; ++i)
            if ((chosen >> i & 1U) != 0) {
                while (at < b.size() && b[at] != a[i])
                    ++at;
                fits = at < b.size();
                ++at;
                ++n;
            }
        best = fits ? std::max(best, n) : best;
    }
    return best;
}

TEST(Diff, LeadsFromOneToTheOtherOnAShortestWay) {
    EXPECT_TRUE(rc::check("diff", [] {
        auto const letter = rc::gen::element<std::string>("a", "b", "c");
        auto const lines = rc::gen::resize(8, rc::gen::container<Lines>(letter));
        Lines const before = *lines, after = *lines;
        RC_PRE(before.size() <= 10 && after.size() <= 10);
        auto const found = diff(before, after);
        Lines was, is;
        for (const auto& line : found) {
            if (line.change != DiffLine::Change::added)
                was.push_back(line.text);
            if (line.change != DiffLine::Change::removed)
                is.push_back(line.text);
        }
        RC_ASSERT(was == before);
        RC_ASSERT(is == after);
        RC_ASSERT(kept(found) == longest_common(before, after));
    }));
    using Change = DiffLine::Change;
    EXPECT_EQ(diff({"a", "b"}, {"a", "c"}),
              (std::vector<DiffLine>{{Change::same, "a"}, {Change::removed, "b"}, {Change::added, "c"}}));
}

std::vector<std::string> segments_in(Form form, const std::string& text) {
    std::vector<std::string> names;
    for (const auto& reference : form == Form::condition ? references(parse_condition(text)) : references(parse_workflow(text)))
        if (reference.kind == ReferenceKind::segment)
            names.push_back(reference.name);
    return names;
}

TEST(Rename, ChangesReferencesAndNothingElse) {
    EXPECT_EQ(renamed(Form::condition, "a = 'warm' and in segment 'warm' and not in segment 'b'", ReferenceKind::segment,
                      {{"warm", "it's hot"}}),
              "a = 'warm' and in segment 'it''s hot' and not in segment 'b'");
    EXPECT_EQ(renamed(Form::condition, "score(a) > 1 and score(b) > 2", ReferenceKind::topic, {{"a", "b"}, {"b", "of"}}),
              "score(b) > 1 and score(\"of\") > 2");
    EXPECT_EQ(renamed(Form::condition, "score(fit.company) > 1", ReferenceKind::topic, {{"fit.company", "fit.firm"}}), "score(fit.firm) > 1");
    EXPECT_EQ(renamed(Form::workflow, "on entering segment 'a'\nexit when in segment 'b'\nwait 1 day", ReferenceKind::segment,
                      {{"a", "b"}, {"b", "a"}}),
              "on entering segment 'b'\nexit when in segment 'a'\nwait 1 day");
    EXPECT_TRUE(rc::check("there and back", [] {
        std::string const text = print(*generators::workflow());
        std::map<std::string, std::string> there, back;
        for (const std::string& name : segments_in(Form::workflow, text)) {
            there[name] = "renamed " + name;
            back["renamed " + name] = name;
        }
        std::string const other = renamed(Form::workflow, text, ReferenceKind::segment, there);
        for (const std::string& name : segments_in(Form::workflow, other))
            RC_ASSERT(name.rfind("renamed ", 0) == 0);
        RC_ASSERT(renamed(Form::workflow, other, ReferenceKind::segment, back) == text);
    }));
}

TEST(Uses, ListsWhatIsReadSentAndWritten) {
    auto const of = [](const std::vector<Use>& found) {
        std::string out;
        for (const auto& use : found)
            out += use.kind + ' ' + use.name + '\n';
        return out;
    };
    EXPECT_EQ(of(uses(parse_workflow("on form where plan = 'x'\non entering segment 's'\nexit when score > 3\n"
                                     "send email 't' for news with (n = name)\ndo 'call'\nset a = utm.source"))),
              "attribute a\nattribute name\nattribute utm.source\nchannel call\nchannel email\nevent form\npurpose news\n"
              "score score\nsegment s\ntemplate t\n");
    EXPECT_EQ(of(uses(parse_condition("score(p) > 1 and count(v where q = 1) > 1 and plan is set and in segment 'x'"))),
              "attribute plan\nevent v\nsegment x\ntopic p\n");
}

} // namespace
} // namespace nurture::language
