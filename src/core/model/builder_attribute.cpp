// Conditions over attributes: texts, lists, histories.
#include "core/base/error.hpp"
#include "core/model/builder.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace nurture::model {

using namespace language;

namespace {

constexpr std::size_t longest_pattern = 1'000;

Error incomparable(const std::string& what, const std::string& with) {
    return {ErrorKind::invalid_definition, what + " cannot be compared with " + with};
}

void outside_where(Scope scope) {
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
}

} // namespace

Operand Builder::value_of(const Path& path, Scope scope) {
    if (Index const variable = context(path); variable != none) {
        if (scope == Scope::event && !context_in_where_)
            throw Error(ErrorKind::invalid_definition, print(path) + " cannot be asked about the past",
                        "What the contact did is counted for all its journeys.",
                        "It can stand behind: wait for, exit on, goal on; in payloads and in conditions.");
        return {OperandKind::context, variable};
    }
    return scope == Scope::event ? Operand{OperandKind::property, property(path)}
                                 : Operand{OperandKind::attribute, attribute(path)};
}

bool Builder::holds_text(const Operand& operand) const noexcept {
    if (operand.kind == OperandKind::derived) {
        const Derived& derived = model_.derived[operand.index];
        return derived.kind == DerivedKind::domain ||
               (derived.kind == DerivedKind::date_part && derived.part == CalendarPart::weekday);
    }
    return operand.kind != OperandKind::now && type_of(operand.kind) == OperandType::value;
}

Index Builder::compile(const ComparePaths& c, Scope scope) {
    Node node;
    node.op = Op::compare_operands;
    node.comparator = c.comparator;
    node.operand = operand(c.left, scope, 0);
    node.second = value_of(c.right, scope);
    bool const settled = node.operand.kind == OperandKind::count || node.operand.kind == OperandKind::sum ||
                         node.operand.kind == OperandKind::now || node.operand.kind == OperandKind::derived;
    if (type_of(node.operand.kind) == OperandType::number && !settled)
        throw Error(ErrorKind::invalid_definition, "a score or a count within a window is compared with a number, not with an attribute");
    return add(std::move(node));
}

Index Builder::compile(const DistinctFrom& c, Scope scope) {
    Node node;
    node.op = Op::distinct;
    node.flag = c.negated;
    if (const auto* path = std::get_if<Path>(&c.right)) {
        node.operand = operand(c.left, scope, 0);
        node.second = value_of(*path, scope);
    } else {
        const auto& literal = std::get<Literal>(c.right);
        node.operand = operand(c.left, scope, decisive_entries(c.left, literal, false));
        node.constants.push_back(constant(literal, node.operand));
    }
    if (node.operand.kind == OperandKind::score || node.operand.kind == OperandKind::now ||
        (node.constants.empty() && node.operand.kind == OperandKind::recent_count))
        throw Error(ErrorKind::invalid_definition, "\"is distinct from\" is for values that may be missing", {}, "Use \"!=\".");
    return add(std::move(node));
}

Index Builder::compile(const language::TextTest& c, Scope scope) {
    Node node;
    node.op = Op::text;
    node.flag = c.negated;
    node.operand = operand(c.left, scope, 1);
    if (!holds_text(node.operand))
        throw incomparable("a number or time", "a text");
    TextTest test;
    test.relation = c.relation;
    test.text = fold_text(c.text, folding_);
    if (c.relation == TextRelation::matches) {
        if (c.text.size() > longest_pattern)
            throw Error(ErrorKind::limit_exceeded, "a regular expression is longer than 1000 bytes").at(c.offset.byte);
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(1 << 20);
        auto pattern = std::make_shared<RE2>(c.text, options);
        if (!pattern->ok())
            throw Error(ErrorKind::invalid_definition, "invalid regular expression: " + pattern->error(), {},
                        "The syntax is that of RE2: no backreferences, no lookaround.")
                .at(c.offset.byte);
        test.pattern = std::move(pattern);
    }
    node.detail = static_cast<Index>(model_.text_tests.size());
    model_.text_tests.push_back(std::move(test));
    return add(std::move(node));
}

