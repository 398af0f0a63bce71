#include "core/report/plots.hpp"
#include "core/report/svg.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <regex>
#include <sstream>

#include "core/base/error.hpp"
#include "core/base/time.hpp"

namespace nurture::report {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Element {
    std::string name;
    std::map<std::string, std::string> attributes;
    std::string text;
};

/// A strict reader of the XML that pictures may consist of: elements, attributes in double quotes, decimal character
/// references, ASCII. Anything else throws.
class Reader {
  public:
    explicit Reader(const std::string& xml) : xml_(xml) {
        element();
        if (at_ != xml_.size())
            fail("text behind the root");
    }
    [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }

  private:
    const std::string& xml_;
    std::size_t at_ = 0;
    std::vector<Element> elements_;

    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error(what + " at " + std::to_string(at_) + ": " + xml_.substr(at_, 40));
    }
    [[nodiscard]] char peek() const {
        if (at_ >= xml_.size())
            fail("unexpected end");
        return xml_[at_];
    }
    void expect(std::string_view token) {
        if (xml_.compare(at_, token.size(), token) != 0)
            fail("expected " + std::string(token));
        at_ += token.size();
    }
    std::string name() {
        std::size_t const from = at_;
        while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '-')
            ++at_;
        if (from == at_)
            fail("expected a name");
        return xml_.substr(from, at_ - from);
    }
    void character(std::string& out) {
        char const c = peek();
        if (c == '&') {
            std::smatch found;
            std::string const rest = xml_.substr(at_, 12);
            if (!std::regex_search(rest, found, std::regex("^&#([0-9]+);")))
                fail("bad reference");
            long const code = std::stol(found[1]);
            bool const valid = code == 9 || code == 10 || code == 13 || (code >= 0x20 && code < 0xd800) ||
                               (code >= 0xe000 && code < 0xfffe) || (code >= 0x10000 && code < 0x110000);
            if (!valid)
                fail("no XML character");
            out += code < 128 ? static_cast<char>(code) : '?';
            at_ += found[0].length();
            return;
        }
        if (c == '<' || c == '>' || (c < 32 && c != '\n' && c != '\t') || c == 127 || (c & 0x80) != 0)
            fail("bad character");
        out += c;
        ++at_;
    }
    void element() {
        expect("<");
        Element out;
        out.name = name();
        while (peek() == ' ') {
            ++at_;
            std::string const attribute = name();
            expect("=\"");
            std::string value;
            while (peek() != '"')
                character(value);
            ++at_;
            if (!out.attributes.emplace(attribute, value).second)
                fail("attribute given twice");
        }
        std::size_t const index = elements_.size();
        elements_.push_back(out);
        if (peek() == '/') {
            expect("/>");
            return;
        }
        expect(">");
        while (xml_.compare(at_, 2, "</") != 0) {
            if (peek() == '<') {
                element();
                continue;
            }
            character(elements_[index].text);
        }
        expect("</" + out.name + ">");
        while (at_ < xml_.size() && xml_[at_] == '\n')
            ++at_;
    }
};

double number(const Element& e, const std::string& attribute) {
    auto const found = e.attributes.find(attribute);
    if (found == e.attributes.end())
        return 0;
    if (!std::regex_match(found->second, std::regex("-?[0-9]+(\\.[0-9]{1,2})?")))
        throw std::runtime_error("no number: " + found->second);
    return std::stod(found->second);
}

std::size_t count(const Reader& reader, const std::string& name, const std::string& css) {
    std::size_t n = 0;
    for (auto const& e : reader.elements()) {
        auto const found = e.attributes.find("class");
        n += e.name == name && found != e.attributes.end() && std::regex_search(found->second, std::regex("\\b" + css + "\\b"));
    }
    return n;
}

