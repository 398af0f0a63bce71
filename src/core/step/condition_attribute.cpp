// Attributes with one another, texts, lists, and what an attribute has been.
#include "core/step/reading.hpp"

#include <nlohmann/json.hpp>
#include <re2/re2.h>

namespace nurture::step {

using language::Comparator;
using language::Quantity;
using language::TextRelation;
using model::DerivedKind;
using model::Node;
using model::OperandKind;
using profile::Value;

// A number or text made of another operand.
Facts::Reading Facts::read_derived(const model::Derived& derived, Time clock, const profile::Properties* event) const {
    if (derived.kind == DerivedKind::date_part)
        return read_part(derived, clock, event);
    Reading const of = read(derived.of, clock, event);
    Reading out;
    out.flips = of.flips;
    if (of.kind != Reading::Kind::value)
        return out;
    if (derived.kind == DerivedKind::items) {
        out.kind = Reading::Kind::number;
        out.number = micro_one;
        if (of.value.kind == Value::Kind::json)
            out.number = static_cast<Wide>(nlohmann::json::parse(of.value.text, nullptr, false).size()) * micro_one;
        return out;
    }
    auto const at = of.value.kind == Value::Kind::string ? of.value.text.rfind('@') : std::string_view::npos;
    if (at == std::string_view::npos || at + 1 == of.value.text.size())
        return out;
    texts_.push_back(fold_text(of.value.text.substr(at + 1), {true, false}));
    out.kind = Reading::Kind::value;
    out.value = {Value::Kind::string, false, texts_.back()};
    return out;
}

// The moment a value is; texts without an offset are meant in `zone`.
std::optional<Time> Facts::time_of(const Reading& reading, const Zone& zone) const {
    if (reading.kind == Reading::Kind::time)
        return static_cast<Time>(reading.number);
    if (reading.kind == Reading::Kind::value && reading.value.kind == Value::Kind::string)
        if (auto const time = parse_iso_time(reading.value.text, zone))
            return time;
    return std::nullopt;
}

// As numbers if both are, else as times if both are, else as texts. A list or object is only equal or not.
Truth Facts::compare_readings(const Reading& a, Comparator comparator, const Reading& b, Folding folding) const {
    using Kind = Reading::Kind;
    if (a.kind == Kind::missing || b.kind == Kind::missing)
        return Truth::unknown;
    auto number = [](const Reading& r) -> std::optional<Wide> {
        if (r.kind == Kind::number)
            return r.number;
        if (r.kind == Kind::value)
            if (auto const n = number_of(r.value))
                return Wide(*n);
        return std::nullopt;
    };
    if (auto const x = number(a), y = number(b); x && y)
        return truth(holds(*x, comparator, *y));
    if (auto const x = time_of(a, model.zone), y = time_of(b, model.zone); x && y)
        return truth(holds(*x, comparator, *y));
    bool const order = comparator != Comparator::equal && comparator != Comparator::not_equal;
    bool const texts = a.kind == Kind::value && b.kind == Kind::value;
    bool const lists = texts && (a.value.kind == Value::Kind::json || b.value.kind == Value::Kind::json);
    if (!texts || (order && lists)) {
        ++unconvertible;
        return Truth::unknown;
    }
    if (folding)
        return truth(holds(fold_text(text_of(a.value), folding), comparator, fold_text(text_of(b.value), folding)));
    return truth(holds(text_of(a.value), comparator, text_of(b.value)));
}

Outcome Facts::compare_operands(const Node& node, Time clock, const profile::Properties* event) const {
    Reading const a = read(node.operand, clock, event);
    Reading const b = read(node.second, clock, event);
    Outcome out{compare_readings(a, node.comparator, b, node.folding), std::min(a.flips, b.flips)};
    if (node.operand.kind != OperandKind::now)
        return out;
    // Between the other's moment and the one after it every comparison with now changes for good.
    out.flips = b.flips;
    if (auto const t = time_of(b, model.zone)) {
        sooner(out.flips, *t, clock);
        sooner(out.flips, saturating_add(*t, 1), clock);
    }
    return out;
}

// Two missing values are the same, a missing and a known one differ; what cannot be compared differs.
Outcome Facts::distinct(const Node& node, Time clock, const profile::Properties* event) const {
    Reading const a = read(node.operand, clock, event);
    Truth same = Truth::unknown;
    Time flips = a.flips;
    bool both_missing = false;
    if (node.constants.empty()) {
        Reading const b = read(node.second, clock, event);
        flips = std::min(flips, b.flips);
        both_missing = a.kind == Reading::Kind::missing && b.kind == Reading::Kind::missing;
        same = compare_readings(a, Comparator::equal, b, node.folding);
    } else {
        same = compare(a, node.constants.front(), Comparator::equal, node.folding);
    }
    bool const distinct = same != Truth::yes && !both_missing;
    return {truth(distinct != node.flag), flips};
}

namespace {

// The items of a list; anything else is a list of itself.
template <class Each>
void for_items(const Value& value, std::deque<std::string>& texts, Each each) {
    if (value.kind != Value::Kind::json || value.text.front() != '[') {
        each(value);
        return;
    }
    auto const list = nlohmann::json::parse(value.text, nullptr, false);
    for (const auto& item : list) {
        texts.push_back(item.dump());
        each(value_of_json(texts.back(), texts));
    }
}

bool matches_text(const model::TextTest& test, std::string_view text) {
    switch (test.relation) {
    case TextRelation::contains:
        return text.find(test.text) != text.npos;
    case TextRelation::starts_with:
        return text.substr(0, test.text.size()) == test.text;
    case TextRelation::ends_with:
        return text.size() >= test.text.size() && text.substr(text.size() - test.text.size()) == test.text;
    case TextRelation::matches:
        return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *test.pattern);
    }
    return false;
}

} // namespace

