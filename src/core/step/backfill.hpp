#pragma once
// Features whose past is folded while new events come in: the past's fold by itself, and its union with a profile.
#include "core/step/facts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nurture::step {

/// The past of one contact for the features that a model has collected since `from_tick`.
class PastFold {
  public:
    /// Both must outlive it.
    PastFold(const Facts& facts, const std::vector<Index>& slots) : facts_(facts), slots_(slots) {}

    void take(std::string_view type, const profile::Properties& properties, const profile::Stamp& stamp);
    [[nodiscard]] std::string encode() const;

  private:
    const Facts& facts_;
    const std::vector<Index>& slots_; ///< by slot of the model: its place in values_, or none
    std::vector<profile::FeatureValue> values_;
};

/// By slot: the place among the features that are being backfilled since that tick, or none. Empty: there are none.
[[nodiscard]] std::vector<Index> backfilled_slots(const Model& model, std::int64_t from_tick);
/// The types of the events that those features are made of, each once.
[[nodiscard]] std::vector<std::string> event_types(const Model& model, std::int64_t from_tick);

/// profile := profile ⊕ parts: any number of PastFold's encodings, one after the other. Features that the model does not
/// have are left out. Throws Error(corrupt_data).
void merge_past(const Model& model, profile::Profile& profile, std::string_view parts);

/// Puts features of `folded` in the place of the profile's: those that `model` has complete and `before` had not.
void complete_features(const Model& before, const Model& model, profile::Profile& profile, profile::Profile folded);

} // namespace nurture::step
