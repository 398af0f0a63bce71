#include "core/language/references.hpp"

#include "core/language/language.hpp"

#include <algorithm>

namespace nurture::language {

namespace {

/// Walks a definition once and keeps all it names.
class Collector {
public:
    std::vector<Reference> found;
    std::vector<std::string> types;
    std::vector<Use> used;

    void visit(const Condition& condition) {
        std::visit([this](const auto& node) { (*this)(node); }, condition.node);
    }
    void visit(const Rule& rule) {
        if (rule.kind != RuleKind::condition)
            visit(rule.event);
        else if (rule.condition)
            visit(*rule.condition);
        if (rule.kind == RuleKind::condition && rule.table)
            read(rule.table->by);
    }
    void visit(const Workflow& workflow) {
        in_workflow_ = true;
        for (const Trigger& trigger : workflow.triggers)
            std::visit([this](const auto& on) { (*this)(on); }, trigger);
        for (const JourneyEvent& event : workflow.exit_on)
            visit(event);
        for (const Box<Condition>& condition : workflow.exit_when)
            visit(*condition);
        for (const Goal& goal : workflow.goals)
            visit(goal.what);
        visit(workflow.steps);
    }

    // Operands.
    void operator()(const Attribute& attribute) { read(attribute.path); }
    void operator()(const Count& count) { visit_within(count); }
    void operator()(const Aggregate& aggregate) { visit_within(aggregate); }
    void operator()(const Occurrence& occurrence) { visit_within(occurrence); }
    void operator()(const Days& days) { visit_within(days); }
    void operator()(const DaysSince& days) { visit_within(days); }
    void operator()(const Sessions& sessions) { visit_within(sessions); }
    void operator()(const SessionPage& page) { visit(page.event); }
    void operator()(const Score& score) {
        if (!score.topic)
            use("score", "score");
        if (score.topic)
            found.push_back({ReferenceKind::topic, *score.topic, score.offset.byte});
    }
    void operator()(const Band& band) {
        if (!band.topic)
            use("score", "score");
        if (band.topic)
            found.push_back({ReferenceKind::topic, *band.topic, band.offset.byte});
    }
    void operator()(const Now&) {}
    void operator()(const DatePart& part) {
        if (part.of)
            read(*part.of);
        visit(part.zone);
    }
    void operator()(const Anniversary& anniversary) { read(anniversary.of); }
    void operator()(const Items& items) { read(items.list); }
    void operator()(const Domain& domain) { read(domain.address); }
    void operator()(const Consent& consent) {
        use("channel", consent.channel);
        if (consent.purpose)
            use("purpose", *consent.purpose);
    }

    // Conditions.
    void operator()(const Comparison& c) { visit(c.left); }
    void operator()(const Between& b) { visit(b.left); }
    void operator()(const In& in) { visit(in.left); }
    void operator()(const Like& like) { visit(like.left); }
    void operator()(const IsSet& test) { visit(test.left); }
    void operator()(const Truth& truth) { visit(truth.operand); }
    void operator()(const Constant&) {}
    void operator()(const Did& did) { visit_within(did); }
    void operator()(const Regularly& regularly) { visit(regularly.event); }
    void operator()(const Trend& trend) { visit(trend.left); }
    void operator()(const Sequence& sequence) {
        for (const SequenceStep& step : sequence.steps) {
            visit(step.event);
            for (const EventPattern& event : step.without)
                visit(event);
        }
        visit(sequence.window);
    }
    void operator()(const InSession& in) { visit(in.event); }
    void operator()(const InSegment& in) { mention(in); }
    void operator()(const Not& negation) { visit(*negation.operand); }
    void operator()(const And& all) { visit(all.operands); }
    void operator()(const Or& any) { visit(any.operands); }
    void operator()(const ComparePaths& c) {
        visit(c.left);
        read(c.right);
    }
    void operator()(const DistinctFrom& d) {
        visit(d.left);
        if (const auto* path = std::get_if<Path>(&d.right))
            read(*path);
    }
    void operator()(const TextTest& test) { visit(test.left); }
    void operator()(const IsEmpty& test) { visit(test.left); }
    void operator()(const HasItems& test) { visit(test.left); }
    void operator()(const Ignoring& how) { visit(*how.test); }
    void operator()(const Changed& changed) { read(changed.attribute); }
    void operator()(const HasBeen& has_been) { read(has_been.attribute); }
    void operator()(const DateTest& test) {
        visit(test.left);
        visit(test.zone);
    }
    void operator()(const InSegmentFor& in) { mention(in); }
    void operator()(const MovedSegment& moved) { mention(moved); }
    void operator()(const WasInSegment& was) { mention(was); }
    void operator()(const OnList& on) { found.push_back({ReferenceKind::list, on.list, on.offset.byte}); }
    void operator()(const Sample&) {}
    void operator()(const AtLeastOf& some) { visit(some.operands); }
    void operator()(const Exhausted& test) { found.push_back({ReferenceKind::stream, test.stream, test.offset.byte}); }
    void operator()(const InJourney& in) { found.push_back({ReferenceKind::workflow, in.workflow, in.offset.byte}); }

