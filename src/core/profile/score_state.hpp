#pragma once
// What a profile keeps of its score beside the features: what was adjusted by hand, whether it is frozen or was reset, and
// the bands it is in. Adjustments are functions of the set of events; the rest is path.
#include "core/base/decimal.hpp"
#include "core/profile/stamp.hpp"

#include <string>
#include <utility>
#include <vector>

namespace nurture::profile {

/// Points given by hand that are taken back by themselves.
struct Adjustment {
    Stamp stamp;
    std::string topic; ///< empty: the whole score
    Micro points = 0;
    Time expires = never;
    friend auto operator<=>(const Adjustment&, const Adjustment&) = default;
};

/// At most this many adjustments that expire are kept, those that expire last.
inline constexpr std::size_t adjustment_limit = 1'000;

struct BandState {
    std::uint32_t id = 0;
    bool inside = false;
    Time since = 0;       ///< inside: since when
    Time left = always;   ///< when it was left downwards last; always: never, or it is armed again
    Time flips = never;   ///< on the lowest band of a ladder: when the band may change by time alone
    friend bool operator==(const BandState&, const BandState&) = default;
};

struct ScoreState {
    std::vector<std::pair<std::string, Wide>> adjusted; ///< for good, by topic; ascending
    std::vector<Adjustment> expiring;                   ///< ascending
    Stamp frozen_by{never, 0, 0}; ///< the event that froze the score
    std::string frozen;           ///< the profile as it was then
    Stamp reset{always, 0, 0};
    std::string before_reset; ///< the profile as it was when the score was reset
    std::vector<BandState> bands; ///< ascending by id

    [[nodiscard]] bool is_frozen() const noexcept { return frozen_by.at != never; }
    [[nodiscard]] bool was_reset() const noexcept { return reset.at != always; }
    void adjust(const Adjustment& adjustment);
    /// What was given to both by hand. Being frozen, or reset, is of the path: it stays as it is here.
    void take_adjustments(const ScoreState& other);
    /// The opposite: what the other was given is not this one's.
    void give_adjustments(const ScoreState& other);
    friend bool operator==(const ScoreState&, const ScoreState&) = default;
};

void encode(ByteWriter& out, const ScoreState& state, const Stamp& base);
/// Throws Error(corrupt_data).
[[nodiscard]] ScoreState decode_score_state(ByteReader& in, const Stamp& base);

} // namespace nurture::profile
