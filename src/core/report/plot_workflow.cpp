// A workflow as a flow chart: steps beneath each other, the ways of a choice side by side, how many went along each edge.
#include "core/report/outline.hpp"
#include "core/report/svg.hpp"

#include "core/base/error.hpp"

#include <algorithm>
#include <array>

namespace nurture::report {
namespace {

constexpr double box_width = 232;
constexpr double box_height = 46;
constexpr double edge = 40;        // from one box to the next
constexpr double lane = 170;       // of a way on which nothing is done
constexpr double between = 20;     // two ways
constexpr double bend = 16;        // where ways part and meet
constexpr double loop_room = 28;   // beside a loop, for the way back
constexpr double widest = 6'000;

double width_of(const std::vector<OutlineStep>& steps);

double width_of(const OutlineStep& step) {
    double out = 0;
    for (const OutlineBlock& block : step.blocks)
        out += (out == 0 ? 0 : between) + (block.steps.empty() ? lane : width_of(block.steps));
    return std::max(out, box_width) + (is_loop(step) ? 2 * loop_room : 0);
}

double width_of(const std::vector<OutlineStep>& steps) {
    double out = box_width;
    for (const OutlineStep& step : steps)
        out = std::max(out, width_of(step));
    return out;
}

/// What a box of this kind is tinted with.
std::string_view tint_of(StepKind kind) {
    switch (kind) {
    case StepKind::send:
        return "f1 w";
    case StepKind::act:
    case StepKind::set:
        return "f3 w";
    case StepKind::choice:
    case StepKind::parallel:
        return "f5 w";
    case StepKind::exit:
        return "f2 w";
    default:
        return "f8 w";
    }
}

/// The text in one line, or in two when it is longer: parted at a blank.
std::vector<std::string> lines_of(std::string_view text, double size, double room) {
    if (svg::text_width(text, size) <= room)
        return {std::string(text)};
    std::size_t cut = 0;
    for (std::size_t at = text.find(' '); at != std::string_view::npos; at = text.find(' ', at + 1))
        if (svg::text_width(text.substr(0, at), size) <= room)
            cut = at;
    if (cut == 0)
        return {std::string(text)};
    return {std::string(text.substr(0, cut)), std::string(text.substr(cut + 1))};
}

std::string way_of(const OutlineStep& step, const OutlineBlock& block) {
    if (step.kind == StepKind::wait_for)
        return block.way == "else" ? "time is up" : block.text.empty() ? "in time" : block.text;
    return !block.text.empty() ? block.text : block.way == "then" ? "yes" : block.way == "else" ? "no" : std::string();
}

class Chart {
  public:
    Chart(const JourneyCounts& counts) : counts_(counts) {}

    std::string draw(const Outline& outline, std::string_view title) {
        double const inner = width_of(outline.steps);
        if (inner > widest)
            throw Error(ErrorKind::limit_exceeded, "the workflow has too many ways side by side to be drawn", {},
                        "Mermaid draws it: format => 'mermaid'.");
        double const wide = std::max(svg::width, inner + 2 * svg::margin);
        double const centre = wide / 2;
        double y = picture_.heading(title, subtitle());
        y = header(outline, centre, y);
        double const before = y;
        bool const open = block(outline.steps, centre, y);
        if (open || y == before) {
            arrow(centre, y, y + edge);
            label(centre, y + edge / 2 - 3, counted() ? svg::grouped(went_through(outline, counts_)) : std::string());
            y += edge;
        }
        pill(centre, y, counted() ? "completed: " + number("completed") : "end");
        y += box_height;
        y = leavers(outline, y);
        return picture_.finish(y + svg::margin, title.empty() ? "Workflow" : title, describe(outline), wide);
    }

  private:
    const JourneyCounts& counts_;
    svg::Picture picture_;

    [[nodiscard]] bool counted() const { return !counts_.empty(); }
    [[nodiscard]] std::int64_t count(std::string_view key) const {
        auto const found = counts_.find(key);
        return found == counts_.end() ? 0 : found->second;
    }
    [[nodiscard]] std::string number(std::string_view key) const {
        return counted() ? svg::grouped(count(key)) : std::string();
    }
    /// How many came to a step; of a label nobody knows.
    [[nodiscard]] std::string arrived(const std::string& step) const {
        return counts_.find(step) == counts_.end() ? std::string() : number(step);
    }

    [[nodiscard]] std::string subtitle() const {
        if (!counted())
            return "";
        return svg::grouped(count("started")) + " started, " + number("inside") + " inside, " + number("completed") +
               " completed";
    }

    void label(double x, double y, std::string_view text, double room = 110) {
        if (!text.empty())
            picture_.text("m", x + 7, y + 4, text, svg::Anchor::start, 13, room);
    }

    void arrow(double x, double from, double to) {
        picture_.line("a thin", x, from, x, to);
        std::array<std::array<double, 2>, 3> const head{{{x - 4, to - 7}, {x + 4, to - 7}, {x, to}}};
        picture_.path("m", head, true);
    }

    /// Returns how high it is.
    double box(double x, double y, const OutlineStep& step, std::string_view below) {
        constexpr double size = 13.5, pitch = 18, room = box_width - 20;
        double const left = x - box_width / 2;
        auto const lines = lines_of(step.text, size, room);
        double const height = std::max(box_height, pitch * static_cast<double>(lines.size() + (below.empty() ? 0 : 1)) + 10);
        picture_.rect("bg g", left, y, box_width, height, {}, 7);
        picture_.rect(tint_of(step.kind), left, y, box_width, height, step.step + ": " + step.text, 7);
        double line = y + (height - pitch * static_cast<double>(lines.size() + (below.empty() ? 0 : 1))) / 2 + 14;
        for (const std::string& one : lines) {
            picture_.text("t", x, line, one, svg::Anchor::middle, size, room);
            line += pitch;
        }
        if (!below.empty())
            picture_.text("t b", x, line, below, svg::Anchor::middle, 13, room);
        picture_.text("m", left + 2, y - 5, step.step, svg::Anchor::start, 10.5, box_width / 2 - 10);
        return height;
    }

