#pragma once
// A contact's messages of one batch, packed by the aggregate nurture._pack into one bytea and read in place by the step.
#include "core/step/fold.hpp"
#include "core/step/step.hpp"

#include <deque>
#include <vector>

#include "pg/border/datum.hpp"
#include "pg/inbox/properties.hpp"

namespace nurture::border {

/// The packed bytes that are an argument, aligned; of NULL those of no message.
[[nodiscard]] std::string_view packed_argument(FunctionCallInfo fcinfo, int n);

/// The messages in the order in which they are taken: by received_at, then by their place in the inbox. Holds views
/// into the packed bytes, which must outlive it.
class PackedMessages {
  public:
    explicit PackedMessages(std::string_view packed);
    [[nodiscard]] const std::vector<step::Message>& messages() const noexcept { return messages_; }

    /// Where each lay, as the aggregate was told.
    [[nodiscard]] const std::vector<std::int64_t>& places() const noexcept { return places_; }

    /// The same as events of the log, each of which lay at tick·2^24 + n.
    [[nodiscard]] std::vector<step::LoggedEvent> logged() const;

  private:
    std::vector<step::Message> messages_;
    std::vector<std::int64_t> places_;
    PropertyTexts texts_;
    std::deque<JsonbProperties> properties_;
};

} // namespace nurture::border
