#pragma once
// Folding a log: features and attributes from a contact's events alone, without the path. What verify() compares the
// live profile with.
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"

#include <span>
#include <string_view>

namespace nurture::step {

struct LoggedEvent {
    std::string_view type;
    const profile::Properties* properties = nullptr;
    profile::Stamp stamp;
};

/// The features, attributes, first_seen and last_seen that the events leave, in any order, pruned at `clock`. Events of
/// ticks before a feature's from_tick are not its own.
[[nodiscard]] profile::Profile fold(const model::Model& model, std::span<const LoggedEvent> events, Time clock);

} // namespace nurture::step
