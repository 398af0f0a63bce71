#pragma once
// Rules, limits and bands on their way into a model.
#include "core/model/builder.hpp"

namespace nurture::model {

/// Adds the rule's parts to the model.
void compile_rule(Builder& builder, Model& model, const std::string& name, const language::Rule& rule);

/// The tree of topics and its limits; after all rules.
void compile_limits(Builder& builder, Model& model);
/// The ladders; after the limits.
void compile_bands(Builder& builder, Model& model);

/// Calls each(rule) for the rules that add to a topic (none: all).
template <class Each>
void each_rule_of(const Model& model, Index topic, Each each) {
    if (topic == none) {
        for (const ScoringRule& rule : model.rules)
            each(rule);
        return;
    }
    for (Index const rule : model.scoring.rules_of_topic[topic])
        each(model.rules[rule]);
}

} // namespace nurture::model