    // Steps.
    void operator()(const Wait&) {}
    void operator()(const WaitUntil& wait) {
        use("attribute", "timezone");
        if (const auto* date = std::get_if<UntilDate>(&wait.what))
            read(date->attribute);
    }
    void operator()(const WaitFor& wait) {
        for (const Awaited& what : wait.what)
            visit(what);
        for (const JourneyEvent& event : wait.renewed_by)
            visit(event);
        visit(wait.then_steps);
        for (const AwaitedBranch& other : wait.others) {
            for (const Awaited& what : other.what)
                visit(what);
            visit(other.steps);
        }
        visit(wait.else_steps);
    }
    void operator()(const WaitWorkflow& wait) { mention_workflow(wait); }
    void operator()(const If& choice) {
        for (const Branch& branch : choice.branches) {
            visit(*branch.condition);
            visit(branch.steps);
        }
        visit(choice.else_steps);
    }
    void operator()(const Switch& choice) {
        visit(choice.of);
        for (const Case& one : choice.cases)
            visit(one.steps);
        visit(choice.else_steps);
    }
    void operator()(const Split& split) {
        for (const Arm& arm : split.arms)
            visit(arm.steps);
    }
    void operator()(const Repeat& loop) {
        if (loop.until)
            visit(*loop.until);
        visit(loop.steps);
    }
    void operator()(const Parallel& parallel) {
        for (const Steps& branch : parallel.branches)
            visit(branch);
    }
    void operator()(const Label&) {}
    void operator()(const Send& send) {
        use("channel", send.channel);
        for (const std::string& other : send.others)
            use("channel", other);
        if (!send.preferring.keys.empty())
            read(send.preferring);
        use("template", send.template_name);
        if (send.purpose)
            use("purpose", *send.purpose);
        visit(send.with);
    }
    void operator()(const SendNext& next) {
        found.push_back({ReferenceKind::stream, next.stream, next.offset.byte});
        visit(next.with);
    }
    void operator()(const Assign& assign) {
        found.push_back({ReferenceKind::rota, assign.rota, assign.offset.byte});
        use("attribute", print_name(assign.attribute));
    }
    void operator()(const Do& action) {
        use("channel", action.kind);
        visit(action.with);
    }
    void operator()(const Set& change) {
        use("attribute", print_name(change.attribute));
        visit(change.value);
    }
    void operator()(const Clear& change) { use("attribute", print_name(change.attribute)); }
    void operator()(const Increment& change) { use("attribute", print_name(change.attribute)); }
    void operator()(const ChangeItems& change) {
        use("attribute", print_name(change.attribute));
        visit(change.value);
    }
    void operator()(const ChangeList& change) { mention_list(change); }
    void operator()(const AdjustScore& change) {
        if (change.topic)
            found.push_back({ReferenceKind::topic, *change.topic, change.offset.byte});
        else
            use("score", "score");
    }
    void operator()(const SetScore&) { use("score", "score"); }
    void operator()(const WithdrawConsent& refusal) {
        use("channel", refusal.channel);
        if (refusal.purpose)
            use("purpose", *refusal.purpose);
    }
    void operator()(const Emit& emitted) {
        use("event", emitted.type);
        visit(emitted.with);
    }
    void operator()(const StartWorkflow& start) {
        mention_workflow(start);
        visit(start.with);
    }
    void operator()(const StopWorkflow& stop) { mention_workflow(stop); }
    void operator()(const Exit&) {}

    // Triggers.
    void operator()(const OnEvent& on) { visit(on.event); }
    void operator()(const OnSegment& on) { mention(on); }
    void operator()(const OnCondition& on) { visit(*on.condition); }
    void operator()(const OnAttribute& on) { read(on.attribute); }
    void operator()(const OnListChange& on) { mention_list(on); }
    void operator()(const OnDate& on) {
        use("attribute", "timezone");
        read(on.attribute);
    }
    void operator()(const OnJourney& on) { mention_workflow(on); }
    void operator()(const OnSchedule& on) {
        visit(on.zone);
        if (on.segment)
            found.push_back({ReferenceKind::segment, *on.segment, on.offset.byte});
    }

private:
    int filters_ = 0; // of events, around what is looked at
    bool in_workflow_ = false;

