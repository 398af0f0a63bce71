#include "core/model/builder.hpp"

#include "core/base/error.hpp"

#include <algorithm>
#include <utility>

namespace nurture::model {

using namespace language;

namespace {

constexpr std::int64_t max_decisive = 10'000;

Index intern(std::map<std::string, Index>& known, const std::string& text, std::size_t next) {
    return known.emplace(text, static_cast<Index>(next)).first->second;
}

Error incomparable(const std::string& what, const std::string& with) {
    return {ErrorKind::invalid_definition, what + " cannot be compared with " + with};
}

} // namespace

Index Builder::property(const Path& path) {
    Index const index = intern(properties_, print(path), model_.properties.size());
    if (index == model_.properties.size())
        model_.properties.push_back(path);
    return index;
}

Index Builder::attribute(const Path& path) {
    Index const index = intern(attributes_, print(path), model_.attributes.size());
    if (index == model_.attributes.size())
        model_.attributes.push_back(path);
    return index;
}

Index Builder::pattern(const EventPattern& event) {
    std::string const text = print(event);
    if (auto const known = patterns_.find(text); known != patterns_.end())
        return known->second;
    Folding const around = std::exchange(folding_, {}); // a filter is the same wherever it stands
    bool const own = std::exchange(context_in_where_, false);
    Index const filter = event.where ? condition(*event.where, Scope::event) : none;
    folding_ = around;
    context_in_where_ = own;
    auto const index = static_cast<Index>(model_.patterns.size());
    model_.patterns.push_back({event.type, filter});
    model_.patterns_of_type[event.type].push_back(index);
    model_.features_of_pattern.emplace_back();
    patterns_.emplace(text, index);
    return index;
}

Index Builder::feature(profile::FeatureDefinition definition) {
    definition.limit = model_.source.max_window_entries;
    std::string const text = definition.text(model_.source.timezone);
    if (auto const known = features_.find(text); known != features_.end()) {
        if (asked != nullptr)
            asked->push_back(known->second);
        return known->second;
    }
    Feature feature;
    feature.text = text;
    bool const of_writes = definition.kind == profile::FeatureKind::history;
    if (!of_writes)
        feature.pattern = pattern(definition.event);
    if (definition.property)
        feature.property = property(*definition.property);
    if (definition.key)
        feature.key = property(*definition.key);
    feature.definition = std::move(definition);
    auto const slot = static_cast<Index>(model_.features.size());
    (of_writes ? model_.histories : model_.features_of_pattern[feature.pattern]).push_back(slot);
    model_.features.push_back(std::move(feature));
    features_.emplace(text, slot);
    if (asked != nullptr)
        asked->push_back(slot);
    return slot;
}

Index Builder::add(Node node) {
    node.folding = folding_;
    model_.nodes.push_back(std::move(node));
    return static_cast<Index>(model_.nodes.size() - 1);
}

Index Builder::condition(const Condition& condition, Scope scope) {
    Index const index = std::visit([&](const auto& node) { return compile(node, scope); }, condition.node);
    if (scope == Scope::contact)
        model_.nodes[index].text = print(condition);
    return index;
}

// --- operands ---------------------------------------------------------------------------------------------------

Operand Builder::operand(const language::Operand& operand, Scope scope, std::int64_t decisive) {
    if (const auto* name = std::get_if<Attribute>(&operand))
        return scope == Scope::event ? Operand{OperandKind::property, property(name->path)} : value_of(name->path, scope);
    if (auto const made = derived(operand, scope))
        return *made;
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
    if (const auto* counted = std::get_if<Count>(&operand))
        return count(counted->event, counted->window, decisive);
    if (const auto* found = std::get_if<Occurrence>(&operand))
        return occurrence(*found);
    if (const auto* aggregated = std::get_if<Aggregate>(&operand))
        return aggregate(*aggregated, decisive);
    if (const auto* on_days = std::get_if<Days>(&operand))
        return days(*on_days, decisive);
    if (const auto* since = std::get_if<DaysSince>(&operand))
        return days_since(*since);
    if (const auto* visited = std::get_if<Sessions>(&operand))
        return sessions(*visited);
    if (const auto* page = std::get_if<SessionPage>(&operand))
        return session_page(*page);
    if (const auto* of = std::get_if<language::Band>(&operand))
        return band(*of);
    if (const auto* of = std::get_if<Consent>(&operand)) {
        model_.consent_scopes.push_back({of->channel, of->purpose.value_or("")});
        return {of->expires ? OperandKind::consent_expires : OperandKind::consent,
                static_cast<Index>(model_.consent_scopes.size() - 1)};
    }
    if (!std::holds_alternative<Score>(operand))
        throw Error(ErrorKind::invalid_definition, "this operand cannot be evaluated yet");
    const auto& score = std::get<Score>(operand);
    if (!score.topic)
        return {OperandKind::score, none};
    auto const known = topics_.find(*score.topic);
    if (known == topics_.end())
        throw Error(ErrorKind::undefined_name, "topic \"" + *score.topic + "\" does not exist",
                    "No rule has this topic.", suggest(*score.topic, model_.topics))
            .at(score.offset.byte);
    return {OperandKind::score, known->second};
}

// Counts are exact however many events there are: comparing with n is settled by the newest n (at least n) or n + 1.
std::int64_t Builder::decisive_entries(const language::Operand& operand, const Literal& literal, bool at_least) const {
    const auto* counted = std::get_if<Count>(&operand);
    const auto* aggregated = std::get_if<Aggregate>(&operand);
    bool const entries = (counted != nullptr && !counted->window.ever()) || std::holds_alternative<Days>(operand) ||
                         (aggregated != nullptr && aggregated->kind == AggregateKind::distinct);
    if (!entries)
        return 0;
    const auto* number = std::get_if<Number>(&literal);
    if (number == nullptr)
        throw incomparable("a count", "something that is not a number");
    std::int64_t const whole = std::max<Micro>(number->value, 0) / micro_one;
    bool const fraction = number->value % micro_one != 0;
    std::int64_t const decisive = std::max<std::int64_t>(at_least && !fraction ? whole : whole + 1, 1);
    if (decisive > max_decisive)
        throw Error(ErrorKind::limit_exceeded, "a count within a window can be compared with at most 10000");
    return decisive;
}

Constant Builder::constant(const Literal& literal, const Operand& operand) const {
    bool const is_time = type_of(operand.kind) == OperandType::time || operand.kind == OperandKind::now;
    bool const is_number =
        is_derived_number(operand) || (type_of(operand.kind) == OperandType::number && operand.kind != OperandKind::now && operand.kind != OperandKind::derived);
    if (operand.kind == OperandKind::band)
        return band_level(literal, operand);
    Constant out;
    if (const auto* truth = std::get_if<bool>(&literal)) {
        out.type = Constant::Type::boolean;
        out.boolean = *truth;
    } else if (const auto* number = std::get_if<Number>(&literal)) {
        out.type = Constant::Type::number;
        out.number = number->value;
    } else if (const auto* moment = std::get_if<Moment>(&literal)) {
        out.type = Constant::Type::time;
        out.number =
            moment->utc_offset ? moment->local - *moment->utc_offset : model_.zone.to_utc(moment->local);
    } else {
        out.text = fold_text(std::get<std::string>(literal), folding_);
        out.type = Constant::Type::text;
        if (is_time) {
            auto const time = parse_iso_time(out.text, model_.zone);
            if (!time)
                throw incomparable("a time", "'" + out.text + "'");
            out.type = Constant::Type::time;
            out.number = *time;
        }
    }
    if (is_time && out.type != Constant::Type::time)
        throw incomparable("a time", print(literal));
    if (is_number && out.type != Constant::Type::number)
        throw incomparable("a number", print(literal));
    check_part(operand, out);
    if (operand.kind == OperandKind::consent && (out.type != Constant::Type::text || !consent::status_of(out.text)))
        throw Error(ErrorKind::invalid_definition, "there is no status " + print(literal) + " of a consent", {},
                    "They are " + std::string(consent::status_names()) + ".");
    return out;
}

// --- predicates -------------------------------------------------------------------------------------------------

Index Builder::compile(const Comparison& c, Scope scope) {
    Node node;
    node.op = Op::compare;
    node.comparator = c.comparator;
    bool const at_least = c.comparator == Comparator::greater_equal || c.comparator == Comparator::less;
    node.operand = operand(c.left, scope, decisive_entries(c.left, c.right, at_least));
    node.constants.push_back(constant(c.right, node.operand));
    return add(std::move(node));
}

Index Builder::compile(const Between& c, Scope scope) {
    Node node;
    node.op = Op::between;
    node.flag = c.negated;
    node.operand = operand(c.left, scope, std::max(decisive_entries(c.left, c.low, false),
                                                   decisive_entries(c.left, c.high, false)));
    node.constants = {constant(c.low, node.operand), constant(c.high, node.operand)};
    return add(std::move(node));
}

Index Builder::compile(const In& c, Scope scope) {
    Node node;
    node.op = Op::in;
    node.flag = c.negated;
    std::int64_t decisive = 0;
    for (const Literal& value : c.values)
        decisive = std::max(decisive, decisive_entries(c.left, value, false));
    node.operand = operand(c.left, scope, decisive);
    for (const Literal& value : c.values)
        node.constants.push_back(constant(value, node.operand));
    return add(std::move(node));
}

Index Builder::compile(const Like& c, Scope scope) {
    Node node;
    node.op = Op::like;
    node.flag = c.negated;
    node.pattern = fold_text(c.pattern, folding_);
    node.operand = operand(c.left, scope, 1);
    if (!holds_text(node.operand))
        throw incomparable("a number or time", "a like pattern");
    return add(std::move(node));
}

Index Builder::compile(const IsSet& c, Scope scope) {
    Node node;
    node.op = Op::is_set;
    node.flag = c.negated;
    node.operand = operand(c.left, scope, 1);
    return add(std::move(node));
}

Index Builder::compile(const Truth& c, Scope scope) {
    Node node;
    node.op = Op::truth;
    node.operand = operand(c.operand, scope, 1);
    if (node.operand.kind == OperandKind::consent) {
        node.op = Op::compare;
        node.constants.push_back(constant(std::string(name_of(consent::Status::granted)), node.operand));
    }
    if (!holds_text(node.operand))
        throw Error(ErrorKind::invalid_definition, "a number or time is not a condition", {},
                    "Compare it with something, as in \"> 0\".");
    return add(std::move(node));
}

Index Builder::compile(const language::Constant& c, Scope) {
    Node node;
    node.flag = c.value;
    return add(std::move(node));
}

Index Builder::compile(const Did& c, Scope scope) {
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
    Node node;
    node.op = Op::compare;
    node.comparator = Comparator::greater_equal;
    node.operand = count(c.event, c.window, 1);
    Constant one;
    one.number = micro_one;
    node.constants.push_back(one);
    return add(std::move(node));
}

Index Builder::compile(const InSegment& c, Scope scope) {
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
    auto const known = segments.find(c.segment);
    if (known == segments.end())
        throw Error(ErrorKind::undefined_name, "segment \"" + c.segment + "\" does not exist", {},
                    suggest(c.segment, segment_names))
            .at(c.offset.byte);
    Node node;
    node.op = Op::in_segment;
    node.segment = known->second;
    return add(std::move(node));
}

Index Builder::compile(const Not& c, Scope scope) {
    Node node;
    node.op = Op::negate;
    node.children.push_back(condition(*c.operand, scope));
    return add(std::move(node));
}

Index Builder::group(Op op, const std::vector<Box<Condition>>& operands, Scope scope) {
    Node node;
    node.op = op;
    node.children.reserve(operands.size());
    for (const auto& operand : operands)
        node.children.push_back(condition(*operand, scope));
    return add(std::move(node));
}

Index Builder::compile(const And& c, Scope scope) { return group(Op::all, c.operands, scope); }
Index Builder::compile(const Or& c, Scope scope) { return group(Op::any, c.operands, scope); }

} // namespace nurture::model