    void pill(double x, double y, std::string_view text) {
        picture_.rect("f3 w", x - box_width / 2, y, box_width, box_height, {}, box_height / 2);
        picture_.text("t b", x, y + box_height / 2 + 5, text, svg::Anchor::middle, 14, box_width - 24);
    }

    double header(const Outline& outline, double x, double y) {
        double const height = 20.0 * static_cast<double>(outline.triggers.size()) + 16;
        double const wide = box_width * 1.5;
        picture_.rect("f1 w", x - wide / 2, y, wide, height, {}, std::min(height / 2, 20.0));
        for (std::size_t i = 0; i < outline.triggers.size(); ++i)
            picture_.text("t b", x, y + 22 + 20 * static_cast<double>(i), outline.triggers[i], svg::Anchor::middle, 14, wide - 28);
        return y + height;
    }

    /// Draws the steps from y on and moves y to where they end; false when nobody goes on from there.
    bool block(const std::vector<OutlineStep>& steps, double x, double& y, bool labelled = false) {
        for (const OutlineStep& step : steps) {
            arrow(x, y, y + edge);
            if (!labelled)
                label(x, y + edge / 2 - 3, arrived(step.step));
            labelled = false;
            y += edge;
            std::int64_t const inside = count(step.step + '@');
            y += box(x, y, step, inside == 0 ? "" : svg::grouped(inside) + " waiting");
            if (step.kind == StepKind::exit)
                return false;
            if (!step.blocks.empty() && !ways(step, x, y))
                return false;
        }
        return true;
    }

    bool ways(const OutlineStep& step, double x, double& y) {
        bool const plain = std::all_of(step.blocks.begin(), step.blocks.end(), [](const auto& b) { return b.steps.empty(); });
        if (plain) // both go on at once
            return true;
        double total = 0;
        for (const OutlineBlock& block : step.blocks)
            total += (total == 0 ? 0 : between) + (block.steps.empty() ? lane : width_of(block.steps));
        double left = x - total / 2;
        double const box_end = y, top = y + bend;
        picture_.line("a thin", x, y, x, top);
        struct Open {
            double x, y;
        };
        std::vector<Open> open;
        double bottom = top;
        for (const OutlineBlock& one : step.blocks) {
            double const wide = one.steps.empty() ? lane : width_of(one.steps);
            double const centre = left + wide / 2;
            picture_.line("a thin", x, top, centre, top);
            std::string const amount = number(step.step + ':' + one.way);
            picture_.text("t", centre + 7, top + 16, (amount.empty() ? "" : amount + " ") + way_of(step, one), svg::Anchor::start, 12.5,
                          wide / 2 - 9 + between);
            double end = top + 6;
            picture_.line("a thin", centre, top, centre, end);
            if (block(one.steps, centre, end, true))
                open.push_back({centre, end});
            bottom = std::max(bottom, end);
            left += wide + between;
        }
        y = bottom + bend;
        for (const Open& way : open) {
            picture_.line("a thin", way.x, way.y, way.x, y);
            picture_.line("a thin", way.x, y, x, y);
        }
        if (is_loop(step) && !open.empty())
            way_back(x, y, x - width_of(step) / 2 + 8, box_end - box_height / 2);
        return !open.empty();
    }

    /// From the end of a loop to the box that begins it.
    void way_back(double x, double y, double left, double box) {
        double const to = x - box_width / 2;
        picture_.line("a thin", x, y, left, y);
        picture_.line("a thin", left, y, left, box);
        picture_.line("a thin", left, box, to, box);
        std::array<std::array<double, 2>, 3> const head{{{to - 7, box - 4}, {to - 7, box + 4}, {to, box}}};
        picture_.path("m", head, true);
    }

    /// Who left before the end, and what would make them.
    double leavers(const Outline& outline, double y) {
        constexpr std::string_view prefix = "left: ";
        std::vector<std::string> lines;
        for (const auto& [key, n] : counts_)
            if (key.starts_with(prefix))
                lines.push_back(svg::grouped(n) + " left early: " + key.substr(prefix.size()));
        if (!counted())
            lines = outline.exits;
        for (const std::string& line : lines) {
            y += 24;
            picture_.text("m", svg::margin, y, line, svg::Anchor::start, 14, svg::width - 2 * svg::margin);
        }
        return y + (lines.empty() ? 0 : 4);
    }

    [[nodiscard]] std::string describe(const Outline& outline) const {
        std::string out;
        for (const std::string& trigger : outline.triggers)
            out += (out.empty() ? "" : ", ") + trigger;
        describe(outline.steps, out);
        return out + ".";
    }
    void describe(const std::vector<OutlineStep>& steps, std::string& out) const {
        for (const OutlineStep& step : steps) {
            out += "; " + step.step + ": " + step.text;
            if (std::string const amount = arrived(step.step); !amount.empty())
                out += " (" + amount + ")";
            for (const OutlineBlock& block : step.blocks)
                describe(block.steps, out);
        }
    }
};

} // namespace

std::string draw_workflow(const Outline& outline, const JourneyCounts& counts, std::string_view title) {
    return Chart(counts).draw(outline, title);
}

} // namespace nurture::report
