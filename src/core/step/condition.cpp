// Conditions: their truth at a clock, and when that can change by itself.
#include "core/step/reading.hpp"

#include "core/language/language.hpp"

namespace nurture::step {

using language::Comparator;
using model::Constant;
using model::Node;
using model::Op;
using model::Operand;
using model::OperandKind;
using profile::Value;

namespace {

// A comparison with a number that the passing of time can only make smaller: once false, "at least" stays false.
bool stays(const Model& model, const Node& node, Truth now) noexcept {
    bool const grows = node.operand.span != none && model.spans[node.operand.span].to.kind == model::RangeEnd::Kind::ago;
    return node.op == Op::compare && node.operand.kind == OperandKind::recent_count && !grows && now == Truth::no &&
           (node.comparator == Comparator::greater || node.comparator == Comparator::greater_equal);
}

} // namespace

Facts::Reading Facts::read(const Operand& operand, Time clock, const profile::Properties* event) const {
    Reading out;
    auto set_value = [&](const Value& value) {
        out.value = value;
        out.kind = value.known() ? Reading::Kind::value : Reading::Kind::missing;
    };
    if (operand.kind == OperandKind::property) {
        set_value(event->get(model.properties[operand.index]));
        return out;
    }
    if (operand.kind == OperandKind::attribute) {
        set_value(attribute(operand.index));
        return out;
    }
    if (operand.kind == OperandKind::context) {
        set_value(variable(operand.index));
        return out;
    }
    if (operand.kind == OperandKind::score) {
        out.kind = Reading::Kind::number;
        out.number = score(operand.index, clock);
        out.flips = clock + 1; // comparisons do better: compare_score()
        return out;
    }
    if (operand.kind == OperandKind::derived)
        return read_derived(model.derived[operand.index], clock, event);
    if (operand.kind == OperandKind::now) {
        out.kind = Reading::Kind::time;
        out.number = clock;
        out.flips = clock + 1; // comparisons do better: test_now(), compare_operands(), test_date()
        return out;
    }
    if (operand.kind == OperandKind::band) {
        out.kind = Reading::Kind::number;
        out.number = Wide(levels[operand.index]) * micro_one;
        return out; // its own flips re-evaluate those that name it
    }
    if (operand.kind == OperandKind::consent || operand.kind == OperandKind::consent_expires)
        return read_consent(operand, clock);
    return read_behaviour(operand, clock);
}

Truth Facts::compare(const Reading& reading, const Constant& constant, Comparator comparator, Folding folding) const {
    if (reading.kind == Reading::Kind::missing)
        return Truth::unknown;
    if (reading.kind != Reading::Kind::value)
        return truth(holds(reading.number, comparator, Wide(constant.number)));
    switch (constant.type) {
    case Constant::Type::boolean:
        if (auto const value = truth_of(reading.value))
            return truth(holds(*value, comparator, constant.boolean));
        break;
    case Constant::Type::number:
        if (auto const value = number_of(reading.value))
            return truth(holds(*value, comparator, constant.number));
        break;
    case Constant::Type::time:
        if (reading.value.kind == Value::Kind::string)
            if (auto const value = parse_iso_time(reading.value.text, model.zone))
                return truth(holds(*value, comparator, constant.number));
        break;
    case Constant::Type::text: {
        if (folding)
            return truth(holds(fold_text(text_of(reading.value), folding), comparator, constant.text));
        return truth(holds(text_of(reading.value), comparator, std::string_view(constant.text)));
    }
    }
    ++unconvertible;
    return Truth::unknown;
}

// "score = b" is "score >= b and not score >= b + 10^-6": every comparison is settled by at most two bounds, and can
// change only when one of them is crossed.
Outcome Facts::compare_score(const Node& node, Time clock) const {
    Wide const score = this->score(node.operand.index, clock);
    Outcome out{Truth::no, never};
    auto bound = [&](Wide b) { out.flips = std::min(out.flips, next_crossing(node.operand.index, b, clock)); };
    if (node.op == Op::compare) {
        Wide const b = node.constants.front().number;
        out.truth = truth(holds(score, node.comparator, b));
        bool const above = node.comparator == Comparator::greater || node.comparator == Comparator::less_equal;
        bool const exact = node.comparator == Comparator::equal || node.comparator == Comparator::not_equal;
        if (!above)
            bound(b);
        if (above || exact)
            bound(b + 1);
        return out;
    }
    bool inside = false;
    if (node.op == Op::between) {
        inside = score >= node.constants[0].number && score <= node.constants[1].number;
        bound(node.constants[0].number);
        bound(Wide(node.constants[1].number) + 1);
    } else {
        for (const Constant& constant : node.constants) {
            inside = inside || score == constant.number;
            bound(constant.number);
            bound(Wide(constant.number) + 1);
        }
    }
    out.truth = truth(inside != node.flag);
    return out;
}

Outcome Facts::test(const Node& node, Time clock, const profile::Properties* event) const {
    if (node.operand.kind == OperandKind::score) {
        if (node.op == Op::is_set)
            return {truth(!node.flag), never};
        return compare_score(node, clock);
    }
    if (asks_now(node.operand))
        return node.op == Op::is_set ? Outcome{truth(!node.flag), never} : test_now(node, clock);
    Reading const reading = read(node.operand, clock, event);
    if (node.operand.kind == OperandKind::band && node.op == Op::is_set)
        return {truth((reading.number != 0) != node.flag), never};
    Outcome out{answer(node, reading), reading.flips, reading.bound};
    if (stays(model, node, out.truth))
        out.flips = never;
    return out;
}

// What a test says of a reading.
Truth Facts::answer(const Node& node, const Reading& reading) const {
    Truth out = Truth::unknown;
    switch (node.op) {
    case Op::compare:
        out = compare(reading, node.constants.front(), node.comparator, node.folding);
        break;
    case Op::between: {
        Truth const low = compare(reading, node.constants[0], Comparator::greater_equal, node.folding);
        Truth const high = compare(reading, node.constants[1], Comparator::less_equal, node.folding);
        out = low == Truth::no || high == Truth::no             ? Truth::no
              : low == Truth::unknown || high == Truth::unknown ? Truth::unknown
                                                                : Truth::yes;
        break;
    }
    case Op::in:
        out = Truth::no;
        for (const Constant& constant : node.constants) {
            Truth const same = compare(reading, constant, Comparator::equal, node.folding);
            if (same == Truth::yes) {
                out = same;
                break;
            }
            if (same == Truth::unknown)
                out = same;
        }
        break;
    case Op::like:
        if (reading.kind == Reading::Kind::value)
            out = truth(node.folding ? like(fold_text(text_of(reading.value), node.folding), node.pattern)
                                     : like(text_of(reading.value), node.pattern));
        break;
    case Op::is_set:
        return truth((reading.kind != Reading::Kind::missing) != node.flag);
    case Op::truth:
        if (reading.kind == Reading::Kind::value)
            if (auto const value = truth_of(reading.value))
                out = truth(*value);
        break;
    default:
        break;
    }
    return node.flag ? negate(out) : out;
}

Outcome Facts::group(const Node& node, Time clock, const profile::Properties* event) const {
    // All operands are looked at even when one settles the matter: each can change by itself, and the group with it.
    // One that settles it alone keeps it settled until it flips, though: nothing earlier can matter.
    Truth const settling = node.op == Op::all ? Truth::no : Truth::yes;
    Outcome out{negate(settling), never};
    for (Index const child : node.children) {
        Outcome const part = evaluate(model.nodes[child], clock, event);
        if (part.truth == settling) {
            if (out.truth != settling)
                out = part;
            else
                out.flips = std::max(out.flips, part.flips); // it stays settled as long as one of them stays
            if (out.flips == never)
                return out;
            continue;
        }
        if (out.truth == settling)
            continue;
        out.flips = std::min(out.flips, part.flips);
        if (part.truth == Truth::unknown)
            out.truth = Truth::unknown;
    }
    return out;
}

Outcome Facts::evaluate(const Node& node, Time clock, const profile::Properties* event) const {
    switch (node.op) {
    case Op::constant:
        return {truth(node.flag), never};
    case Op::in_segment:
        return {truth(members[node.segment] != 0), never}; // its own flips re-evaluate those that name it
    case Op::negate: {
        Outcome out = evaluate(model.nodes[node.children.front()], clock, event);
        out.truth = negate(out.truth);
        return out;
    }
    case Op::trend:
        return trend(node, clock);
    case Op::sequence:
        return sequence(node, clock);
    case Op::in_session:
        return in_session(node, clock);
    case Op::all:
    case Op::any:
        return group(node, clock, event);
    case Op::compare_operands:
        return compare_operands(node, clock, event);
    case Op::distinct:
        return distinct(node, clock, event);
    case Op::text:
        return test_text(node, clock, event);
    case Op::empty:
        return test_empty(node, clock, event);
    case Op::has_items:
        return has_items(node, clock, event);
    case Op::date:
        return test_date(node, clock, event);
    case Op::history:
        return test_history(node, clock);
    case Op::segment_past:
        return test_past(node, clock);
    case Op::on_list:
        return test_list(node, clock);
    case Op::sample:
        return test_sample(node);
    case Op::at_least:
        return at_least(node, clock, event);
    case Op::journey:
        return test_journey(node);
    case Op::reached:
        return test_reached(node, clock);
    default:
        return test(node, clock, event);
    }
}

Outcome Facts::evaluate(Index node, Time clock) const { return evaluate(model.nodes[node], clock, nullptr); }

Truth Facts::matches(Index node, const profile::Properties& properties) const {
    return evaluate(model.nodes[node], 0, &properties).truth;
}

Facts::Shown Facts::show(Index index, Time clock) const {
    const Node& node = model.nodes[index];
    Shown out{evaluate(node, clock, nullptr), {}};
    if (node.op != Op::compare && node.op != Op::between && node.op != Op::in && node.op != Op::like &&
        node.op != Op::is_set && node.op != Op::truth)
        return out;
    if (node.operand.kind == OperandKind::band) {
        std::string_view const band = model.scoring.ladders[node.operand.index].name_of(levels[node.operand.index]);
        out.left = band.empty() ? "no band" : language::print_string(band);
        return out;
    }
    Reading const reading = read(node.operand, clock, nullptr);
    if (reading.kind == Reading::Kind::missing)
        out.left = "not set";
    else if (reading.kind == Reading::Kind::number)
        out.left = print_micro(reading.number);
    else if (reading.kind == Reading::Kind::time)
        out.left = print_iso_time(static_cast<Time>(reading.number));
    else if (reading.value.kind == Value::Kind::string)
        out.left = language::print_string(reading.value.text);
    else
        out.left = text_of(reading.value);
    return out;
}

} // namespace nurture::step
