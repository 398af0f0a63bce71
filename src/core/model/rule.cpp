#include "core/model/rule.hpp"

#include "core/base/error.hpp"

#include <algorithm>

namespace nurture::model {

using namespace language;

namespace {

// Scores may not ask for what depends on scores, nor on the path.
void check_fit(const Model& model, Index node) {
    const Node& n = model.nodes[node];
    if (n.op == Op::in_segment || n.operand.kind == OperandKind::score || n.operand.kind == OperandKind::band)
        throw Error(ErrorKind::invalid_definition, "a rule's condition may not use scores, bands or segments",
                    "Whoever gets points for a score would change it by having them.",
                    "Use attributes and behaviour.");
    for (Index const child : n.children)
        check_fit(model, child);
}

class RuleCompiler {
  public:
    RuleCompiler(Builder& builder, Model& model, const std::string& name, const Rule& rule)
        : builder_(builder), model_(model), name_(name), rule_(rule) {}

    void run() {
        check();
        RuleGroup group;
        group.name = name_;
        group.topic = rule_.topic ? builder_.topic(*rule_.topic) : none;
        group.first = static_cast<Index>(model_.rules.size());
        if (rule_.floor)
            group.limit.floor = *rule_.floor;
        if (rule_.ceiling)
            group.limit.ceiling = *rule_.ceiling;
        topic_ = group.topic;
        if (rule_.table)
            table();
        else
            add(rule_.points, {}, {});
        group.size = static_cast<Index>(model_.rules.size()) - group.first;
        model_.scoring.groups.push_back(std::move(group));
    }

  private:
    Builder& builder_;
    Model& model_;
    const std::string& name_;
    const Rule& rule_;
    Index topic_ = none;

    void check() const {
        if (rule_.half_life && rule_.half_life->exact() > DecayedSum::max_half_life)
            throw Error(ErrorKind::out_of_range, "the half-life is longer than 30 years");
        for (const auto& span : {rule_.fading ? std::optional(rule_.fading->span) : std::nullopt, rule_.starting_after})
            if (span && span->exact() > DecayedSum::max_half_life)
                throw Error(ErrorKind::out_of_range, "points do not wear off over more than 30 years");
        if (rule_.table && (rule_.cap || rule_.once_per))
            throw Error(ErrorKind::invalid_definition, "a table of points cannot be capped", {},
                        "Write a rule for each value, or a ceiling.");
    }

    // A table is one part for each value, and one for all others where those have points.
    void table() {
        In any{Attribute{rule_.table->by}, {}, true};
        for (const auto& [value, points] : rule_.table->values) {
            any.values.push_back(value);
            add(points, Condition{Comparison{Attribute{rule_.table->by}, Comparator::equal, value}}, print(value));
        }
        if (rule_.table->otherwise == 0)
            return;
        Or others;
        others.operands.push_back(Condition{IsSet{Attribute{rule_.table->by}, true}});
        others.operands.push_back(Condition{std::move(any)});
        add(rule_.table->otherwise, Condition{std::move(others)}, "else");
    }

    static Box<Condition> both(const Box<Condition>& a, const std::optional<Condition>& b) {
        if (!b)
            return a;
        if (!a)
            return *b;
        And all;
        for (const Box<Condition>& side : {a, Box<Condition>(*b)}) {
            if (const auto* inner = std::get_if<And>(&side->node))
                all.operands.insert(all.operands.end(), inner->operands.begin(), inner->operands.end());
            else
                all.operands.push_back(side);
        }
        return Condition{std::move(all)};
    }

    void add(Micro points, const std::optional<Condition>& filter, std::string value) {
        ScoringRule out;
        out.name = name_;
        out.value = std::move(value);
        out.points = points;
        out.topic = topic_;
        out.group = static_cast<Index>(model_.scoring.groups.size());
        if (rule_.kind == RuleKind::condition) {
            out.source = ScoreSource::condition;
            out.condition = builder_.condition(*both(rule_.condition, filter), Scope::contact);
            check_fit(model_, out.condition);
        } else if (rule_.kind == RuleKind::inactivity) {
            out.source = ScoreSource::inactivity;
            out.span = rule_.every.exact();
            out.cap = rule_.cap ? rule_.cap->occurrences : 0;
            profile::FeatureDefinition last;
            last.kind = profile::FeatureKind::last;
            last.event = rule_.event;
            out.feature = builder_.feature(std::move(last));
        } else {
            EventPattern event = rule_.event;
            event.where = both(event.where, filter);
            events(out, event);
        }
        model_.rules.push_back(std::move(out));
    }

