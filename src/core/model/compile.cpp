#include "core/base/error.hpp"
#include "core/guard/guard.hpp"
#include "core/language/references.hpp"
#include "core/model/builder.hpp"
#include "core/model/program.hpp"
#include "core/model/rule.hpp"
#include "core/model/usage.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace nurture::model {

namespace {

using namespace language;

// Runs f; an error in it is reported as one of the definition that it belongs to.
template <class F>
auto within(const char* kind, const std::string& name, std::string_view text, F f) -> decltype(f()) {
    try {
        return f();
    } catch (Error& error) {
        std::string detail = error.detail;
        if (detail.empty() && error.offset >= 0)
            detail = point_at(text, static_cast<std::size_t>(error.offset));
        Error named(error.kind, std::string(kind) + " \"" + name + "\": " + error.what(), detail, error.hint);
        named.offset = error.offset;
        throw named;
    }
}

class Compiler {
  public:
    explicit Compiler(Source source) : builder_(model_) {
        model_.source = std::move(source);
        model_.zone = Zone::find(model_.source.timezone);
    }

    Model run() {
        for (const WorkflowRow& row : model_.source.workflows)
            builder_.workflows.emplace(row.name, row.id);
        rules();
        streams();
        segments();
        workflows();
        if (!model_.source.policies.empty())
            model_.guards = std::make_shared<const guard::Guards>(
                guard::compile(model_.source.policies, model_.source.calendar, model_.zone));
        model_.remembers.resize(model_.segments.size(), 0);
        upcoming();
        return std::move(model_);
    }

    Usage usage; ///< filled by run()

  private:
    Model model_;
    Builder builder_;

    // Definitions that wait for their features: only those are taken from them.
    void upcoming() {
        for (const Source& source : model_.source.upcoming) {
            Model const model = Compiler(source).run();
            for (const Feature& feature : model.features)
                builder_.feature(feature.definition);
        }
    }

    void rules() {
        for (const RuleRow& row : model_.source.rules) {
            builder_.asked = &usage.rules.emplace_back();
            within("rule", row.name, row.definition,
                   [&] { compile_rule(builder_, model_, row.name, parse_rule(row.definition)); });
        }
        builder_.asked = nullptr;
        compile_limits(builder_, model_);
        compile_bands(builder_, model_);
    }

    void streams() {
        for (const StreamRow& row : model_.source.streams) {
            builder_.asked = &usage.streams.emplace_back();
            within("stream", row.name, row.definition, [&] { builder_.stream(row, parse_stream(row.definition)); });
        }
        builder_.asked = nullptr;
        std::sort(model_.stream_contents.begin(), model_.stream_contents.end());
    }

    void segments() {
        const auto& rows = model_.source.segments;
        std::vector<Condition> conditions;
        std::map<std::string, std::size_t> by_name;
        for (const SegmentRow& row : rows) {
            conditions.push_back(
                within("segment", row.name, row.condition, [&] { return parse_condition(row.condition); }));
            by_name.emplace(row.name, conditions.size() - 1);
            builder_.segment_names.push_back(row.name);
        }
        for (std::size_t const i : evaluation_order(conditions, by_name)) {
            const SegmentRow& row = rows[i];
            auto const index = static_cast<Index>(model_.segments.size());
            builder_.asked = &usage.segments[row.id];
            Index const condition = within("segment", row.name, row.condition,
                                           [&] { return builder_.condition(conditions[i], Scope::contact); });
            model_.segments.push_back({row.id, row.name, condition});
            model_.segments_by_id.emplace_back(row.id, index);
            builder_.segments.emplace(row.name, index);
        }
        builder_.asked = nullptr;
        std::sort(model_.segments_by_id.begin(), model_.segments_by_id.end());
    }