Outcome Facts::test_text(const Node& node, Time clock, const profile::Properties* event) const {
    Reading const reading = read(node.operand, clock, event);
    Outcome out{Truth::unknown, reading.flips};
    if (reading.kind != Reading::Kind::value)
        return out;
    const auto& test = model.text_tests[node.detail];
    bool found = false;
    bool const list = reading.value.kind == Value::Kind::json && reading.value.text.front() == '[';
    if (list && test.relation == TextRelation::contains) {
        for_items(reading.value, texts_, [&](const Value& item) {
            found = found || (item.known() && (node.folding ? fold_text(text_of(item), node.folding)
                                                            : std::string(text_of(item))) == test.text);
        });
    } else if (node.folding) {
        found = matches_text(test, fold_text(text_of(reading.value), node.folding));
    } else {
        found = matches_text(test, text_of(reading.value));
    }
    out.truth = truth(found != node.flag);
    return out;
}

Outcome Facts::test_empty(const Node& node, Time clock, const profile::Properties* event) const {
    Reading const reading = read(node.operand, clock, event);
    if (reading.kind != Reading::Kind::value)
        return {Truth::unknown, reading.flips};
    const Value& value = reading.value;
    bool const empty = (value.kind == Value::Kind::string && value.text.empty()) ||
                       (value.kind == Value::Kind::json && (value.text == "[]" || value.text == "{}"));
    return {truth(empty != node.flag), reading.flips};
}

Outcome Facts::has_items(const Node& node, Time clock, const profile::Properties* event) const {
    Reading const reading = read(node.operand, clock, event);
    if (reading.kind != Reading::Kind::value)
        return {Truth::unknown, reading.flips};
    std::vector<char> found(node.constants.size(), 0);
    for_items(reading.value, texts_, [&](const Value& item) {
        Reading one;
        one.value = item;
        one.kind = item.known() ? Reading::Kind::value : Reading::Kind::missing;
        std::uint64_t const counted = unconvertible;
        for (std::size_t i = 0; i < found.size(); ++i)
            if (compare(one, node.constants[i], Comparator::equal, node.folding) == Truth::yes)
                found[i] = 1;
        unconvertible = counted; // items of other types are others, not mistakes
    });
    auto const hits = std::count(found.begin(), found.end(), 1);
    bool const all = hits == static_cast<std::ptrdiff_t>(found.size());
    auto const quantity = static_cast<Quantity>(node.detail);
    return {truth(quantity == Quantity::any ? hits > 0 : quantity == Quantity::all ? all : hits == 0), reading.flips};
}

// --- histories ----------------------------------------------------------------------------------------------------

// A value's writes, ascending. A change is a write of another value than the one before it; the first write changes
// nothing. What was cut off makes the question unknown only when the answer lies there.
Outcome Facts::test_history(const Node& node, Time clock) const {
    const auto& test = model.history_tests[node.detail];
    const auto& definition = model.features[test.feature].definition;
    const auto* entries = std::get_if<profile::Entries>(&features[test.feature]);
    if (entries == nullptr || entries->items.empty())
        return {test.changed ? Truth::no : Truth::unknown, never};
    const auto& items = entries->items;
    auto leaves = [&](std::size_t i) { return leaves_window(definition, items[i].stamp.at, model.zone); };
    bool const cut = items.size() >= profile::history_limit && leaves(0) > clock;
    if (test.changed) {
        Time last = always; // the moment at which the last such change leaves the window
        for (std::size_t i = 1; i < items.size(); ++i)
            if (items[i].amount != items[i - 1].amount && (!test.from || items[i - 1].amount == *test.from) &&
                (!test.to || items[i].amount == *test.to))
                last = std::max(last, leaves(i));
        if (last > clock)
            return {Truth::yes, last};
        return cut ? Outcome{Truth::unknown, leaves(0)} : Outcome{Truth::no, never};
    }
    if (items.back().amount == profile::unset_value)
        return {Truth::unknown, never};
    if (items.back().amount != *test.to)
        return {Truth::no, never};
    std::size_t begin = items.size() - 1;
    while (begin > 0 && items[begin - 1].amount == *test.to)
        --begin;
    Time const complete = leaves(begin);
    if (complete <= clock)
        return {truth(test.at_least), never};
    if (begin == 0 && cut) // it may have begun earlier
        return {Truth::unknown, complete};
    return {truth(!test.at_least), complete};
}

} // namespace nurture::step