    void use(std::string kind, std::string name) { used.push_back({std::move(kind), std::move(name)}); }
    /// An attribute; inside a filter it is a property of the event, in a workflow perhaps one of the event that started it.
    void read(const Path& path) {
        bool const of_context = in_workflow_ && path.keys.size() > 1 && path.keys.front() == "context";
        if (filters_ == 0 && !of_context)
            use("attribute", print(path));
    }
    template <class Node>
    void visit_within(const Node& node) {
        visit(node.event);
        visit(node.window);
    }
    void visit(const Window& window) {
        for (const auto* bound : {&window.since, &window.before, &window.until})
            if (*bound)
                if (const auto* path = std::get_if<Path>(&**bound))
                    read(*path);
    }
    void visit(const ZoneChoice& zone) {
        if (zone.kind == ZoneChoice::Kind::contact)
            use("attribute", "timezone");
    }
    void visit(const Argument& argument) {
        if (const auto* path = std::get_if<Path>(&argument))
            read(*path);
        else if (const auto* coupon = std::get_if<Coupon>(&argument))
            found.push_back({ReferenceKind::coupon_pool, coupon->pool, coupon->offset.byte});
    }
    void visit(const std::vector<NamedArgument>& with) {
        for (const NamedArgument& argument : with)
            visit(argument.value);
    }
    template <class Node>
    void mention_workflow(const Node& node) {
        found.push_back({ReferenceKind::workflow, node.workflow, node.offset.byte});
    }
    template <class Node>
    void mention_list(const Node& node) {
        found.push_back({ReferenceKind::list, node.list, node.offset.byte});
    }
    template <class Node>
    void mention(const Node& node) {
        found.push_back({ReferenceKind::segment, node.segment, node.offset.byte});
    }
    void visit(const Operand& operand) {
        std::visit([this](const auto& node) { (*this)(node); }, operand);
    }
    void visit(const JourneyEvent& event) { visit(event.event); }
    void visit(const Awaited& what) {
        if (const auto* event = std::get_if<JourneyEvent>(&what))
            visit(*event);
        else
            visit(*std::get<Box<Condition>>(what));
    }
    void visit(const EventPattern& event) {
        if (!event.type.empty()) {
            types.push_back(event.type);
            use("event", event.type);
        }
        ++filters_;
        if (event.where)
            visit(*event.where);
        --filters_;
    }
    void visit(const std::vector<Box<Condition>>& operands) {
        for (const Box<Condition>& operand : operands)
            visit(*operand);
    }
    void visit(const Steps& steps) {
        for (const Box<Step>& step : steps)
            std::visit([this](const auto& node) { (*this)(node); }, step->node);
    }
};

template <class Definition>
std::vector<Reference> references_of(const Definition& definition) {
    Collector collector;
    collector.visit(definition);
    // Clauses may be typed in another order than the tree keeps them.
    std::stable_sort(collector.found.begin(), collector.found.end(),
                     [](const Reference& a, const Reference& b) { return a.offset < b.offset; });
    return std::move(collector.found);
}

template <class Definition>
std::vector<std::string> types_of(const Definition& definition) {
    Collector collector;
    collector.visit(definition);
    std::sort(collector.types.begin(), collector.types.end());
    collector.types.erase(std::unique(collector.types.begin(), collector.types.end()), collector.types.end());
    return std::move(collector.types);
}

template <class Definition>
std::vector<Use> uses_of(const Definition& definition) {
    Collector collector;
    collector.visit(definition);
    for (const Reference& reference : collector.found)
        collector.used.push_back({std::string(name_of(reference.kind)), reference.name});
    std::sort(collector.used.begin(), collector.used.end());
    collector.used.erase(std::unique(collector.used.begin(), collector.used.end()), collector.used.end());
    return std::move(collector.used);
}

} // namespace

std::string_view name_of(ReferenceKind kind) noexcept {
    constexpr std::string_view names[] = {"segment", "topic", "list", "workflow", "coupon_pool", "stream", "rota"};
    return names[static_cast<std::size_t>(kind)];
}

std::vector<Use> uses(const Condition& condition) {
    return uses_of(condition);
}
std::vector<Use> uses(const Rule& rule) {
    return uses_of(rule);
}
std::vector<Use> uses(const Workflow& workflow) {
    return uses_of(workflow);
}

std::vector<Reference> references(const Condition& condition) {
    return references_of(condition);
}
std::vector<Reference> references(const Rule& rule) {
    return references_of(rule);
}
std::vector<Reference> references(const Workflow& workflow) {
    return references_of(workflow);
}

std::vector<std::string> event_types(const Condition& condition) {
    return types_of(condition);
}
std::vector<std::string> event_types(const Rule& rule) {
    return types_of(rule);
}
std::vector<std::string> event_types(const Workflow& workflow) {
    return types_of(workflow);
}

} // namespace nurture::language
