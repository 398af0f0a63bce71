// Streams as text, and what they refer to; what messages are given.
#include "core/language/printer.hpp"
#include "core/language/stream.hpp"

#include <algorithm>

namespace nurture::language {

using namespace printing;

std::string print(const Stream& stream) {
    std::string out;
    for (const StreamContent& content : stream.contents) {
        if (!out.empty())
            out += '\n';
        append_name(out, content.channel);
        out += ' ';
        append_string(out, content.template_name);
        if (content.purpose) {
            out += " for ";
            append_name(out, *content.purpose);
        }
        if (content.from)
            out += " from " + print(Literal(*content.from));
        if (content.until)
            out += " until " + print(Literal(*content.until));
    }
    return out;
}

std::vector<Reference> references(const Stream&) {
    return {};
}

std::vector<Use> uses(const Stream& stream) {
    std::vector<Use> out;
    for (const StreamContent& content : stream.contents) {
        out.push_back({"channel", content.channel});
        out.push_back({"template", content.template_name});
        if (content.purpose)
            out.push_back({"purpose", *content.purpose});
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

namespace printing {

void append_argument(std::string& out, const Argument& argument) {
    if (const auto* literal = std::get_if<Literal>(&argument)) {
        append(out, *literal);
    } else if (const auto* path = std::get_if<Path>(&argument)) {
        append(out, *path);
    } else {
        out += "coupon(";
        append_string(out, std::get<Coupon>(argument).pool);
        out += ')';
    }
}

void append_arguments(std::string& out, const std::vector<NamedArgument>& with) {
    if (with.empty())
        return;
    std::string_view separator = " with (";
    for (const NamedArgument& argument : with) {
        out += separator;
        append_name(out, argument.name);
        out += " = ";
        append_argument(out, argument.value);
        separator = ", ";
    }
    out += ')';
}

void append_test(std::string& out, const Exhausted& test) {
    out += "stream ";
    append_string(out, test.stream);
    out += test.negated ? " is not exhausted" : " is exhausted";
}

} // namespace printing

} // namespace nurture::language
