#pragma once
// An event's properties, read in place from jsonb.
#include "core/profile/value.hpp"

#include "pg/border/datum.hpp"

namespace nurture::border {

class JsonbProperties final : public profile::Properties {
  public:
    explicit JsonbProperties(Jsonb* jsonb) noexcept : jsonb_(jsonb) {}
    [[nodiscard]] profile::Value get(const language::Path& path) const override;
    void each(Visit visit, void* context) const override;

  private:
    Jsonb* jsonb_;
};

} // namespace nurture::border