    // Each segment after those it names; a cycle is refused with its path.
    std::vector<std::size_t> evaluation_order(const std::vector<Condition>& conditions,
                                              const std::map<std::string, std::size_t>& by_name) {
        const auto& rows = model_.source.segments;
        std::vector<std::size_t> order, path;
        std::vector<char> state(conditions.size(), 0); // 1: on the path, 2: done
        std::function<void(std::size_t)> visit = [&](std::size_t i) {
            if (state[i] == 2)
                return;
            path.push_back(i);
            if (state[i] == 1) {
                std::string cycle;
                for (auto at = std::find(path.begin(), path.end(), i); at != path.end(); ++at)
                    cycle += (cycle.empty() ? "\"" : " → \"") + rows[*at].name + '"';
                throw Error(ErrorKind::invalid_definition, "segment \"" + rows[i].name + "\" refers to itself",
                            "The circle is " + cycle + ".", "Segments may refer to others, not to themselves.");
            }
            state[i] = 1;
            for (const Reference& named : references(conditions[i]))
                if (named.kind == ReferenceKind::segment)
                    if (auto const known = by_name.find(named.name); known != by_name.end())
                        visit(known->second); // an unknown name is reported when the condition is compiled
            state[i] = 2;
            path.pop_back();
            order.push_back(i);
        };
        for (std::size_t i = 0; i < conditions.size(); ++i)
            visit(i);
        return order;
    }

    void workflows() {
        builder_.followed = &model_.followed;
        for (const WorkflowRow& row : model_.source.workflows) {
            builder_.asked = &usage.workflows.emplace_back();
            model_.workflows.push_back(within("workflow", row.name, row.definition, [&] {
                return compile_workflow(builder_, row, parse_workflow(row.definition));
            }));
        }
        builder_.asked = nullptr;
        builder_.followed = nullptr;
        std::sort(model_.followed.begin(), model_.followed.end());
        model_.followed.erase(std::unique(model_.followed.begin(), model_.followed.end()), model_.followed.end());
        for (const Segment& segment : model_.segments)
            if (segment.hidden)
                usage.segments[segment.id]; // its features are its workflow's
        std::sort(model_.segments_by_id.begin(), model_.segments_by_id.end());
        check_rounds(model_);
    }
};

// --- what a change touches ----------------------------------------------------------------------------------------

void note(std::vector<Index>& dependents, Index segment) {
    if (dependents.empty() || dependents.back() != segment)
        dependents.push_back(segment);
}

void note_zone(Model& model, const ZoneRef& zone, Index segment) {
    if (zone.kind == ZoneChoice::Kind::contact)
        note(model.segments_of_attribute["timezone"], segment);
}

void note_dependencies(Model& model, Index node, Index segment);
void note_span(Model& model, const TimeRange& span, Index segment) {
    for (const RangeEnd* bound : {&span.from, &span.to})
        if (bound->kind == RangeEnd::Kind::attribute)
            note(model.segments_of_attribute[model.attributes[bound->attribute].keys.front()], segment);
}

void note_operand(Model& model, const Operand& operand, Index segment) {
    switch (operand.kind) {
    case OperandKind::property:
    case OperandKind::context:
    case OperandKind::now:
        break;
    case OperandKind::derived: {
        const Derived& derived = model.derived[operand.index];
        note_operand(model, derived.of, segment);
        note_zone(model, derived.zone, segment);
        break;
    }
    case OperandKind::attribute:
        note(model.segments_of_attribute[model.attributes[operand.index].keys.front()], segment);
        break;
    case OperandKind::score:
        each_rule_of(model, operand.index, [&](const ScoringRule& rule) {
            if (rule.condition != none)
                note_dependencies(model, rule.condition, segment);
            for (Index const feature : {rule.feature, rule.fresh})
                if (feature != none)
                    note(model.segments_of_feature[feature], segment);
            if (rule.source == ScoreSource::inactivity)
                note(model.segments_of_first_seen, segment);
        });
        break;
    case OperandKind::consent:
    case OperandKind::consent_expires:
        note(model.segments_of_consent, segment);
        break;
    case OperandKind::band:
        note(model.segments_of_ladder[operand.index], segment);
        break;
    default:
        note(model.segments_of_feature[operand.index], segment);
        if (operand.span != none)
            note_span(model, model.spans[operand.span], segment);
        if (operand.stay != none)
            for (Index const slot : {model.stays[operand.stay].seconds, model.stays[operand.stay].events})
                if (slot != none)
                    note(model.segments_of_feature[slot], segment);
    }
}

void note_sequence(Model& model, const Sequence& sequence, Index segment) {
    for (const SequenceStep& step : sequence.steps) {
        note(model.segments_of_feature[step.feature], segment);
        for (Index const slot : step.without)
            note(model.segments_of_feature[slot], segment);
    }
    if (sequence.sessions != none)
        note(model.segments_of_feature[sequence.sessions], segment);
    note_span(model, sequence.span, segment);
}

void note_dependencies(Model& model, Index node, Index segment) {
    const Node& n = model.nodes[node];
    if (n.op == Op::in_segment || n.op == Op::segment_past)
        note(model.segments_of_segment[n.segment], segment);
    else if (n.op == Op::negate || n.op == Op::all || n.op == Op::any || n.op == Op::at_least)
        for (Index const child : n.children)
            note_dependencies(model, child, segment);
    else if (n.op == Op::reached) {
        note_operand(model, n.operand, segment);
        note(model.segments_of_attribute["timezone"], segment);
    } else if (n.op == Op::history)
        note(model.segments_of_feature[model.history_tests[n.detail].feature], segment);
    else if (n.op == Op::journey)
        note(model.segments_of_workflow[model.journey_tests[n.detail].workflow], segment);
    else if (n.op == Op::sequence)
        note_sequence(model, model.sequences[n.detail], segment);
    else if (n.op != Op::constant && n.op != Op::sample)
        note_operand(model, n.operand, segment);
    if (n.op == Op::date)
        note_zone(model, model.date_tests[n.detail].zone, segment);
    if ((n.op == Op::compare_operands || n.op == Op::distinct) && n.constants.empty())
        note_operand(model, n.second, segment);
}

void link(Model& model) {
    model.segments_of_feature.resize(model.features.size());
    model.segments_of_segment.resize(model.segments.size());
    model.segments_of_ladder.resize(model.scoring.ladders.size());
    for (Index s = 0; s < model.segments.size(); ++s)
        note_dependencies(model, model.segments[s].condition, s);
}

void number_features(Model& model) {
    std::map<std::string, const FeatureRow*> rows;
    for (const FeatureRow& row : model.source.features)
        rows.emplace(row.definition, &row);
    for (Index slot = 0; slot < model.features.size(); ++slot) {
        Feature& feature = model.features[slot];
        auto const row = rows.find(feature.text);
        if (row == rows.end())
            throw Error(ErrorKind::invalid_definition, "feature \"" + feature.text + "\" is not registered");
        feature.id = row->second->id;
        feature.from_tick = row->second->from_tick;
        model.slots_by_id.emplace_back(feature.id, slot);
    }
    std::sort(model.slots_by_id.begin(), model.slots_by_id.end());
}

Index find_index(const std::vector<std::pair<std::uint32_t, Index>>& by_id, std::uint32_t id) noexcept {
    auto const place = std::lower_bound(by_id.begin(), by_id.end(), std::pair{id, Index{0}});
    return place != by_id.end() && place->first == id ? place->second : none;
}

} // namespace

