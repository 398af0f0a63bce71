#include "core/report/why.hpp"

#include "core/base/error.hpp"
#include "core/language/language.hpp"
#include "core/step/facts.hpp"

namespace nurture::report {

using model::Index;
using model::none;
using model::Op;
using step::Facts;
using step::Truth;

namespace {

Index segment_named(const model::Model& model, std::string_view name) {
    std::vector<std::string> names;
    for (Index s = 0; s < model.segments.size(); ++s) {
        if (model.segments[s].hidden)
            continue;
        if (model.segments[s].name == name)
            return s;
        names.push_back(model.segments[s].name);
    }
    throw Error(ErrorKind::undefined_name, "segment \"" + std::string(name) + "\" does not exist",
                "No segment in force has this name.", language::suggest(name, names));
}

const char* text_of(Truth truth) { return truth == Truth::yes ? "true" : truth == Truth::no ? "false" : "unknown"; }

class Walk {
  public:
    Walk(const Facts& facts, Time at) : facts_(facts), at_(at) {}
    std::vector<WhyLine> lines;

    void all(Index index, std::int32_t depth) {
        lines.push_back(line(index, depth));
        for (Index const child : facts_.model.nodes[index].children)
            all(child, depth + 1);
    }

    // What would have to be otherwise for the node to be `wanted`.
    void obstacles(Index index, bool wanted, std::int32_t depth) {
        const auto& node = facts_.model.nodes[index];
        Truth const truth = facts_.evaluate(index, at_).truth;
        if (truth == (wanted ? Truth::yes : Truth::no))
            return;
        if (node.children.empty()) {
            lines.push_back(line(index, depth));
            return;
        }
        for (Index const child : node.children)
            obstacles(child, node.op == Op::negate ? !wanted : wanted, depth + 1);
    }

  private:
    const Facts& facts_;
    Time at_;

    [[nodiscard]] WhyLine line(Index index, std::int32_t depth) const {
        const auto& node = facts_.model.nodes[index];
        auto shown = facts_.show(index, at_);
        WhyLine out;
        out.depth = depth;
        out.condition = node.text;
        out.leaf = node.children.empty();
        out.value = text_of(shown.outcome.truth);
        out.flips = shown.outcome.flips;
        out.bound = shown.outcome.bound;
        out.actual = (out.bound ? "at least " : "") + shown.left;
        return out;
    }
};

} // namespace

std::vector<WhyLine> why(const model::Model& model, const profile::Profile& profile, std::string_view segment, Time at,
                         std::string_view key) {
    Facts const facts(model, profile, key);
    Walk walk(facts, at);
    walk.all(model.segments[segment_named(model, segment)].condition, 0);
    return std::move(walk.lines);
}

std::vector<WhyLine> why_not(const model::Model& model, const profile::Profile& profile, std::string_view segment,
                             Time at, std::string_view key) {
    Facts const facts(model, profile, key);
    Walk walk(facts, at);
    walk.obstacles(model.segments[segment_named(model, segment)].condition, true, 0);
    return std::move(walk.lines);
}

} // namespace nurture::report
