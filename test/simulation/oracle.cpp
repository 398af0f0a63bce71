#include "oracle.hpp"
#include "oracle_helpers.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <span>

namespace nurture::world {

using namespace language;

namespace {

std::vector<std::string> characters(const std::string& text) {
    std::vector<std::string> out;
    for (char const c : text)
        if ((static_cast<unsigned char>(c) & 0xc0) == 0x80 && !out.empty())
            out.back() += c;
        else
            out.emplace_back(1, c);
    return out;
}

bool like(const std::vector<std::string>& text, std::size_t t, const std::vector<std::string>& pattern, std::size_t p) {
    if (p == pattern.size())
        return t == text.size();
    if (pattern[p] == "%")
        return like(text, t, pattern, p + 1) || (t < text.size() && like(text, t + 1, pattern, p));
    if (t == text.size())
        return false;
    if (pattern[p] == "_")
        return like(text, t + 1, pattern, p + 1);
    if (pattern[p] == "\\" && p + 1 < pattern.size())
        ++p;
    return text[t] == pattern[p] && like(text, t + 1, pattern, p + 1);
}

template <class T>
Answer answer(const T& a, Comparator comparator, const T& b) {
    bool out = false;
    switch (comparator) {
    case Comparator::equal:
        out = a == b;
        break;
    case Comparator::not_equal:
        out = !(a == b);
        break;
    case Comparator::less:
        out = a < b;
        break;
    case Comparator::less_equal:
        out = !(b < a);
        break;
    case Comparator::greater:
        out = b < a;
        break;
    case Comparator::greater_equal:
        out = !(a < b);
        break;
    }
    return out ? Answer::yes : Answer::no;
}

Answer inverse(Answer a) { return a == Answer::unknown ? a : a == Answer::yes ? Answer::no : Answer::yes; }

Answer both(Answer a, Answer b) {
    if (a == Answer::no || b == Answer::no)
        return Answer::no;
    return a == Answer::yes && b == Answer::yes ? Answer::yes : Answer::unknown;
}
Answer either(Answer a, Answer b) { return inverse(both(inverse(a), inverse(b))); }

} // namespace

Oracle::Oracle(const Definitions& definitions, std::vector<Event> all)
    : zone_(definitions.source.timezone), session_gap_(definitions.source.session_gap), calendar_(definitions.source.calendar) {
    for (const auto& row : definitions.source.segments)
        segments_.emplace(row.name, parse_condition(row.condition));
    for (const auto& row : definitions.source.rules)
        rules_.push_back(parse_rule(row.definition));
    std::map<std::string, Time> taken;
    for (Event& event : all) {
        if (!event.message_id.empty()) {
            auto const known = taken.find(event.message_id);
            if (known != taken.end() && event.received_at - known->second < definitions.source.dedup_window)
                continue;
            taken[event.message_id] = event.received_at;
        }
        events.push_back(std::move(event));
    }
}

Time Oracle::leaves(Time at, const Duration& window) {
    if (window.months != 0) { // UTC
        std::int64_t const seconds = (at >= 0 ? at : at - one_second + 1) / one_second;
        std::time_t const clock = seconds + unix_epoch_offset;
        std::tm civil{};
        ::gmtime_r(&clock, &civil);
        int const day = civil.tm_mday;
        civil.tm_mday = 1;
        civil.tm_mon += window.months;
        std::time_t const first = ::timegm(&civil); // normalizes
        std::tm next = civil;
        next.tm_mon += 1;
        auto const length = static_cast<int>((::timegm(&next) - first) / 86'400);
        std::int64_t const moved = first + std::int64_t{std::min(day, length) - 1} * 86'400;
        at = (moved - unix_epoch_offset) * one_second + (at - seconds * one_second);
    }
    return at + window.days * one_day + window.micros;
}

std::string Oracle::period(Time at, CapPeriod period) const {
    use_zone(zone_);
    std::int64_t const seconds = (at >= 0 ? at : at - one_second + 1) / one_second;
    std::time_t const clock = seconds + unix_epoch_offset;
    std::tm local{};
    ::localtime_r(&clock, &local);
    char text[64];
    switch (period) {
    case CapPeriod::hour:
        std::strftime(text, sizeof text, "%Y-%m-%d %H", &local);
        break;
    case CapPeriod::day:
        std::strftime(text, sizeof text, "%Y-%m-%d", &local);
        break;
    case CapPeriod::week:
        std::strftime(text, sizeof text, "%G-%V", &local);
        break;
    case CapPeriod::month:
        std::strftime(text, sizeof text, "%Y-%m", &local);
        break;
    case CapPeriod::ever:
        return "ever";
    }
    return text;
}

Answer Oracle::matches(const EventPattern& pattern, const Event& event) {
    bool const any = pattern.type.empty() && !event.type.starts_with('$');
    if (event.type != pattern.type && !any)
        return Answer::no;
    return pattern.where ? test(*pattern.where, 0, &event) : Answer::yes;
}

long double Oracle::score(const std::optional<std::string>& topic, Time now) {
    long double sum = 0;
    for (const Rule& rule : rules_) {
        if (topic && rule.topic != topic)
            continue;
        long double occurrences = 0;
        std::map<std::string, std::int64_t> in_period;
        for (const Event* event : look(rule.event, {}, now)) {
            long double amount = 1;
            if (rule.per) {
                auto const number = as_number(walk(event->properties, *rule.per));
                if (!number)
                    continue;
                amount = *number;
            }
            if (rule.cap && ++in_period[period(happened(*event), rule.cap->period)] > rule.cap->occurrences)
                continue;
            if (rule.half_life) {
                long double const half_life = rule.half_life->days * one_day + rule.half_life->micros;
                amount *= std::exp2((happened(*event) - now) / half_life);
            }
            occurrences += amount;
        }
        sum += rule.points / 1e6L * occurrences;
    }
    return sum;
}

Json Oracle::attribute(const Path& path, Time now) const {
    const Event* last = nullptr;
    for (const Event& event : std::span(events).first(std::min(told, events.size())))
        if (event.type == "$identify" && event.received_at <= now && event.properties.contains(path.keys.front()) &&
            (last == nullptr || happened(*last) <= happened(event)))
            last = &event;
    return last == nullptr ? Json(nullptr) : walk(last->properties, path);
}

Oracle::Held Oracle::read(const Operand& operand, Time now, const Event* event) {
    Held out;
    auto number = [&](long double value) {
        out.kind = Held::Kind::number;
        out.number = value;
    };
    if (auto held = read_more(operand, now, event))
        return *held;
    auto json = [&](Json value) {
        out.kind = value.is_null() ? Held::Kind::missing : Held::Kind::json;
        out.json = std::move(value);
    };
    if (const auto* name = std::get_if<Attribute>(&operand)) {
        json(event != nullptr ? walk(event->properties, name->path) : attribute(name->path, now));
    } else if (auto behaviour = read_behaviour(operand, now)) {
        return *behaviour;
    } else {
        number(score(std::get<Score>(operand).topic, now));
        out.from_score = true;
    }
    return out;
}

Answer Oracle::compare(const Held& held, Comparator comparator, const Literal& literal) {
    if (held.kind == Held::Kind::missing)
        return Answer::unknown;
    auto number_of = [](const Literal& l) { return static_cast<long double>(std::get<Number>(l).value) / 1e6L; };
    if (held.kind == Held::Kind::number) {
        long double const bound = number_of(literal);
        // Rounded to 10^-6 each, contributions may add up to a little more or less.
        if (held.from_score && std::abs(held.number - bound) < 3e-5L)
            close = true;
        return answer(std::llround(held.number * 1e6L), comparator, std::llround(bound * 1e6L));
    }
    if (held.kind == Held::Kind::time) {
        const auto& moment = std::get<Moment>(literal);
        return answer(held.time, comparator, moment.utc_offset ? moment.local - *moment.utc_offset : to_utc(moment.local, zone_));
    }
    if (const auto* truth = std::get_if<bool>(&literal)) {
        auto const value = as_truth(held.json);
        return value ? answer(*value, comparator, *truth) : Answer::unknown;
    }
    if (std::holds_alternative<Number>(literal)) {
        auto const value = as_number(held.json);
        return value ? answer(std::llround(*value * 1e6L), comparator, std::llround(number_of(literal) * 1e6L)) : Answer::unknown;
    }
    if (const auto* moment = std::get_if<Moment>(&literal)) {
        auto const value = date_of(held.json, zone_);
        Time const bound = moment->utc_offset ? moment->local - *moment->utc_offset : to_utc(moment->local, zone_);
        return value ? answer(*value, comparator, bound) : Answer::unknown;
    }
    return answer(folded(as_text(held.json), fold_), comparator, folded(std::get<std::string>(literal), fold_));
}

Answer Oracle::evaluate(const Condition& condition, Time now) { return test(condition, now, nullptr); }

Answer Oracle::test(const Condition& condition, Time now, const Event* event) {
    if (auto const more = test_more(condition, now, event))
        return *more;
    const auto& node = condition.node;
    if (const auto* c = std::get_if<Comparison>(&node))
        return compare(read(c->left, now, event), c->comparator, c->right);
    if (const auto* b = std::get_if<Between>(&node)) {
        Held const held = read(b->left, now, event);
        Answer const inside = both(compare(held, Comparator::greater_equal, b->low), compare(held, Comparator::less_equal, b->high));
        return b->negated ? inverse(inside) : inside;
    }
    if (const auto* in = std::get_if<In>(&node)) {
        Held const held = read(in->left, now, event);
        Answer found = Answer::no;
        for (const Literal& value : in->values)
            found = either(found, compare(held, Comparator::equal, value));
        return in->negated ? inverse(found) : found;
    }
    if (const auto* l = std::get_if<Like>(&node)) {
        Held const held = read(l->left, now, event);
        if (held.kind != Held::Kind::json)
            return Answer::unknown;
        bool const matched = like(characters(folded(as_text(held.json), fold_)), 0, characters(folded(l->pattern, fold_)), 0);
        return matched != l->negated ? Answer::yes : Answer::no;
    }
    if (const auto* set = std::get_if<IsSet>(&node))
        return (read(set->left, now, event).kind != Held::Kind::missing) != set->negated ? Answer::yes : Answer::no;
    if (const auto* truth = std::get_if<Truth>(&node)) {
        Held const held = read(truth->operand, now, event);
        if (std::holds_alternative<language::Consent>(truth->operand))
            return held.json == "granted" ? Answer::yes : Answer::no;
        auto const value = held.kind == Held::Kind::json ? as_truth(held.json) : std::nullopt;
        return value ? (*value ? Answer::yes : Answer::no) : Answer::unknown;
    }
    if (const auto* constant = std::get_if<Constant>(&node))
        return constant->value ? Answer::yes : Answer::no;
    if (auto const behaviour = test_behaviour(condition, now))
        return *behaviour;
    if (const auto* in = std::get_if<InSegment>(&node)) // a segment's members are those of whom it is true
        return segment(in->segment, now) == Answer::yes ? Answer::yes : Answer::no;
    if (const auto* negated = std::get_if<Not>(&node))
        return inverse(test(*negated->operand, now, event));
    Answer out = Answer::yes;
    if (const auto* all = std::get_if<And>(&node)) {
        for (const auto& part : all->operands)
            out = both(out, test(*part, now, event));
        return out;
    }
    out = Answer::no;
    for (const auto& part : std::get<Or>(node).operands)
        out = either(out, test(*part, now, event));
    return out;
}

std::set<Time> Oracle::breakpoints(const std::vector<Duration>& windows) const {
    std::set<Time> out;
    for (const Event& event : events) {
        out.insert(event.received_at);
        for (const Duration& window : windows)
            if (Time const end = leaves(happened(event), window); end > events.front().received_at)
                out.insert(end);
    }
    return out;
}

} // namespace nurture::world
