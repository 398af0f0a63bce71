#pragma once
// A contact's messages of one batch, packed by the aggregate nurture._pack into one bytea and read in place by the step.
#include "core/step/step.hpp"

#include <deque>
#include <vector>

#include "pg/inbox/properties.hpp"

namespace nurture::border {

/// The messages in the order in which they are taken: by received_at, then by their place in the inbox. Holds views
/// into the packed bytes, which must outlive it.
class PackedMessages {
  public:
    explicit PackedMessages(std::string_view packed);
    [[nodiscard]] const std::vector<step::Message>& messages() const noexcept { return messages_; }

    /// Where each lay, as the aggregate was told.
    [[nodiscard]] const std::vector<std::int64_t>& places() const noexcept { return places_; }

  private:
    std::vector<step::Message> messages_;
    std::vector<std::int64_t> places_;
    PropertyTexts texts_;
    std::deque<JsonbProperties> properties_;
};

} // namespace nurture::border
