#pragma once
// Features whose past is folded while new events come in: the past's fold by itself, and its union with a profile.
#include "core/base/bytes.hpp"
#include "core/step/facts.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::step {

/// What every contact's past is folded by: the features that a model has collected since `from_tick`, by the events they are made of.
class PastPlan {
  public:
    /// The facts must outlive it.
    PastPlan(const Facts& facts, std::int64_t from_tick);
    [[nodiscard]] const Facts& facts() const noexcept { return facts_; }
    /// Slots of the model, ascending.
    [[nodiscard]] const std::vector<Index>& slots() const noexcept { return slots_; }

    /// Calls on_feature(place among the slots, value of its property, value of its key) for each feature that the event feeds.
    template <class OnFeature>
    void match(std::string_view type, const profile::Properties& properties, OnFeature on_feature) const;

  private:
    struct Feed {
        Index place, property, key;
    };
    struct Pattern {
        Index filter;
        std::vector<Feed> feeds;
    };
    struct OfType {
        std::string type; ///< empty: any but the engine's own
        std::vector<Pattern> patterns;
    };
    const Facts& facts_;
    std::vector<Index> slots_;
    std::vector<OfType> types_;
    std::vector<Index> histories_; ///< places of what an attribute has been
};

/// The past of one contact.
class PastFold {
  public:
    /// It must outlive this.
    explicit PastFold(const PastPlan& plan) : plan_(plan) {}

    void take(std::string_view type, const profile::Properties& properties, const profile::Stamp& stamp);
    /// Empty: nothing of it counts.
    [[nodiscard]] std::string encode() const;

  private:
    const PastPlan& plan_;
    std::vector<profile::FeatureValue> values_; ///< as the plan's slots
};

/// The past of many contacts, by their keys: a log is folded in one pass, whatever the order in which it lies.
class PastTable {
  public:
    /// It must outlive this.
    explicit PastTable(const PastPlan& plan);

    void take(std::string_view contact, std::string_view type, const profile::Properties& properties, const profile::Stamp& stamp);
    /// Those of whom something counts, ascending by key: key, then a PastFold's encoding, each behind its length.
    [[nodiscard]] std::string encode();

  private:
    /// A key lies in its row, unless it is long: reading elsewhere is what takes the time.
    struct Row {
        std::uint32_t hash = 0, length = 0;
        char text[32]; ///< of a long key: where it lies
        [[nodiscard]] std::string_view contact() const noexcept;
    };
    /// What an event gives a feature, until there are enough of them: what each needs of the memory is then fetched for all of them at once
    /// (S. Chen et al., Improving hash join performance through prefetching, 2004).
    struct Waiting {
        std::uint32_t hash;
        Index place;
        std::size_t row;
        profile::Stamp stamp;
        std::size_t texts; ///< where its contact lies in texts_, then the texts of its value and key
        std::uint32_t contact_length, value_length, key_length;
        profile::Value value, key; ///< without their texts
    };
    static constexpr std::size_t most_waiting = 256;
    void fold_waiting();
    [[nodiscard]] std::size_t row_of(std::string_view contact, std::uint32_t hash);
    void add(std::string_view contact, std::uint32_t hash);
    void grow();

    const PastPlan& plan_;
    std::vector<Row> rows_;
    std::vector<profile::FeatureValue> values_; ///< row by row as the plan's slots
    std::vector<std::uint32_t> places_;         ///< open addressing: a row's number + 1, or 0
    std::vector<std::unique_ptr<char[]>> long_keys_;
    std::vector<Waiting> waiting_;
    std::string texts_;
};

/// Reads what PastTables have encoded, several at once: contacts ascending by key, each with all its parts.
class PastReader {
  public:
    explicit PastReader(const std::vector<std::string_view>& encoded);
    /// False: there are no more.
    [[nodiscard]] bool next(std::string_view& contact, std::string& parts);

  private:
    struct Source {
        ByteReader in;
        std::string_view contact, part;
        bool ended = false;
        void advance();
    };
    std::vector<Source> sources_;
};

/// The types of the events that those features are made of, each once.
[[nodiscard]] std::vector<std::string> event_types(const Model& model, std::int64_t from_tick);

/// profile := profile ⊕ parts: any number of PastFold's encodings, one after the other. Features that the model does not
/// have are left out. Throws Error(corrupt_data).
void merge_past(const Model& model, profile::Profile& profile, std::string_view parts);

/// Whether there are features that `model` has complete and `before` had not.
[[nodiscard]] bool completes_features(const Model& before, const Model& model);
/// Puts features of `folded` in the place of the profile's: those that `model` has complete and `before` had not.
void complete_features(const Model& before, const Model& model, profile::Profile& profile, profile::Profile folded);

} // namespace nurture::step
