#include "core/report/ledger.hpp"

#include "core/step/adjust.hpp"
#include "core/step/facts.hpp"

#include <algorithm>

namespace nurture::report {

using model::Index;
using model::none;
using model::ScoreSource;
using profile::Stamp;
using step::Facts;
using step::LoggedEvent;

namespace {

auto order_of(const Stamp& stamp) noexcept { return std::pair(stamp.tick, stamp.n); }

class Ledger {
  public:
    Ledger(const model::Model& model, const profile::Profile& profile, std::span<const LoggedEvent> events, Time at,
           std::string_view key)
        : model_(model), profile_(profile), facts_(model, profile, key), at_(at) {
        auto const frozen = profile.score.is_frozen() ? order_of(profile.score.frozen_by)
                                                      : std::pair<std::int64_t, std::int32_t>{INT64_MAX, 0};
        for (const LoggedEvent& event : events)
            (order_of(event.stamp) < frozen ? counted_ : later_).push_back(&event);
    }

    std::vector<LedgerEntry> run() {
        for (const auto& part : facts_.parts(at_)) {
            if (part.rule != nullptr)
                rule(*part.rule, part.value);
            else if (part.kind == Facts::Part::Kind::adjustment)
                adjustments(part.topic, part.value);
            else
                limit(part);
        }
        return std::move(entries_);
    }

  private:
    const model::Model& model_;
    const profile::Profile& profile_;
    Facts facts_;
    Time at_;
    std::vector<const LoggedEvent*> counted_, later_; // later: than the score was frozen
    std::vector<LedgerEntry> entries_;

    LedgerEntry begin(const model::ScoringRule& rule) const {
        LedgerEntry entry;
        entry.rule = rule.name;
        entry.topic = rule.topic == none ? "" : model_.topics[rule.topic];
        return entry;
    }

    void rule(const model::ScoringRule& rule, Wide contribution) {
        Wide listed = 0;
        if (rule.source == ScoreSource::events)
            listed = events(rule);
        if (Wide const rest = contribution - listed; rest != 0) {
            LedgerEntry entry = begin(rule);
            entry.value = rest;
            if (rule.source == ScoreSource::condition) {
                entry.points = rule.points;
                entry.reason = "while " + model_.nodes[rule.condition].text;
            } else if (rule.source == ScoreSource::inactivity) {
                entry.points = rule.points;
                entry.amount = facts_.occurrences(rule, at_);
                entry.reason = "inactivity";
            } else {
                bool const small = rest < 10'000 && rest > -10'000;
                entry.reason = small ? "rounding" : "events that the log does not hold";
            }
            entries_.push_back(std::move(entry));
        }
    }

    Wide events(const model::ScoringRule& rule) {
        const auto& feature = model_.features[rule.feature];
        const auto& pattern = model_.patterns[feature.pattern];
        auto const stamps = facts_.counted(rule);
        Time const at = std::min(at_, facts_.frozen_at());
        Wide listed = 0;
        for (const LoggedEvent* event : counted_) {
            if (event->type != pattern.type || event->stamp.tick < feature.from_tick ||
                (profile_.score.was_reset() && order_of(event->stamp) <= order_of(facts_.reset())) ||
                (stamps && !std::binary_search(stamps->begin(), stamps->end(), event->stamp)) ||
                (pattern.filter != none && facts_.matches(pattern.filter, *event->properties) != step::Truth::yes))
                continue;
            Micro amount = micro_one;
            if (feature.property != none) {
                auto const number = number_of(event->properties->get(model_.properties[feature.property]));
                if (!number)
                    continue;
                amount = *number;
            }
            LedgerEntry entry = begin(rule);
            entry.stamp = event->stamp;
            entry.event = event->type;
            entry.points = rule.points;
            entry.amount = amount;
            entry.reason = rule.value;
            entry.value = multiply_micro(
                rule.points, Facts::amount_left(rule, facts_.half_life_of(rule), amount, event->stamp.at, at));
            listed += entry.value;
            entries_.push_back(std::move(entry));
        }
        return listed;
    }

    void adjustments(Index topic, Wide value) {
        std::string const name = topic == none ? "" : model_.topics[topic];
        Wide listed = 0;
        for (const auto* events : {&counted_, &later_})
            for (const LoggedEvent* event : *events)
                listed += adjustment(*event, topic, name);
        if (listed == value)
            return;
        LedgerEntry entry;
        entry.rule = "adjustment";
        entry.topic = name;
        entry.value = value - listed;
        entry.reason = "adjustments that the log does not hold";
        entries_.push_back(std::move(entry));
    }

    Wide adjustment(const LoggedEvent& event, Index topic, const std::string& name) {
        if (event.type != "$adjust" || !step::adjustment_problem(*event.properties, model_.zone).empty() ||
            (profile_.score.was_reset() && order_of(event.stamp) <= order_of(facts_.reset())))
            return 0;
        auto const points = number_of(event.properties->get({{"points"}}));
        std::string const of(event.properties->get({{"topic"}}).text);
        if (!points || (of.empty() ? none : model_.topic_of(of)) != topic)
            return 0;
        auto const expires = event.properties->get({{"expires"}});
        auto const end = expires.known() ? parse_iso_time(expires.text, model_.zone) : std::nullopt;
        LedgerEntry entry;
        entry.stamp = event.stamp;
        entry.event = event.type;
        entry.rule = "adjustment";
        entry.topic = name;
        entry.points = *points;
        entry.value = end && *end <= at_ ? 0 : *points;
        entry.reason = event.properties->get({{"reason"}}).text;
        Wide const value = entry.value;
        entries_.push_back(std::move(entry));
        return value;
    }

    void limit(const Facts::Part& part) {
        LedgerEntry entry;
        entry.rule = part.kind == Facts::Part::Kind::floor ? "floor" : "ceiling";
        entry.topic = part.topic == none ? "" : model_.topics[part.topic];
        entry.value = part.value;
        entry.reason = part.limited.empty() ? "" : "rule " + part.limited;
        entries_.push_back(std::move(entry));
    }
};

} // namespace

std::vector<LedgerEntry> ledger(const model::Model& model, const profile::Profile& profile,
                                std::span<const LoggedEvent> events, Time at, std::string_view key) {
    return Ledger(model, profile, events, at, key).run();
}

} // namespace nurture::report