/// Well-formed, ASCII, named, and everything in it inside the view box.
Reader checked(const std::string& svg) {
    Reader reader(svg);
    auto const& all = reader.elements();
    if (all.at(0).name != "svg" || all.at(1).name != "title" || all.at(2).name != "desc" || all.at(1).text.empty())
        throw std::runtime_error("no accessible name");
    double const w = number(all[0], "width");
    double const h = number(all[0], "height");
    auto const inside = [&](double x, double y) {
        if (!(x >= -0.01 && x <= w + 0.01 && y >= -0.01 && y <= h + 0.01))
            throw std::runtime_error("outside: " + std::to_string(x) + ", " + std::to_string(y));
    };
    for (auto const& e : all) {
        if (e.name == "rect") {
            inside(number(e, "x"), number(e, "y"));
            inside(number(e, "x") + number(e, "width"), number(e, "y") + number(e, "height"));
        } else if (e.name == "line") {
            inside(number(e, "x1"), number(e, "y1"));
            inside(number(e, "x2"), number(e, "y2"));
        } else if (e.name == "circle") {
            double const r = number(e, "r");
            inside(number(e, "cx") - r, number(e, "cy") - r);
            inside(number(e, "cx") + r, number(e, "cy") + r);
        } else if (e.name == "text") {
            double const size = svg::text_width(e.text, number(e, "font-size"));
            auto const anchor = e.attributes.find("text-anchor");
            double const x = number(e, "x") - (anchor == e.attributes.end() ? 0 : anchor->second == "end" ? size : size / 2);
            // Of characters beyond ASCII the reader keeps a question mark: only labels of ASCII are measured.
            if (e.text.find('?') == std::string::npos) {
                inside(x, number(e, "y") - number(e, "font-size"));
                inside(x + size, number(e, "y"));
            }
        } else if (e.name == "path") {
            std::string d = e.attributes.at("d");
            for (char& c : d)
                c = c == 'M' || c == 'L' || c == 'Z' ? ' ' : c;
            std::istringstream in(d);
            for (double x = 0, y = 0; in >> x >> y;)
                inside(x, y);
        }
    }
    return reader;
}

const Labels hostile = {"</title><script>alert(1)</script>", "a\"b'c&d", "&#60;", std::string("\0\x01\x1f\x7f", 4), "\xff\xc0\x80\xed\xa0\x80",
                        "\xef\xbf\xbf", "\u6771\u4eac \U0001F600", "]]>", "", std::string(5000, 'W'), "\t\n", "--><!--"};

