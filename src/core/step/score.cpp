// Scores: points applied when read, limits clamped when read.
#include "core/step/score.hpp"

#include <algorithm>
#include <cmath>

namespace nurture::step {

using model::ScoreSource;
using model::ScoringRule;
using profile::Entries;
using profile::FeatureValue;
using profile::KeyedEntries;
using profile::Stamp;

namespace {

// amount × part / whole, rounded half away from zero.
Wide share(Wide amount, Wide part, Wide whole) noexcept {
    Wide const product = amount * part;
    Wide const half = whole / 2;
    return (product >= 0 ? product + half : product - half) / whole;
}

// What is left of an amount that wears off by itself. It falls with age, and so does its rounding.
Wide faded(const ScoringRule& rule, Micro amount, Span age) noexcept {
    if (!rule.fading)
        return amount;
    Span const worn = age - rule.after;
    if (*rule.fading == language::FadingKind::expiry)
        return worn < rule.span ? amount : 0;
    if (worn <= 0)
        return amount;
    if (*rule.fading == language::FadingKind::linear)
        return worn >= rule.span ? 0 : share(amount, rule.span - worn, rule.span);
    Wide const whole = Wide(100) * micro_one;
    Wide const left = whole - Wide(worn / rule.span) * rule.percent;
    return left <= 0 ? 0 : share(amount, left, whole);
}

Wide magnitude_below(Wide value) noexcept { return value < 0 ? -value : 0; }

/// The sum of what events are worth, in the parts that fall with time each.
struct Tally {
    const ScoringRule& rule;
    Time at;
    Span half_life;
    Wide positive = 0, negative = 0, fresh = 0;
    DecayedSum decayed{half_life == 0 ? one_day : half_life};

