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
void append_name(std::string& out, std::string_view name);
/// fit.company, or "what else"
void append_topic(std::string& out, std::string_view topic);
void append_string(std::string& out, std::string_view value);

} // namespace nurture::language::printing
