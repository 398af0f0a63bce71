#include "core/profile/score_state.hpp"

#include <algorithm>

namespace nurture::profile {

namespace {

enum Has : std::uint8_t { has_adjusted = 1, has_expiring = 2, has_frozen = 4, has_reset = 8, has_bands = 16 };

// A time near another takes few bytes; what never was takes one.
void write_moment(ByteWriter& out, Time t, Time base) {
    if (t == never || t == always) {
        out.byte(t == never ? 1 : 2);
        return;
    }
    out.byte(0);
    out.integer(t - base);
}

Time read_moment(ByteReader& in, Time base) {
    std::uint8_t const kind = in.byte();
    if (kind > 2)
        ByteReader::corrupt("holds an unknown kind of time");
    if (kind != 0)
        return kind == 1 ? never : always;
    Time t = 0;
    if (__builtin_add_overflow(base, in.integer(), &t) || t < -furthest_time || t > furthest_time)
        ByteReader::corrupt("holds a time out of range");
    return t;
}

void encode_bands(ByteWriter& out, const std::vector<BandState>& bands, Time base) {
    out.number(bands.size());
    for (const BandState& band : bands) {
        out.number(band.id);
        out.byte(band.inside ? 1 : 0);
        write_moment(out, band.since, base);
        write_moment(out, band.left, base);
        write_moment(out, band.flips, base);
    }
}

std::vector<BandState> decode_bands(ByteReader& in, Time base) {
    std::vector<BandState> bands(in.count(5));
    for (std::size_t i = 0; i < bands.size(); ++i) {
        std::uint64_t const id = in.number();
        if (id > UINT32_MAX || (i > 0 && id <= bands[i - 1].id))
            ByteReader::corrupt("holds bands out of order");
        bands[i].id = static_cast<std::uint32_t>(id);
        bands[i].inside = in.byte() != 0;
        bands[i].since = read_moment(in, base);
        bands[i].left = read_moment(in, base);
        bands[i].flips = read_moment(in, base);
    }
    return bands;
}

} // namespace

void ScoreState::adjust(const Adjustment& adjustment) {
    if (adjustment.expires == never) {
        auto const place = std::lower_bound(adjusted.begin(), adjusted.end(), adjustment.topic,
                                            [](const auto& a, const std::string& topic) { return a.first < topic; });
        if (place != adjusted.end() && place->first == adjustment.topic)
            place->second += adjustment.points;
        else
            adjusted.insert(place, {adjustment.topic, adjustment.points});
        return;
    }
    expiring.insert(std::upper_bound(expiring.begin(), expiring.end(), adjustment), adjustment);
    if (expiring.size() > adjustment_limit)
        expiring.erase(std::min_element(expiring.begin(), expiring.end(), [](const auto& a, const auto& b) {
            return a.expires != b.expires ? a.expires < b.expires : a < b;
        }));
}

void ScoreState::take_adjustments(const ScoreState& other) {
    for (const auto& [topic, points] : other.adjusted) {
        auto const place = std::lower_bound(adjusted.begin(), adjusted.end(), topic,
                                            [](const auto& a, const std::string& wanted) { return a.first < wanted; });
        if (place != adjusted.end() && place->first == topic)
            place->second += points;
        else
            adjusted.insert(place, {topic, points});
    }
    for (const Adjustment& adjustment : other.expiring)
        adjust(adjustment);
}

void ScoreState::give_adjustments(const ScoreState& other) {
    for (const auto& [topic, points] : other.adjusted)
        for (auto& own : adjusted)
            if (own.first == topic)
                own.second -= points;
    std::erase_if(adjusted, [](const auto& own) { return own.second == 0; });
    for (const Adjustment& adjustment : other.expiring)
        if (auto const place = std::find(expiring.begin(), expiring.end(), adjustment); place != expiring.end())
            expiring.erase(place);
}

void encode(ByteWriter& out, const ScoreState& state, const Stamp& base) {
    out.byte(static_cast<std::uint8_t>((state.adjusted.empty() ? 0 : has_adjusted) |
                                       (state.expiring.empty() ? 0 : has_expiring) |
                                       (state.is_frozen() ? has_frozen : 0) | (state.was_reset() ? has_reset : 0) |
                                       (state.bands.empty() ? 0 : has_bands)));
    if (!state.adjusted.empty()) {
        out.number(state.adjusted.size());
        for (const auto& [topic, points] : state.adjusted) {
            out.text(topic);
            out.wide(points);
        }
    }
    if (!state.expiring.empty()) {
        out.number(state.expiring.size());
        for (const Adjustment& adjustment : state.expiring) {
            write_stamp(out, adjustment.stamp, base);
            out.text(adjustment.topic);
            out.integer(adjustment.points);
            write_moment(out, adjustment.expires, base.at);
        }
    }
    if (state.is_frozen()) {
        write_stamp(out, state.frozen_by, base);
        out.text(state.frozen);
    }
    if (state.was_reset()) {
        write_stamp(out, state.reset, base);
        out.text(state.before_reset);
    }
    if (!state.bands.empty())
        encode_bands(out, state.bands, base.at);
}

ScoreState decode_score_state(ByteReader& in, const Stamp& base) {
    ScoreState state;
    std::uint8_t const has = in.byte();
    if (has > 31)
        ByteReader::corrupt("holds an unknown part of a score");
    if ((has & has_adjusted) != 0)
        for (std::size_t left = in.count(2); left > 0; --left) {
            std::string topic(in.text());
            if (!state.adjusted.empty() && topic <= state.adjusted.back().first)
                ByteReader::corrupt("holds adjustments out of order");
            Wide const points = in.wide();
            if (points > Wide(1) << 120 || points < -(Wide(1) << 120))
                ByteReader::corrupt("holds a sum out of range");
            state.adjusted.emplace_back(std::move(topic), points);
        }
    if ((has & has_expiring) != 0)
        for (std::size_t left = in.count(6); left > 0; --left) {
            Adjustment adjustment;
            adjustment.stamp = read_stamp(in, base);
            adjustment.topic = in.text();
            adjustment.points = in.integer();
            adjustment.expires = read_moment(in, base.at);
            if (!state.expiring.empty() && adjustment < state.expiring.back())
                ByteReader::corrupt("holds adjustments out of order");
            state.expiring.push_back(std::move(adjustment));
        }
    if ((has & has_frozen) != 0) {
        state.frozen_by = read_stamp(in, base);
        state.frozen = in.text();
    }
    if ((has & has_reset) != 0) {
        state.reset = read_stamp(in, base);
        state.before_reset = in.text();
    }
    if ((has & has_bands) != 0)
        state.bands = decode_bands(in, base.at);
    return state;
}

} // namespace nurture::profile
