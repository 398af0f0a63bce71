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

/// A state that was kept when the log before it was no longer: what all events up to a tick had made of the features that
/// there were, those with ids up to `last_feature`.
struct Base {
    profile::Profile state;
    std::int64_t tick = 0;
    std::uint32_t last_feature = 0;
};

/// The same, from a base on: later features are folded from all the events given, the others from those after its tick.
[[nodiscard]] profile::Profile fold(const model::Model& model, const Base& base, std::span<const LoggedEvent> events,
                                    Time clock);

} // namespace nurture::step
