// A workflow for Mermaid (https://mermaid.js.org/syntax/flowchart.html).
#include "core/report/outline.hpp"
#include "core/report/svg.hpp"

#include <algorithm>

namespace nurture::report {
namespace {

/// In double quotes Mermaid takes all but these as they are; entities are written with # instead of &.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char const c : text) {
        if (c == '"')
            out += "#quot;";
        else if (c == '#')
            out += "#35;";
        else if (c == '<')
            out += "#lt;";
        else if (c == '>')
            out += "#gt;";
        else if (c == '`')
            out += "#96;";
        else
            out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + '"';
}

/// The name of a step's node: s3_then_1.
std::string node_of(std::string_view step) {
    std::string out = "s";
    for (char const c : step)
        out += c == '.' ? '_' : c;
    return out;
}

class Text {
  public:
    Text(const JourneyCounts& counts) : counts_(counts) {}

    std::string write(const Outline& outline) {
        std::string triggers;
        for (const std::string& trigger : outline.triggers)
            triggers += (triggers.empty() ? "" : ", ") + trigger;
        line("start([" + quoted(triggers) + "])");
        Tails const ends = block(outline.steps, {{"start", "", "started"}});
        for (const Tail& tail : ends) {
            bool const only = ends.size() == 1 && tail.label.empty() && !counts_.empty();
            if (only) {
                line(tail.node + " -->|" + quoted(svg::grouped(went_through(outline, counts_))) + "| done");
            } else {
                link(tail, "done", "", false);
            }
        }
        line("done([" + quoted(counts_.empty() ? "end" : "completed: " + svg::grouped(count("completed"))) + "])");
        for (const auto& [key, n] : counts_)
            if (key.starts_with("left: "))
                line("%% " + svg::grouped(n) + " left early: " + key.substr(6));
        return out_;
    }

  private:
    const JourneyCounts& counts_;
    std::string out_ = "flowchart TD\n";

    /// An edge that leads on, and how many went along it.
    struct Tail {
        std::string node, label, key;
    };
    using Tails = std::vector<Tail>;

    [[nodiscard]] std::int64_t count(std::string_view key) const {
        auto const found = counts_.find(key);
        return found == counts_.end() ? 0 : found->second;
    }
    void line(const std::string& text) { out_ += "    " + text + '\n'; }

    /// `only`: all that arrive come along this edge, so that the number is theirs.
    void link(const Tail& from, const std::string& to, const std::string& arrived, bool only) {
        std::string text = from.label;
        bool const by_way = !from.label.empty();
        if (!counts_.empty() && (by_way || (only && counts_.find(arrived) != counts_.end())))
            text += (text.empty() ? "" : " ") + svg::grouped(count(by_way ? from.key : arrived));
        line(from.node + (text.empty() ? " --> " : " -->|" + quoted(text) + "| ") + to);
    }

    Tails block(const std::vector<OutlineStep>& steps, Tails tails) {
        for (const OutlineStep& step : steps) {
            std::string const node = node_of(step.step);
            std::string text = step.step + ' ' + step.text;
            std::string label = quoted(text);
            if (std::int64_t const inside = count(step.step + '@'); inside != 0)
                label.insert(label.size() - 1, "<br/><b>" + svg::grouped(inside) + " waiting</b>");
            bool const choice = step.kind == StepKind::choice;
            bool const wait = step.kind == StepKind::wait || step.kind == StepKind::wait_for;
            line(node + (choice ? "{" + label + "}" : wait ? "(" + label + ")" : "[" + label + "]"));
            for (const Tail& tail : tails)
                link(tail, node, step.step, tails.size() == 1);
            tails.clear();
            if (step.kind == StepKind::exit) {
                line(node + " --> done");
                return {};
            }
            bool const plain = std::all_of(step.blocks.begin(), step.blocks.end(), [](const auto& b) { return b.steps.empty(); });
            if (plain) {
                tails.push_back({node, "", ""});
                continue;
            }
            for (const OutlineBlock& one : step.blocks) {
                bool const waits = step.kind == StepKind::wait_for;
                std::string const way = !one.text.empty()    ? one.text
                                        : one.way == "then" ? (waits ? "in time" : "yes")
                                        : one.way == "else" ? (waits ? "time is up" : "no")
                                                            : std::string();
                Tails const ends = block(one.steps, {{node, is_loop(step) ? "again" : way, step.step + ':' + one.way}});
                if (is_loop(step)) {
                    for (const Tail& end : ends)
                        link(end, node, "", false);
                    tails.push_back({node, "", ""});
                    break;
                }
                tails.insert(tails.end(), ends.begin(), ends.end());
            }
        }
        return tails;
    }
};

} // namespace

std::string mermaid_of(const Outline& outline, const JourneyCounts& counts) {
    return Text(counts).write(outline);
}

} // namespace nurture::report