    // What of the events is kept decides what the rule can be: sums where they suffice, else the events themselves.
    void events(ScoringRule& out, const EventPattern& event) {
        profile::FeatureDefinition definition;
        definition.event = event;
        definition.property = rule_.per;
        out.amount = rule_.per.has_value();
        out.after = rule_.starting_after ? rule_.starting_after->exact() : 0;
        if (rule_.fading) {
            out.fading = rule_.fading->kind;
            out.span = rule_.fading->span.exact();
            out.percent = rule_.fading->percent;
        }
        bool const entries = rule_.once_per || rule_.cap;
        if (entries)
            out.half_life = rule_.half_life ? rule_.half_life->exact() : 0;
        if (rule_.once_per) {
            definition.kind = profile::FeatureKind::keyed;
            definition.key = rule_.once_per;
            if (rule_.cap) {
                out.cap = rule_.cap->occurrences;
                out.cap_period = static_cast<std::int32_t>(rule_.cap->period);
            }
        } else if (rule_.cap) {
            definition.kind = profile::FeatureKind::capped;
            definition.cap = rule_.cap->occurrences;
            definition.period = static_cast<Period>(rule_.cap->period);
        } else if (rule_.fading) {
            definition.kind = profile::FeatureKind::recent;
            definition.window.micros = out.after + life(*rule_.fading);
        } else if (rule_.half_life) {
            definition.kind = profile::FeatureKind::decayed;
            definition.half_life = rule_.half_life->exact();
            if (out.after != 0) {
                profile::FeatureDefinition fresh = definition;
                fresh.kind = profile::FeatureKind::recent;
                fresh.half_life = 0;
                fresh.window.micros = out.after;
                out.fresh = builder_.feature(std::move(fresh));
            }
        } else {
            definition.kind = rule_.per ? profile::FeatureKind::sum : profile::FeatureKind::count;
        }
        out.feature = builder_.feature(std::move(definition));
    }

    // After this long nothing is left.
    static Span life(const Fading& fading) {
        if (fading.kind != FadingKind::step)
            return fading.span.exact();
        Micro const whole = 100 * micro_one;
        Micro const steps = (whole + fading.percent - 1) / fading.percent;
        Span out = 0;
        if (__builtin_mul_overflow(fading.span.exact(), steps, &out) || out > 100 * 366 * one_day)
            throw Error(ErrorKind::out_of_range, "points do not wear off over more than 100 years");
        return out;
    }
};

} // namespace

void compile_rule(Builder& builder, Model& model, const std::string& name, const Rule& rule) {
    RuleCompiler(builder, model, name, rule).run();
}

Index Builder::topic(const std::string& name) {
    auto const next = static_cast<Index>(model_.topics.size());
    auto const [place, added] = topics_.emplace(name, next);
    if (!added)
        return place->second;
    model_.topics.push_back(name);
    model_.scoring.parents.push_back(none);
    if (auto const point = name.rfind('.'); point != name.npos && point > 0) {
        Index const parent = topic(name.substr(0, point));
        model_.scoring.parents[next] = parent;
    }
    return next;
}

std::optional<Index> Builder::known_topic(const std::string& name) const {
    auto const known = topics_.find(name);
    return known == topics_.end() ? std::nullopt : std::optional(known->second);
}

void compile_limits(Builder& builder, Model& model) {
    Scoring& scoring = model.scoring;
    for (const LimitRow& row : model.source.limits)
        if (!row.topic.empty())
            (void)builder.topic(row.topic);
    if (!model.source.upcoming.empty()) // the rules of a band's topic may still be waiting for their features
        for (const BandRow& row : model.source.bands)
            if (!row.topic.empty())
                (void)builder.topic(row.topic);
    scoring.limits.resize(model.topics.size());
    for (const LimitRow& row : model.source.limits) {
        if (row.floor && row.ceiling && *row.floor > *row.ceiling)
            throw Error(ErrorKind::invalid_definition, "limit \"" + row.name + "\": the floor is higher than the ceiling");
        Limit& limit = row.topic.empty() ? scoring.overall : scoring.limits[*builder.known_topic(row.topic)];
        if (limit.any())
            throw Error(ErrorKind::invalid_definition, "limit \"" + row.name + "\": there is another one of the same topic");
        if (row.floor)
            limit.floor = *row.floor;
        if (row.ceiling)
            limit.ceiling = *row.ceiling;
    }
    scoring.limited = std::any_of(scoring.limits.begin(), scoring.limits.end(), [](const auto& l) { return l.any(); }) ||
                      std::any_of(scoring.groups.begin(), scoring.groups.end(), [](const auto& g) { return g.limit.any(); });
    for (Index t = 0; t < model.topics.size(); ++t)
        scoring.deepest_first.push_back(t);
    auto const depth = [&](Index t) { return std::count(model.topics[t].begin(), model.topics[t].end(), '.'); };
    std::stable_sort(scoring.deepest_first.begin(), scoring.deepest_first.end(),
                     [&](Index a, Index b) { return depth(a) > depth(b); });
    scoring.rules_of_topic.resize(model.topics.size() + 1);
    scoring.jumps_of_topic.resize(model.topics.size() + 1);
    for (Index r = 0; r < model.rules.size(); ++r) {
        const ScoringRule& rule = model.rules[r];
        bool const jumps = rule.points != 0 && (rule.source != ScoreSource::events || (rule.after != 0 && !rule.fading));
        auto const note = [&](Index place) {
            scoring.rules_of_topic[place].push_back(r);
            if (jumps)
                scoring.jumps_of_topic[place].push_back(r);
        };
        for (Index t = rule.topic; t != none; t = scoring.parents[t])
            note(t);
        note(static_cast<Index>(model.topics.size()));
    }
}

} // namespace nurture::model