    void add(Time happened, Micro amount) {
        if (half_life == 0) {
            Wide const left = faded(rule, amount, at - happened);
            (left > 0 ? positive : negative) += left > 0 ? left : -left;
        } else if (at - happened < rule.after) {
            fresh += amount;
        } else {
            decayed.add(happened, amount);
        }
    }
    // What decays by half-lives does so with one factor: its sum keeps its sign.
    [[nodiscard]] Wide total(Wide* negative_side) const {
        Wide const together = half_life == 0 ? 0 : decayed.value_at(at - rule.after);
        if (negative_side != nullptr) {
            *negative_side = negative + magnitude_below(together) + magnitude_below(fresh);
            return positive + std::max<Wide>(together, 0) + std::max<Wide>(fresh, 0);
        }
        return positive - negative + fresh + together;
    }
};

bool taken_after(const Stamp& stamp, const Stamp& reset) noexcept {
    return std::pair(stamp.tick, stamp.n) > std::pair(reset.tick, reset.n);
}

// The first `cap` entries of each period.
template <class Each>
void each_within_cap(const ScoringRule& rule, const Zone& zone, const KeyedEntries& entries, Each each) {
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (const auto& entry : entries.items) {
        if (rule.cap != 0) {
            std::int64_t const period = period_of(entry.stamp.at, static_cast<Period>(rule.cap_period), zone);
            auto place = std::find_if(taken.begin(), taken.end(), [&](const auto& t) { return t.first == period; });
            if (place == taken.end())
                place = taken.insert(place, {period, 0});
            if (++place->second > rule.cap)
                continue;
        }
        each(entry);
    }
}

} // namespace

// --- frozen and reset ----------------------------------------------------------------------------------------------

void Facts::reload_score_state() {
    const auto& score = profile.score;
    frozen_.reset();
    before_reset_.clear();
    if (score.is_frozen())
        frozen_ = std::make_shared<const Frozen>(model, score.frozen, key, score.frozen_by.at);
    if (score.was_reset()) {
        profile::Profile before = profile::decode(score.before_reset);
        before.score = {};
        Facts const facts(model, before);
        before_reset_ = facts.features;
    }
    for (Read& read : contributions_)
        read.at = always;
}

Time Facts::frozen_at() const noexcept { return frozen_ ? frozen_->at : never; }

// What a feature has taken since the score was reset. What was known then is taken off what is known now.
FeatureValue Facts::since_reset(Index feature) const {
    FeatureValue value = features[feature];
    const FeatureValue& before = before_reset_[feature];
    const Stamp& reset = profile.score.reset;
    if (auto* sum = std::get_if<profile::Sum>(&value)) {
        if (const auto* old = std::get_if<profile::Sum>(&before))
            sum->value -= old->value;
    } else if (auto* decayed = std::get_if<DecayedSum>(&value)) {
        if (const auto* old = std::get_if<DecayedSum>(&before))
            for (const auto& bucket : old->buckets())
                decayed->add_bucket(bucket.period, -bucket.amount);
    } else if (auto* entries = std::get_if<Entries>(&value)) {
        std::erase_if(entries->items, [&](const auto& entry) { return !taken_after(entry.stamp, reset); });
    } else if (auto* keyed = std::get_if<KeyedEntries>(&value)) {
        std::erase_if(keyed->items, [&](const auto& entry) { return !taken_after(entry.stamp, reset); });
    }
    return value;
}

// --- one rule ------------------------------------------------------------------------------------------------------

Wide Facts::count_events(const ScoringRule& rule, Time at, Wide* negative) const {
    if (before_reset_.empty())
        return count_events(rule, &features[rule.feature], rule.fresh == none ? nullptr : &features[rule.fresh], at, negative);
    FeatureValue const counted_since = since_reset(rule.feature);
    if (rule.fresh == none)
        return count_events(rule, &counted_since, nullptr, at, negative);
    FeatureValue const fresh_since = since_reset(rule.fresh);
    return count_events(rule, &counted_since, &fresh_since, at, negative);
}

// A decayed sum whose parts wear off only when they are `after` old: those younger are taken out of it and added in full.
Wide Facts::count_events(const ScoringRule& rule, const FeatureValue* feature, const FeatureValue* fresh, Time at,
                         Wide* negative) const {
    if (const auto* decayed = std::get_if<DecayedSum>(feature)) {
        const auto* young = fresh == nullptr ? nullptr : std::get_if<Entries>(fresh);
        Wide value = 0, in_full = 0;
        if (young == nullptr) {
            value = decayed->value_at(at - rule.after);
        } else {
            DecayedSum old(*decayed);
            for (const auto& entry : young->items)
                if (at - entry.stamp.at < rule.after) {
                    old.subtract(entry.stamp.at, entry.amount);
                    in_full += entry.amount;
                }
            value = old.value_at(at - rule.after);
        }
        if (negative == nullptr)
            return value + in_full;
        *negative = magnitude_below(value) + magnitude_below(in_full);
        return std::max<Wide>(value, 0) + std::max<Wide>(in_full, 0);
    }
    Tally tally{rule, at, rule.half_life};
    if (const auto* entries = std::get_if<Entries>(feature)) {
        // Of a window with more events than it keeps, one more is kept, so that a reading can tell.
        const auto& definition = model.features[rule.feature].definition;
        bool const windowed = definition.kind == profile::FeatureKind::recent;
        auto const limit = static_cast<std::size_t>(definition.limit);
        std::size_t const skip = windowed && entries->items.size() > limit ? entries->items.size() - limit : 0;
        for (std::size_t i = skip; i < entries->items.size(); ++i)
            tally.add(entries->items[i].stamp.at, entries->items[i].amount);
        return tally.total(negative);
    }
    if (const auto* keyed = std::get_if<KeyedEntries>(feature)) {
        each_within_cap(rule, model.zone, *keyed, [&](const auto& entry) { tally.add(entry.stamp.at, entry.amount); });
        return tally.total(negative);
    }
    Wide value = 0;
    if (const auto* sum = std::get_if<profile::Sum>(feature))
        value = rule.amount ? sum->value : sum->value * micro_one;
    if (negative == nullptr)
        return value;
    *negative = magnitude_below(value);
    return std::max<Wide>(value, 0);
}

std::optional<std::vector<Stamp>> Facts::counted(const ScoringRule& rule) const {
    if (frozen_)
        return frozen_->facts.counted(rule);
    if (rule.source != ScoreSource::events)
        return std::nullopt;
    FeatureValue const feature = before_reset_.empty() ? features[rule.feature] : since_reset(rule.feature);
    std::vector<Stamp> out;
    if (const auto* entries = std::get_if<Entries>(&feature))
        for (const auto& entry : entries->items)
            out.push_back(entry.stamp);
    else if (const auto* keyed = std::get_if<KeyedEntries>(&feature))
        each_within_cap(rule, model.zone, *keyed, [&](const auto& entry) { out.push_back(entry.stamp); });
    else if (std::holds_alternative<profile::Sum>(feature) || std::holds_alternative<DecayedSum>(feature))
        return std::nullopt;
    return out;
}

Facts::Fall Facts::fall_of(const ScoringRule& rule, Time at, bool of_positive) const {
    Fall fall;
    FeatureValue const feature = before_reset_.empty() ? features[rule.feature] : since_reset(rule.feature);
    auto const take = [&](const auto& entry) {
        Span const age = at - entry.stamp.at - rule.after;
        fall.slack += 2 + std::abs(static_cast<double>(rule.points)) / micro_one;
        if (*rule.fading == language::FadingKind::linear) {
            if (age < rule.span && (entry.amount > 0) == ((rule.points > 0) == of_positive))
                fall.rate += std::abs(static_cast<double>(rule.points) / micro_one * static_cast<double>(entry.amount)) /
                             static_cast<double>(rule.span);
        } else {
            Span const steps = age < 0 ? 1 : age / rule.span + 1;
            if (*rule.fading == language::FadingKind::step ? (steps - 1) * Wide(rule.percent) < Wide(100) * micro_one
                                                           : steps == 1)
                fall.step = std::min(fall.step, entry.stamp.at + rule.after + steps * rule.span);
        }
    };
    if (const auto* entries = std::get_if<Entries>(&feature))
        std::for_each(entries->items.begin(), entries->items.end(), take);
    else if (const auto* keyed = std::get_if<KeyedEntries>(&feature))
        std::for_each(keyed->items.begin(), keyed->items.end(), take);
    return fall;
}

// Whole spans since the last event, or since the contact was first seen; `next`: when another one is full.
Wide Facts::idle_spans(const ScoringRule& rule, Time at, Time* next) const {
    Time idle_from = profile.first_seen;
    if (const auto* last = std::get_if<profile::Extreme>(&features[rule.feature]))
        idle_from = last->stamp.at;
    if (profile.score.was_reset())
        idle_from = std::max(idle_from, profile.score.reset.at);
    Wide spans = idle_from == never || idle_from >= at ? 0 : (at - idle_from) / rule.span;
    bool const full = rule.cap != 0 && spans >= rule.cap;
    if (full)
        spans = rule.cap;
    if (next != nullptr)
        *next = idle_from == never || full ? never : saturating_add(idle_from, static_cast<Span>(spans + 1) * rule.span);
    return spans;
}

Wide Facts::occurrences(const ScoringRule& rule, Time at) const {
    if (frozen_)
        return frozen_->facts.occurrences(rule, std::min(at, frozen_->at));
    if (rule.source == ScoreSource::condition)
        return evaluate(rule.condition, at).truth == Truth::yes ? micro_one : 0;
    if (rule.source == ScoreSource::inactivity)
        return idle_spans(rule, at, nullptr) * micro_one;
    return count_events(rule, at, nullptr);
}

Wide Facts::contribution(const ScoringRule& rule, Time at) const {
    Read& read = contributions_[static_cast<std::size_t>(&rule - model.rules.data())];
    if (read.at != at)
        read = {at, multiply_micro(rule.points, occurrences(rule, at))};
    return read.value;
}

Span Facts::half_life_of(const ScoringRule& rule) const noexcept {
    const auto* decayed = rule.source == ScoreSource::events ? std::get_if<DecayedSum>(&features[rule.feature]) : nullptr;
    return decayed != nullptr ? decayed->half_life() : rule.half_life;
}

Wide Facts::amount_left(const ScoringRule& rule, Span half_life, Micro amount, Time happened, Time at) {
    Tally tally{rule, at, half_life};
    tally.add(happened, amount);
    return tally.total(nullptr);
}

// --- all rules -----------------------------------------------------------------------------------------------------

bool Facts::is_part_of(Index part, Index topic) const noexcept {
    for (; part != none; part = model.scoring.parents[part])
        if (part == topic)
            return true;
    return topic == none;
}

// Adjustments of the topic itself (none: of what is in no topic).
Wide Facts::adjusted(Index topic, Time at) const {
    Wide sum = 0;
    auto const of = [&](const std::string& name) { return name.empty() ? none : model.topic_of(name); };
    for (const auto& [name, points] : profile.score.adjusted)
        if (of(name) == topic)
            sum += points;
    for (const auto& adjustment : profile.score.expiring)
        if (adjustment.expires > at && of(adjustment.topic) == topic)
            sum += adjustment.points;
    return sum;
}

// Sums `of(rule)` over a topic's rules as the limits have it: a rule's own first, then topic by topic from the deepest up.
// Without limits on the way it is a plain sum. `note(topic, rule group, before, after)` hears of every limit that bites.
template <class Of, class Note>
Wide Facts::combine(Index topic, Time at, bool within_limits, Of of, Note note) const {
    const auto& scoring = model.scoring;
    bool const by_hand = !profile.score.adjusted.empty() || !profile.score.expiring.empty();
    auto const limited = [&](const model::Limit& limit, Index t, Index group, Wide value) {
        Wide const clamped = limit.clamp(value);
        if (clamped != value)
            note(t, group, value, clamped);
        return clamped;
    };
    const model::Limit& own = topic == none ? scoring.overall : scoring.limits[topic];
    Wide total = 0;
    if (!scoring.limited) {
        for (Index const rule : scoring.rules_of(topic))
            total += of(model.rules[rule]);
        if (by_hand) {
            total += topic == none ? adjusted(none, at) : 0;
            for (Index t = 0; t < model.topics.size(); ++t)
                total += is_part_of(t, topic) ? adjusted(t, at) : 0;
        }
        return within_limits ? limited(own, topic, none, total) : total;
    }
    std::vector<Wide> sums(model.topics.size(), 0);
    for (Index g = 0; g < scoring.groups.size(); ++g) {
        const auto& group = scoring.groups[g];
        if (topic != none && !is_part_of(group.topic, topic))
            continue;
        Wide sum = 0;
        for (Index r = group.first; r < group.first + group.size; ++r)
            sum += of(model.rules[r]);
        (group.topic == none ? total : sums[group.topic]) += limited(group.limit, group.topic, g, sum);
    }
    total += topic == none ? adjusted(none, at) : 0;
    for (Index const t : scoring.deepest_first) {
        if (!is_part_of(t, topic))
            continue;
        Wide sum = sums[t] + (by_hand ? adjusted(t, at) : 0);
        if (t == topic)
            return within_limits ? limited(own, t, none, sum) : sum;
        sum = limited(scoring.limits[t], t, none, sum);
        Index const parent = scoring.parents[t];
        (parent == none ? total : sums[parent]) += sum;
    }
    return within_limits ? limited(scoring.overall, none, none, total) : total;
}

namespace {
constexpr auto unheard = [](Index, Index, Wide, Wide) {};
}

Wide Facts::score(Index topic, Time at) const {
    return combine(topic, at, true, [&](const ScoringRule& rule) { return contribution(rule, at); }, unheard);
}

std::vector<Facts::Part> Facts::parts(Time at) const {
    std::vector<Part> out;
    for (const ScoringRule& rule : model.rules)
        out.push_back({&rule, Part::Kind::rule, rule.topic, {}, contribution(rule, at)});
    auto const adjustment = [&](Index topic) {
        if (Wide const points = adjusted(topic, at); points != 0)
            out.push_back({nullptr, Part::Kind::adjustment, topic, {}, points});
    };
    adjustment(none);
    for (Index topic = 0; topic < model.topics.size(); ++topic)
        adjustment(topic);
    combine(
        none, at, true, [&](const ScoringRule& rule) { return contribution(rule, at); },
        [&](Index topic, Index group, Wide before, Wide after) {
            Part part{nullptr, after > before ? Part::Kind::floor : Part::Kind::ceiling, topic, {}, after - before};
            if (group != none)
                part.limited = model.scoring.groups[group].name;
            out.push_back(std::move(part));
        });
    return out;
}

Wide Facts::unlimited_score(Index topic, Time at) const {
    return combine(topic, at, false, [&](const ScoringRule& rule) { return contribution(rule, at); }, unheard);
}

// --- crossings -----------------------------------------------------------------------------------------------------

// When the score next changes at a stroke, not by wearing off: a condition turns, an idle span is full, an adjustment
// expires, an event begins to wear off. Never late, perhaps early.
Time Facts::next_jump(Index topic, Time clock) const {
    Time jump = never;
    for (const auto& adjustment : profile.score.expiring)
        if (adjustment.expires > clock)
            jump = std::min(jump, adjustment.expires);
    if (frozen_)
        return jump;
    auto const matures = [&](Time happened, Span after) {
        if (Time const ripe = saturating_add(happened, after); ripe > clock)
            jump = std::min(jump, ripe);
    };
    for (Index const r : model.scoring.jumps_of(topic)) {
        const ScoringRule& rule = model.rules[r];
        if (rule.source == ScoreSource::condition) {
            jump = std::min(jump, evaluate(rule.condition, clock).flips);
        } else if (rule.source == ScoreSource::inactivity) {
            Time next = never;
            (void)idle_spans(rule, clock, &next);
            jump = std::min(jump, next);
        } else {
            const FeatureValue& feature = features[rule.fresh == none ? rule.feature : rule.fresh];
            if (const auto* entries = std::get_if<Entries>(&feature))
                for (const auto& entry : entries->items)
                    matures(entry.stamp.at, rule.after);
            else if (const auto* keyed = std::get_if<KeyedEntries>(&feature))
                for (const auto& entry : keyed->items)
                    matures(entry.stamp.at, rule.after);
        }
    }
    return jump == never ? never : std::max(jump, saturating_add(clock, 1));
}

Sides Facts::Crossing::sides_at(Time t) const {
    const auto& rules = facts_.model.scoring.rules_of(topic_);
    Sides sides;
    sides.parts.resize(rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const ScoringRule& rule = facts_.model.rules[rules[i]];
        auto& part = sides.parts[i];
        if (rule.source != ScoreSource::events || facts_.frozen_) {
            part.first = facts_.occurrences(rule, t);
            continue;
        }
        part.first = facts_.count_events(rule, t, &part.second);
        bool const wears = rule.fading || facts_.half_life_of(rule) != 0;
        sides.settled = sides.settled && (!wears || (part.first == 0 && part.second == 0));
        sides.may_rise = sides.may_rise || (wears && (rule.points >= 0 ? part.second : part.first) != 0);
    }
    sides.score = combine(t, [&](const ScoringRule& rule, std::size_t place) {
        auto const& part = sides.parts[place];
        return multiply_micro(rule.points, part.first - part.second);
    });
    return sides;
}

Wide Facts::Crossing::score_at(Time t) const {
    return combine(t, [&](const ScoringRule& rule, std::size_t) {
        return multiply_micro(rule.points, facts_.occurrences(rule, t));
    });
}

// The least and the most the score can be anywhere between two readings; sums and limits are monotone in every part.
Wide Facts::Crossing::bound(const Sides& from, const Sides& to, bool least) const {
    return combine(from_, [&](const ScoringRule& rule, std::size_t place) {
        auto const& [positive_from, negative_from] = from.parts[place];
        auto const& [positive_to, negative_to] = to.parts[place];
        bool const small = least == (rule.points >= 0);
        return multiply_micro(rule.points, small ? positive_to - negative_from : positive_from - negative_to);
    });
}

// `of(rule, its place among the topic's rules)`
template <class Of>
Wide Facts::Crossing::combine(Time at, Of of) const {
    const auto& rules = facts_.model.scoring.rules_of(topic_);
    return facts_.combine(
        topic_, at, false,
        [&](const ScoringRule& rule) {
            auto const index = static_cast<Index>(&rule - facts_.model.rules.data());
            return of(rule, static_cast<std::size_t>(std::lower_bound(rules.begin(), rules.end(), index) - rules.begin()));
        },
        unheard);
}

} // namespace nurture::step