Index Model::slot_of(std::uint32_t feature_id) const noexcept { return find_index(slots_by_id, feature_id); }
Index Model::segment_of(std::uint32_t segment_id) const noexcept { return find_index(segments_by_id, segment_id); }

Index Model::workflow_of(std::uint32_t id, std::uint32_t version) const noexcept {
    for (Index i = 0; i < workflows.size(); ++i)
        if (workflows[i].id == id && workflows[i].version == version)
            return i;
    return none;
}

Index Model::current_workflow(std::uint32_t id) const noexcept {
    for (Index i = 0; i < workflows.size(); ++i)
        if (workflows[i].id == id && workflows[i].current)
            return i;
    return none;
}

Index Model::topic_of(std::string_view name) const noexcept {
    for (Index i = 0; i < topics.size(); ++i)
        if (topics[i] == name)
            return i;
    return none;
}

Model analyse(const Source& source, Usage& usage) {
    Compiler compiler(source);
    Model model = compiler.run();
    usage = std::move(compiler.usage);
    return model;
}

std::vector<std::string> required_features(const Source& source) {
    Model const model = Compiler(source).run();
    std::vector<std::string> texts;
    for (const Feature& feature : model.features)
        texts.push_back(feature.text);
    return texts;
}

Model compile(Source source) {
    Model model = Compiler(std::move(source)).run();
    number_features(model);
    link(model);
    return model;
}

} // namespace nurture::model