Index Builder::compile(const IsEmpty& c, Scope scope) {
    Node node;
    node.op = Op::empty;
    node.flag = c.negated;
    node.operand = operand(c.left, scope, 1);
    if (node.operand.kind == OperandKind::derived || !holds_text(node.operand))
        throw Error(ErrorKind::invalid_definition, "a number or time is never empty", {}, "Texts and lists can be empty.");
    return add(std::move(node));
}

Index Builder::compile(const HasItems& c, Scope scope) {
    Node node;
    node.op = Op::has_items;
    node.detail = static_cast<Index>(c.quantity);
    node.operand = operand(c.left, scope, 1);
    if (node.operand.kind == OperandKind::derived || !holds_text(node.operand))
        throw Error(ErrorKind::invalid_definition, "a number or time has no items");
    for (const Literal& item : c.items)
        node.constants.push_back(constant(item, node.operand));
    return add(std::move(node));
}

Index Builder::compile(const Ignoring& c, Scope scope) {
    Folding const before = folding_;
    folding_ = {c.letter_case, c.accents};
    Index node = none;
    try {
        node = condition(*c.test, scope);
    } catch (...) {
        folding_ = before;
        throw;
    }
    folding_ = before;
    return node;
}

// --- histories ----------------------------------------------------------------------------------------------------

namespace {

std::int64_t hash_of(const Literal& literal, const Zone& zone) {
    profile::Value value;
    std::string text;
    if (const auto* truth = std::get_if<bool>(&literal)) {
        value.kind = profile::Value::Kind::boolean;
        value.boolean = *truth;
    } else {
        value.kind = profile::Value::Kind::string;
        if (const auto* number = std::get_if<Number>(&literal))
            text = print_micro(number->value);
        else if (const auto* string = std::get_if<std::string>(&literal))
            text = *string;
        else if (const auto& moment = std::get<Moment>(literal); moment.date_only)
            text = print(literal);
        else
            text = print_iso_time(moment.utc_offset ? moment.local - *moment.utc_offset : zone.to_utc(moment.local));
        value.text = text;
    }
    return profile::history_hash(value);
}

} // namespace

Index Builder::attribute_trigger(const OnAttribute& on) {
    AttributeTrigger out{on.attribute, on.change, {}, {}};
    if (on.from)
        out.from = hash_of(*on.from, model_.zone);
    if (on.to)
        out.to = hash_of(*on.to, model_.zone);
    model_.attribute_triggers.push_back(std::move(out));
    return static_cast<Index>(model_.attribute_triggers.size() - 1);
}

Index Builder::history(const Path& path, const Duration& within, HistoryTest test) {
    profile::FeatureDefinition definition;
    definition.kind = profile::FeatureKind::history;
    definition.property = path;
    definition.window = within;
    test.feature = feature(std::move(definition));
    Node node;
    node.op = Op::history;
    node.detail = static_cast<Index>(model_.history_tests.size());
    model_.history_tests.push_back(test);
    return add(std::move(node));
}

Index Builder::compile(const Changed& c, Scope scope) {
    outside_where(scope);
    HistoryTest test;
    test.changed = true;
    if (c.from)
        test.from = hash_of(*c.from, model_.zone);
    if (c.to)
        test.to = hash_of(*c.to, model_.zone);
    if (test.from && test.from == test.to)
        throw Error(ErrorKind::invalid_definition, "an attribute does not change from a value to the same").at(c.offset.byte);
    return history(c.attribute, c.within, test);
}

Index Builder::compile(const HasBeen& c, Scope scope) {
    outside_where(scope);
    HistoryTest test;
    test.to = hash_of(c.value, model_.zone);
    test.at_least = c.at_least;
    return history(c.attribute, c.duration, test);
}

} // namespace nurture::model
