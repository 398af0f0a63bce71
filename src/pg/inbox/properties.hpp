#pragma once
// An event's properties, read in place from jsonb.
#include "core/profile/value.hpp"

#include "pg/border/datum.hpp"

namespace nurture::border {

/// Where the texts of properties are put: memory of one message at a time, however many a step takes.
class PropertyTexts {
  public:
    PropertyTexts() = default;
    PropertyTexts(const PropertyTexts&) = delete;
    PropertyTexts& operator=(const PropertyTexts&) = delete;
    ~PropertyTexts();

    /// Memory for the reader; what another one has had is freed.
    MemoryContext for_reader(const void* reader);

  private:
    MemoryContext context_ = nullptr; // a child of the context in which the first text was read
    const void* reader_ = nullptr;
};

/// A value lives until another message's properties are read.
class JsonbProperties final : public profile::Properties {
  public:
    JsonbProperties(Jsonb* jsonb, PropertyTexts& texts) noexcept : jsonb_(jsonb), texts_(texts) {}
    [[nodiscard]] profile::Value get(const language::Path& path) const override;
    void each(Visit visit, void* context) const override;

  private:
    Jsonb* jsonb_;
    PropertyTexts& texts_;
};

} // namespace nurture::border
