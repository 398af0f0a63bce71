#pragma once
// How far a contact is in the streams of a model.
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"

#include <string_view>
#include <vector>

namespace nurture::report {

/// A message of a stream, and what it is to the contact: "sent", "on its way", "next", "later", "not yet
/// available", "no longer available".
struct StreamPlace {
    const model::Stream* stream = nullptr;
    std::size_t place = 0; ///< from 0
    std::string_view state;
};

/// All messages of all streams, in the order of the model and of the stream; `key` is the contact's.
[[nodiscard]] std::vector<StreamPlace>
stream_places(const model::Model& model, const profile::Profile& profile, std::string_view key, Time at);

} // namespace nurture::report