std::string any_label() {
    return *rc::gen::oneOf(rc::gen::elementOf(hostile), rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
}

TEST(Svg, EscapesWhatIsMarkupOrNoXml) {
    EXPECT_EQ(svg::escape("<a href=\"x\">'&"), "&#60;a href=&#34;x&#34;&#62;&#39;&#38;");
    EXPECT_EQ(svg::escape("\u00e9\u6771\U0001F600"), "&#233;&#26481;&#128512;");
    EXPECT_EQ(svg::escape(std::string_view("a\0b\x1b", 4)), "a&#65533;b&#65533;");
    EXPECT_EQ(svg::escape("\xed\xa0\x80"), "&#65533;&#65533;&#65533;"); // half a surrogate pair
    EXPECT_EQ(svg::escape("\xc3"), "&#65533;");
    EXPECT_EQ(svg::escape("\xef\xbf\xbf"), "&#65533;"); // U+FFFF
}

TEST(Svg, WritesNumbersForPeople) {
    EXPECT_EQ(svg::grouped(0), "0");
    EXPECT_EQ(svg::grouped(999), "999");
    EXPECT_EQ(svg::grouped(-1234567), "-1,234,567");
    EXPECT_EQ(svg::grouped(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
    EXPECT_EQ(svg::brief(1234), "1,234");
    EXPECT_EQ(svg::brief(0.5), "0.5");
    EXPECT_EQ(svg::brief(12.34), "12.3");
    EXPECT_EQ(svg::brief(123456), "123 k");
    EXPECT_EQ(svg::brief(4567890), "4.57 M");
    EXPECT_EQ(svg::brief(-0.0), "0");
    EXPECT_EQ(svg::brief(1e-9), "<0.001");
    EXPECT_EQ(svg::percent(0), "0%");
    EXPECT_EQ(svg::percent(1), "100%");
    EXPECT_EQ(svg::percent(0.0004), "<0.1%");
    EXPECT_EQ(svg::percent(0.9999), ">99.9%");
    EXPECT_EQ(svg::percent(2.0 / 3), "66.7%");
    EXPECT_EQ(svg::tick_label(2.5, 2.5), "2.5");
    EXPECT_EQ(svg::tick_label(0.25, 0.25), "0.25");
    EXPECT_EQ(svg::tick_label(-0.0, 0.25), "0.00");
}

TEST(Svg, ScalesHoldTheirValuesWithFewRoundSteps) {
    EXPECT_TRUE(rc::check([] {
        double const low = *rc::gen::inRange(-1000000, 1000000) / 997.0;
        double const high = low + *rc::gen::inRange(0, 1000000) / 991.0;
        int const wanted = *rc::gen::inRange(2, 30);
        auto const scale = svg::scale_for(low, high, wanted);
        RC_ASSERT(scale.low <= low + scale.step * 1e-6 && scale.high >= high - scale.step * 1e-6);
        RC_ASSERT(scale.ticks().size() <= static_cast<std::size_t>(wanted) + 3);
        double const lead = scale.step / std::pow(10, std::floor(std::log10(scale.step) + 1e-9));
        RC_ASSERT(std::abs(lead - 1) < 1e-6 || std::abs(lead - 2) < 1e-6 || std::abs(lead - 2.5) < 1e-6 || std::abs(lead - 5) < 1e-6);
    }));
}

TEST(Svg, TimeTicksAreRoundMoments) {
    Time const at = 9'580 * one_day; // 25 March 2026
    EXPECT_EQ(svg::moment(at), "25 Mar 2026");
    EXPECT_EQ(svg::moment(at + 90 * one_minute), "25 Mar 2026 01:30");
    EXPECT_EQ(svg::moment(-one_day), "31 Dec 1999");
    auto const months = svg::time_ticks(at, at + 150 * one_day, 6);
    ASSERT_EQ(months.size(), 5U);
    EXPECT_EQ(months[0].label, "Apr 2026");
    EXPECT_EQ(svg::moment(months[4].at), "1 Aug 2026");
    for (auto const& tick : svg::time_ticks(at, at + 40 * one_day, 6))
        EXPECT_EQ((tick.at / one_day - 2) % 7, 0) << tick.label; // Mondays
}

// WCAG 2.1: text 4.5:1 (criterion 1.4.3). Labels stand in the colour of their line.
TEST(Svg, ColoursHaveContrastInLightAndDark) {
    EXPECT_NEAR(svg::contrast(0xffffff, 0x000000), 21, 0.001);
    EXPECT_NEAR(svg::contrast(0x777777, 0xffffff), 4.48, 0.005);
    for (auto const& colour : svg::series) {
        EXPECT_GE(svg::contrast(colour.light, svg::background.light), 4.5) << std::hex << colour.light;
        EXPECT_GE(svg::contrast(colour.dark, svg::background.dark), 4.5) << std::hex << colour.dark;
    }
    for (auto const& colour : {svg::ink, svg::muted}) {
        EXPECT_GE(svg::contrast(colour.light, svg::background.light), 4.5);
        EXPECT_GE(svg::contrast(colour.dark, svg::background.dark), 4.5);
    }
    for (int i = 0; i < svg::ramp_steps; ++i)
        for (auto const c : {svg::ramp(i).light, svg::ramp(i).dark})
            EXPECT_GE(svg::contrast(c, svg::ink_on(c)), 4.5) << i;
    for (int i = 1; i < svg::ramp_steps; ++i) { // told apart by lightness alone, in one direction
        EXPECT_GT(svg::contrast(svg::ramp(i).light, 0xffffff), svg::contrast(svg::ramp(i - 1).light, 0xffffff));
        EXPECT_GT(svg::contrast(svg::ramp(i).dark, 0), svg::contrast(svg::ramp(i - 1).dark, 0));
    }
}

TEST(Plots, AreWellFormedWhateverTheLabels) {
    for (auto const& label : hostile) {
        auto const reader = checked(plot_funnel({label, "b"}, std::vector<std::int64_t>{5, 2}, label));
        for (auto const& e : reader.elements())
            EXPECT_NE(e.name, "script");
        checked(plot_retention({label, label}, std::vector<std::int32_t>{0, 1}, std::vector<double>{1, 0.5},
                               std::vector<std::int64_t>{7, 7}, label));
        checked(plot_bars({label}, std::vector<double>{1}, {label}, label));
        checked(plot_segments(std::vector<std::int64_t>{0}, {label}, std::vector<std::int64_t>{1}, label));
        checked(plot_scores(std::vector<double>{1}, {}, label));
    }
}

TEST(Plots, FunnelIsInsideItsBoxAndInProportion) {
    EXPECT_TRUE(rc::check([] {
        auto const n = *rc::gen::inRange<std::size_t>(1, 33);
        Labels names;
        std::vector<std::int64_t> reached;
        for (std::size_t i = 0; i < n; ++i) {
            names.push_back(any_label());
            reached.push_back(*rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 1000),
                                              rc::gen::element(std::int64_t{0}, std::numeric_limits<std::int64_t>::max())));
        }
        auto const reader = checked(plot_funnel(names, reached, any_label()));
        RC_ASSERT(count(reader, "rect", "f1") == n);
        RC_ASSERT(count(reader, "path", "w") == n - 1);
    }));
    auto const reader = checked(plot_funnel({"a", "b"}, std::vector<std::int64_t>{100, 25}, ""));
    std::vector<double> widths;
    for (auto const& e : reader.elements())
        if (e.name == "rect" && e.attributes.at("class") == "f1")
            widths.push_back(number(e, "width"));
    EXPECT_NEAR(widths.at(1) / widths.at(0), 0.25, 0.001);
}

TEST(Plots, RetentionHasACellForEveryShare) {
    EXPECT_TRUE(rc::check([] {
        int const rows = *rc::gen::inRange(1, 20);
        int const columns = *rc::gen::inRange(1, 61);
        bool const with_members = *rc::gen::arbitrary<bool>();
        Labels cohorts;
        std::vector<std::int32_t> periods;
        std::vector<double> shares;
        std::vector<std::int64_t> members;
        for (int row = 0; row < rows; ++row)
            for (int column = 0; column < columns; ++column) {
                if (column > 0 && *rc::gen::inRange(0, 3) == 0)
                    continue;
                cohorts.push_back("cohort " + std::to_string(row));
                periods.push_back(column);
                shares.push_back(*rc::gen::inRange(0, 1001) / 1000.0);
                if (with_members)
                    members.push_back(row * 100003);
            }
        auto const reader = checked(plot_retention(cohorts, periods, shares, members, "t"));
        std::size_t cells = 0;
        for (int i = 0; i < svg::ramp_steps; ++i)
            cells += count(reader, "rect", "r" + std::to_string(i));
        if (with_members && rows > 1)
            RC_ASSERT(cells >= shares.size());
        else
            RC_ASSERT(cells == shares.size());
    }));
    // The mean is weighted: (10 × 0.5 + 30 × 0.1) / 40 = 20 %.
    auto const text = plot_retention({"a", "a", "b", "b"}, std::vector<std::int32_t>{0, 1, 0, 1},
                                     std::vector<double>{1, 0.5, 1, 0.1}, std::vector<std::int64_t>{10, 10, 30, 30}, "");
    EXPECT_NE(text.find("all cohorts, period 1: 20%"), std::string::npos);
}

TEST(Plots, HistogramCountsEveryScoreOnce) {
    EXPECT_TRUE(rc::check([] {
        auto const scores = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(rc::gen::oneOf(
            rc::gen::map(rc::gen::inRange(-500, 500), [](int i) { return i / 4.0; }),
            rc::gen::element(0.0, -0.0, 1e15, -1e15, 1e-300, 5e-324, 1e9))));
        std::vector<std::uint8_t> outcomes;
        if (*rc::gen::arbitrary<bool>())
            for (std::size_t i = 0; i < scores.size(); ++i)
                outcomes.push_back(*rc::gen::inRange(0, 2));
        auto const svg = plot_scores(scores, outcomes, "t");
        auto const reader = checked(svg);
        std::size_t sum = 0;
        auto const& all = reader.elements();
        for (std::size_t i = 0; i + 1 < all.size(); ++i)
            if (all[i].name == "rect" && all[i].attributes.at("class") == "f1")
                sum += std::stoul(all[i + 1].text.substr(all[i + 1].text.rfind(' ') + 1));
        RC_ASSERT(sum == scores.size());
        if (!outcomes.empty())
            RC_ASSERT(count(reader, "circle", "f2") == count(reader, "rect", "f1"));
    }));
    // 100 lies far beyond: it shares the open band, and does not press 0 … 9 into one.
    std::vector<double> scores;
    for (int i = 0; i < 1000; ++i)
        scores.push_back(i % 10);
    scores.push_back(1000);
    auto const reader = checked(plot_scores(scores, {}, ""));
    EXPECT_EQ(count(reader, "rect", "f1"), 10U);
}

