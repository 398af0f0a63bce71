// Bands of a score: named stretches with hysteresis, entered and left as time passes. They are path: the same score may lie
// in one band or in the other, depending on where it came from.
#include "core/step/stepper.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::step {

using model::Ladder;
using profile::BandState;

namespace {

const BandState* find(const std::vector<BandState>& bands, std::uint32_t id) noexcept {
    auto const place =
        std::lower_bound(bands.begin(), bands.end(), id, [](const BandState& b, std::uint32_t i) { return b.id < i; });
    return place != bands.end() && place->id == id ? &*place : nullptr;
}

} // namespace

void Facts::load_levels() {
    const auto& ladders = model.scoring.ladders;
    levels.assign(ladders.size(), 0);
    if (profile.score.bands.empty())
        return;
    for (std::size_t l = 0; l < ladders.size(); ++l)
        for (std::size_t i = 0; i < ladders[l].bands.size(); ++i)
            if (const auto* band = find(profile.score.bands, ladders[l].bands[i].id); band != nullptr && band->inside)
                levels[l] = static_cast<std::uint32_t>(i + 1);
}

void Stepper::load_bands() {
    for (const Ladder& ladder : model_.scoring.ladders) {
        LadderState state;
        state.left.assign(ladder.bands.size(), always);
        for (std::size_t i = 0; i < ladder.bands.size(); ++i)
            if (const auto* band = find(profile_.score.bands, ladder.bands[i].id)) {
                state.left[i] = band->left;
                if (band->inside)
                    state.since = band->since;
                if (i == 0)
                    state.flips = band->flips;
            }
        ladders_.push_back(std::move(state));
    }
}

void Stepper::mark_bands() noexcept {
    for (LadderState& ladder : ladders_)
        ladder.dirty = true;
}

void Stepper::evaluate_bands(const Cause& cause) {
    for (Index l = 0; l < ladders_.size(); ++l) {
        LadderState& state = ladders_[l];
        if (!state.dirty && state.flips > clock_)
            continue;
        state.dirty = false;
        std::uint32_t const before = facts_.levels[l];
        std::uint32_t const level = next_level(l);
        if (level != before) {
            facts_.levels[l] = level;
            state.since = clock_;
            note_band(l, before, cause);
            mark(model_.segments_of_ladder[l]);
        }
        state.flips = std::max(band_flips(l), saturating_add(clock_, 1));
    }
}

// Down as far as the score has fallen below the bands' lower ends less their hysteresis; else up to the highest band that
// it has reached and that is armed.
std::uint32_t Stepper::next_level(Index l) {
    const Ladder& ladder = model_.scoring.ladders[l];
    LadderState& state = ladders_[l];
    Wide const score = facts_.score(ladder.topic, clock_);
    std::uint32_t level = facts_.levels[l];
    auto const below = [&](std::uint32_t of) {
        const auto& band = ladder.bands[of - 1];
        return score < band.from - band.hysteresis;
    };
    if (level > 0 && below(level)) {
        while (level > 0 && below(level)) {
            if (ladder.bands[level - 1].rearm > 0)
                state.left[level - 1] = clock_;
            --level;
        }
        return level;
    }
    for (auto up = static_cast<std::uint32_t>(ladder.bands.size()); up > level; --up)
        if (score >= ladder.bands[up - 1].from && is_armed(l, up))
            return up;
    return level;
}

Time Stepper::armed_from(Index ladder, std::uint32_t level) const noexcept {
    Time const left = ladders_[ladder].left[level - 1];
    return left == always ? always : saturating_add(left, model_.scoring.ladders[ladder].bands[level - 1].rearm);
}

bool Stepper::is_armed(Index ladder, std::uint32_t level) const noexcept { return armed_from(ladder, level) <= clock_; }

// When a band may be entered or left by time alone: the lower end of this one is crossed downwards, that of the next one
// upwards (a higher one is not reached before it), or a band whose end the score has passed is armed again.
Time Stepper::band_flips(Index l) const {
    const Ladder& ladder = model_.scoring.ladders[l];
    std::uint32_t const level = facts_.levels[l];
    Wide const score = facts_.score(ladder.topic, clock_);
    Time flips = never;
    if (level > 0) {
        const auto& band = ladder.bands[level - 1];
        flips = facts_.next_crossing(ladder.topic, band.from - band.hysteresis, clock_);
    }
    for (std::uint32_t up = level + 1; up <= ladder.bands.size(); ++up) {
        if (score < ladder.bands[up - 1].from)
            return std::min(flips, facts_.next_crossing(ladder.topic, ladder.bands[up - 1].from, clock_));
        flips = std::min(flips, armed_from(l, up));
        // It may be left again before it is armed.
    }
    return flips;
}

void Stepper::note_band(Index l, std::uint32_t before, const Cause& cause) {
    const Ladder& ladder = model_.scoring.ladders[l];
    auto const name = [&](std::uint32_t level) {
        return level == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(std::string(ladder.name_of(level)));
    };
    Transition transition;
    transition.n = next_transition_++;
    transition.at = clock_;
    transition.kind = TransitionKind::band_changed;
    transition.name = ladder.topic == none ? "score" : model_.topics[ladder.topic];
    transition.reason = nlohmann::ordered_json{{"from", name(before)}, {"to", name(facts_.levels[l])}}.dump();
    transition.cause = cause.label;
    transition.cause_tick = cause.tick;
    transition.cause_n = cause.n;
    result_.transitions.push_back(std::move(transition));
}

void Stepper::store_bands() {
    auto& bands = profile_.score.bands;
    bands.clear();
    for (Index l = 0; l < ladders_.size(); ++l) {
        const auto& ladder = model_.scoring.ladders[l];
        const LadderState& state = ladders_[l];
        for (std::uint32_t i = 0; i < ladder.bands.size(); ++i) {
            BandState band;
            band.id = ladder.bands[i].id;
            band.inside = facts_.levels[l] == i + 1;
            band.since = band.inside ? state.since : 0;
            band.left = armed_from(l, i + 1) > clock_ ? state.left[i] : always;
            band.flips = i == 0 ? state.flips : never;
            if (band.inside || band.left != always || band.flips != never)
                bands.push_back(band);
        }
    }
    std::sort(bands.begin(), bands.end(), [](const BandState& a, const BandState& b) { return a.id < b.id; });
}

} // namespace nurture::step
