#pragma once
// Shared by the two halves of the printer.
#include "core/language/ast.hpp"

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
void append(std::string& out, const Regularly& regularly);
void append(std::string& out, const Trend& trend);
void append(std::string& out, const Sequence& sequence);
void append_type(std::string& out, const EventPattern& event);
void append_call(std::string& out, std::string_view function, const Path* property, const EventPattern& event,
                 const Window& window);
void append_name(std::string& out, std::string_view name);
void append_string(std::string& out, std::string_view value);

} // namespace nurture::language::printing