TEST(Plots, BarsAndLinesStayInside) {
    EXPECT_TRUE(rc::check([] {
        Labels names;
        Labels panels;
        std::vector<double> values;
        int const columns = *rc::gen::inRange(1, 7);
        for (int row = 0; row < *rc::gen::inRange(1, 12); ++row)
            for (int column = 0; column < columns; ++column) {
                names.push_back("row " + std::to_string(row));
                panels.push_back("panel " + std::to_string(column));
                values.push_back(*rc::gen::element(0.0, 1.0, -1.0, 1e-12, 3.75, -250.0, 1e14, 1e299, -1e20));
            }
        auto const reader = checked(plot_bars(names, values, panels, "t"));
        std::size_t bars = 0;
        for (int i = 1; i <= 6; ++i)
            bars += count(reader, "rect", "f" + std::to_string(i));
        RC_ASSERT(bars == values.size());
    }));
    EXPECT_TRUE(rc::check([] {
        std::vector<std::int64_t> at;
        std::vector<std::int64_t> sizes;
        Labels names;
        int const lines = *rc::gen::inRange(1, 9);
        Time const step = *rc::gen::element<Time>(1, one_second, one_hour, one_day, 37 * one_day, 4000 * one_day);
        for (int line = 0; line < lines; ++line)
            for (int i = 0; i < *rc::gen::inRange(1, 40); ++i) {
                at.push_back(i * step - 1000 * one_day);
                names.push_back("segment with a name of some length " + std::to_string(line));
                sizes.push_back(*rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 50),
                                                rc::gen::just(std::numeric_limits<std::int64_t>::max())));
            }
        auto const reader = checked(plot_segments(at, names, sizes, "t"));
        std::vector<double> places; // of the names at the ends
        for (auto const& e : reader.elements())
            if (e.name == "text" && e.attributes.at("class")[0] == 'f')
                places.push_back(number(e, "y"));
        std::sort(places.begin(), places.end());
        RC_ASSERT(places.size() == static_cast<std::size_t>(lines));
        for (std::size_t i = 1; i < places.size(); ++i)
            RC_ASSERT(places[i] - places[i - 1] >= 18.9);
    }));
}

