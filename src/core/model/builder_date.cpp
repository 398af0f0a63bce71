// Conditions over dates, and operands made of others.
#include "core/base/civil.hpp"
#include "core/base/error.hpp"
#include "core/model/builder.hpp"

#include <algorithm>

namespace nurture::model {

using namespace language;

namespace {

const std::vector<std::string> weekdays{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

/// The name of the calendar meant when none is named.
constexpr const char* default_calendar = "default";

bool is_year_or_longer(const Duration& d) {
    return d.months >= 12 || d.months * 31 * one_day + d.days * one_day + d.micros >= 365 * one_day;
}

} // namespace

ZoneRef Builder::zone_ref(const ZoneChoice& choice) const {
    ZoneRef out;
    out.kind = choice.kind;
    if (choice.kind == ZoneChoice::Kind::named) {
        out.zone = Zone::try_find(choice.name);
        if (!out.zone)
            throw Error(ErrorKind::invalid_definition, "unknown time zone \"" + choice.name + "\"", {},
                        "Use a name of the tz database, such as 'Europe/Rome' or 'UTC'.")
                .at(choice.offset.byte);
    }
    return out;
}

std::optional<Operand> Builder::derived(const language::Operand& operand, Scope scope) {
    if (std::holds_alternative<Now>(operand)) {
        if (scope == Scope::event)
            throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
        return Operand{OperandKind::now, none};
    }
    Derived out;
    if (const auto* part = std::get_if<DatePart>(&operand)) {
        out.kind = DerivedKind::date_part;
        out.part = part->part;
        out.of = part->of ? value_of(*part->of, scope) : Operand{OperandKind::now, none};
        out.zone = zone_ref(part->zone);
    } else if (const auto* anniversary = std::get_if<Anniversary>(&operand)) {
        throw Error(ErrorKind::invalid_definition,
                    "anniversary(" + print(anniversary->of) + ") can only be asked for by date", {},
                    "Write: anniversary(" + print(anniversary->of) + ") is today, or within next 7 days.");
    } else if (const auto* items = std::get_if<Items>(&operand)) {
        out.kind = DerivedKind::items;
        out.of = value_of(items->list, scope);
    } else if (const auto* domain = std::get_if<Domain>(&operand)) {
        out.kind = DerivedKind::domain;
        out.of = value_of(domain->address, scope);
    } else {
        return std::nullopt;
    }
    model_.derived.push_back(std::move(out));
    return Operand{OperandKind::derived, static_cast<Index>(model_.derived.size() - 1)};
}

bool Builder::is_derived_number(const Operand& operand) const noexcept {
    return operand.kind == OperandKind::derived && !holds_text(operand);
}

// hour(now) = 25 would never be true: said when it is written.
void Builder::check_part(const Operand& operand, const Constant& constant) const {
    if (operand.kind != OperandKind::derived || model_.derived[operand.index].kind != DerivedKind::date_part)
        return;
    struct Range {
        const char* name;
        int least, most;
    };
    static constexpr Range ranges[] = {{"year", 1, 9999}, {"quarter", 1, 4}, {"month", 1, 12}, {"week", 1, 53},
                                       {"day", 1, 31},    {"weekday", 0, 0}, {"hour", 0, 23},  {"minute", 0, 59}};
    CalendarPart const part = model_.derived[operand.index].part;
    if (part == CalendarPart::weekday) {
        if (std::find(weekdays.begin(), weekdays.end(), constant.text) == weekdays.end())
            throw Error(ErrorKind::invalid_definition, "there is no weekday '" + constant.text + "'", {},
                        "They are 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'.");
        return;
    }
    const Range& range = ranges[static_cast<std::size_t>(part)];
    if (constant.number < range.least * micro_one || constant.number > range.most * micro_one)
        throw Error(ErrorKind::invalid_definition,
                    std::string("there is no ") + range.name + " " + print_micro(constant.number), {},
                    "It is a number from " + std::to_string(range.least) + " to " + std::to_string(range.most) + ".");
}

// The days off of a calendar; without a name the one called default, which may have none.
std::shared_ptr<const std::vector<std::int32_t>> Builder::holidays(const std::optional<std::string>& calendar, Offset offset) const {
    const auto& calendars = model_.source.calendar.holidays;
    auto const known = calendars.find(calendar.value_or(default_calendar));
    if (known != calendars.end())
        return std::make_shared<const std::vector<std::int32_t>>(known->second);
    if (calendar) {
        std::vector<std::string> names;
        for (auto const& [name, days] : calendars)
            names.push_back(name);
        throw Error(ErrorKind::undefined_name, "holiday calendar \"" + *calendar + "\" does not exist", {},
                    names.empty() ? "Its days are rows of nurture.holiday." : suggest(*calendar, names))
            .at(offset.byte);
    }
    return nullptr;
}

Index Builder::compile(const language::DateTest& c, Scope scope) {
    Node node;
    node.op = Op::date;
    node.flag = c.negated;
    DateTest test;
    test.question = c.question;
    test.zone = zone_ref(c.zone);
    const auto* span = std::get_if<WithinSpan>(&c.question);
    bool const against_day = std::holds_alternative<AgainstDate>(c.question) || std::holds_alternative<OnDayKind>(c.question);
    if (!against_day && scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
    if (test.zone.kind == ZoneChoice::Kind::contact && scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "the contact's time zone cannot be used in a where clause");
    if (const auto* yearly = std::get_if<Anniversary>(&c.left)) {
        bool const exactly = span != nullptr && (span->relation == SpanRelation::exactly_ago || span->relation == SpanRelation::exactly_ahead);
        bool const within = span != nullptr && (span->relation == SpanRelation::within_last || span->relation == SpanRelation::within_next);
        if (!exactly && !within && !std::holds_alternative<language::InPeriod>(c.question))
            throw Error(ErrorKind::invalid_definition, "an anniversary comes every year", {},
                        "Ask whether it is today, in this month, within next 7 days, or exactly 3 days ahead.");
        if (span != nullptr && is_year_or_longer(span->span))
            throw Error(ErrorKind::invalid_definition, "an anniversary comes every year: the span must be shorter", {}, {});
        Derived out;
        out.kind = DerivedKind::anniversary;
        out.of = value_of(yearly->of, scope);
        model_.derived.push_back(out);
        node.operand = {OperandKind::derived, static_cast<Index>(model_.derived.size() - 1)};
    } else {
        node.operand = operand(c.left, scope, 1);
        bool const dated = node.operand.kind == OperandKind::now || type_of(node.operand.kind) == OperandType::time ||
                           (node.operand.kind != OperandKind::derived && holds_text(node.operand));
        if (!dated)
            throw Error(ErrorKind::invalid_definition, "a number or text is not a date");
        if (node.operand.kind == OperandKind::now && !against_day)
            throw Error(ErrorKind::invalid_definition, "now is always now", {},
                        "Ask for a date: now after 2026-12-31; or for a part of it: hour(now) >= 9.");
    }
    if (const auto* on = std::get_if<OnDayKind>(&c.question); on != nullptr && on->kind != DayKind::weekend)
        test.holidays = holidays(on->calendar, on->offset);
    node.detail = static_cast<Index>(model_.date_tests.size());
    model_.date_tests.push_back(std::move(test));
    return add(std::move(node));
}

} // namespace nurture::model
