#include "mailer/template.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <kainjow/mustache.hpp>

namespace mailer {

namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

data data_of(const nlohmann::json& value) {
    switch (value.type()) {
    case nlohmann::json::value_t::object: {
        data out(data::type::object);
        for (const auto& [key, item] : value.items())
            out.set(key, data_of(item));
        return out;
    }
    case nlohmann::json::value_t::array: {
        data out(data::type::list);
        for (const auto& item : value)
            out.push_back(data_of(item));
        return out;
    }
    case nlohmann::json::value_t::boolean:
        return data(value.get<bool>());
    case nlohmann::json::value_t::null:
        return data(false);
    case nlohmann::json::value_t::string:
        return data(value.get<std::string>());
    default:
        return data(value.dump());
    }
}

std::string fill_in(const std::string& text, const data& values, const std::string& name) {
    mustache filled(text);
    filled.set_custom_escape([](const std::string& plain) { return plain; }); // plain text, not HTML
    std::string out = filled.is_valid() ? filled.render(values) : std::string();
    if (!filled.is_valid())
        throw Unsendable("template " + name + ": " + filled.error_message());
    return out;
}

std::string read(const std::filesystem::path& folder, const std::string& name) {
    bool const plain = !name.empty() && name.find_first_of("/\\") == std::string::npos && name.front() != '.';
    std::ifstream file(plain ? folder / (name + ".txt") : std::filesystem::path());
    if (!file)
        throw Unsendable("there is no template \"" + name + "\"");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

} // namespace

Letter render(const std::filesystem::path& folder, const outbox::Action& action) {
    std::string const text = read(folder, action.template_name);
    std::size_t const empty_line = text.find("\n\n");
    constexpr std::string_view subject = "Subject: ";
    if (!text.starts_with(subject) || empty_line == std::string::npos)
        throw Unsendable("template " + action.template_name + ": it must begin with a Subject, then an empty line");
    data const values = data_of({{"contact", action.contact},
                                 {"attributes", action.attributes},
                                 {"payload", action.payload},
                                 {"purpose", action.purpose}});
    Letter letter{fill_in(text.substr(subject.size(), empty_line - subject.size()), values, action.template_name),
                  fill_in(text.substr(empty_line + 2), values, action.template_name)};
    // What was filled in must not begin a header of its own.
    std::replace_if(letter.subject.begin(), letter.subject.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return letter;
}

} // namespace mailer