template <class F>
std::string refusal(F f) {
    try {
        (void)f();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing";
}

TEST(Plots, RefuseWhatCannotBeDrawn) {
    using Counts = std::vector<std::int64_t>;
    using Numbers = std::vector<double>;
    using Periods = std::vector<std::int32_t>;
    EXPECT_EQ(refusal([] { return plot_funnel({}, Counts{}, ""); }), "there is nothing to draw: labels is empty");
    EXPECT_EQ(refusal([] { return plot_funnel({"a"}, Counts{1, 2}, ""); }), "labels and reached must have the same length");
    EXPECT_EQ(refusal([] { return plot_funnel({"a"}, Counts{-1}, ""); }), "reached must not be negative");
    EXPECT_EQ(refusal([] { return plot_retention({"a"}, Periods{0}, Numbers{std::nan("")}, {}, ""); }), "shares must be finite numbers");
    EXPECT_EQ(refusal([] { return plot_retention({"a"}, Periods{0}, Numbers{1.5}, {}, ""); }), "shares must be between 0 and 1");
    EXPECT_EQ(refusal([] { return plot_retention({"a"}, Periods{-1}, Numbers{1}, {}, ""); }), "periods must not be negative");
    EXPECT_EQ(refusal([] { return plot_retention({"a"}, Periods{60}, Numbers{1}, {}, ""); }), "too many periods for one picture");
    EXPECT_EQ(refusal([] { return plot_retention({"a", "a"}, Periods{1, 1}, Numbers{1, 0}, {}, ""); }), "cohort \"a\" has two shares for period 1");
    EXPECT_EQ(refusal([] { return plot_scores(Numbers{}, {}, ""); }), "there is nothing to draw: scores is empty");
    EXPECT_EQ(refusal([] { return plot_scores(Numbers{1, -infinity}, {}, ""); }), "scores must be finite numbers");
    EXPECT_EQ(refusal([] { return plot_scores(Numbers{1e16}, {}, ""); }), "scores must be between -10^15 and 10^15");
    EXPECT_EQ(refusal([] { return plot_bars({"a", "a"}, Numbers{1, 2}, {}, ""); }), "\"a\" has two values");
    EXPECT_EQ(refusal([] { return plot_bars({"a", "b"}, Numbers{-1.7e308, 1.7e308}, {}, ""); }), "the values are too far apart to be drawn to one scale");
    EXPECT_EQ(refusal([] { return plot_segments(Counts{1, 1}, {"a", "a"}, Counts{1, 2}, ""); }), "segment \"a\" has two sizes at the same time");
    EXPECT_EQ(refusal([] { return plot_segments(Counts{never}, {"a"}, Counts{1}, ""); }), "times must be between the years 1 and 9999");
}

} // namespace
} // namespace nurture::report
