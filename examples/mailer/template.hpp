#pragma once
// Templates: a text file per template, headers above an empty line, Mustache in both.
#include "outbox/outbox.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>

namespace mailer {

/// The template is missing or wrong, or the contact has no address: sending will never work as things are.
class Unsendable : public std::runtime_error {
    using runtime_error::runtime_error;
};

struct Letter {
    std::string subject, body;
};

/// Fills in NAME.txt of the folder: {{attributes.…}}, {{payload.…}}, {{contact}}. Throws Unsendable.
[[nodiscard]] Letter render(const std::filesystem::path& folder, const outbox::Action& action);

} // namespace mailer
