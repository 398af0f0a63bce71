#pragma once
// Shared by the two halves of the printer.
#include "core/language/ast_workflow.hpp"

#include <string>

namespace nurture::language::printing {

void append(std::string& out, const Literal& literal);
void append(std::string& out, const Duration& duration);
void append(std::string& out, const Path& path);
void append(std::string& out, const EventPattern& event);
void append(std::string& out, const Condition& condition);
void append(std::string& out, const Moment& moment);
void append(std::string& out, const Window& window);
void append(std::string& out, const Operand& operand);
// Behaviour (printer_behaviour.cpp).
void append(std::string& out, const EventPattern& event, const Window& window);
void append(std::string& out, const Aggregate& aggregate);
void append(std::string& out, const DaysSince& days);
void append(std::string& out, const Sessions& sessions);
void append(std::string& out, const SessionPage& page);
void append(std::string& out, const InSession& in);
void append(std::string& out, const Regularly& regularly);
void append(std::string& out, const Trend& trend);
void append(std::string& out, const Sequence& sequence);
void append_type(std::string& out, const EventPattern& event);
void append_call(std::string& out, std::string_view function, const Path* property, const EventPattern& event,
                 const Window& window);
void append_name(std::string& out, std::string_view name);
/// fit.company, or "what else"
void append_topic(std::string& out, std::string_view topic);
void append_string(std::string& out, std::string_view value);
std::string_view text_of(Comparator comparator);

// Conditions over attributes, dates and membership (printer_condition.cpp).
void append_function(std::string& out, std::string_view function, const Path& path);
void append_operand(std::string& out, const DatePart& part);
void append_zone(std::string& out, const ZoneChoice& zone);
void append_test(std::string& out, const ComparePaths& test);
void append_test(std::string& out, const DistinctFrom& test);
void append_test(std::string& out, const TextTest& test);
void append_test(std::string& out, const IsEmpty& test);
void append_test(std::string& out, const HasItems& test);
void append_test(std::string& out, const Changed& test);
void append_test(std::string& out, const HasBeen& test);
void append_test(std::string& out, const DateTest& test);
void append_test(std::string& out, const InSegmentFor& test);
void append_test(std::string& out, const MovedSegment& test);
void append_test(std::string& out, const WasInSegment& test);
void append_test(std::string& out, const OnList& test);
void append_test(std::string& out, const Sample& test);
void append_test(std::string& out, const AtLeastOf& test);
void append_test(std::string& out, const InJourney& test);
// What messages are given, and streams (printer_stream.cpp).
void append_argument(std::string& out, const Argument& argument);
void append_arguments(std::string& out, const std::vector<NamedArgument>& with);
void append_test(std::string& out, const Exhausted& test);

// What starts a journey (printer_trigger.cpp).
void append(std::string& out, const Trigger& trigger);
/// 09:30, 23:59:59.
void append_time_of_day(std::string& out, Span time);
/// " at 09:30", or nothing.
void append_at(std::string& out, const std::optional<Span>& at);

} // namespace nurture::language::printing

namespace nurture::language {

/// day, hours, …: behind a number it is read as a duration. (parser_literals.cpp)
[[nodiscard]] bool is_unit_of_time(std::string_view word);
inline constexpr std::string_view unit_of_time_expected = "a unit of time (second, minute, hour, day, week, month, year)";

} // namespace nurture::language
