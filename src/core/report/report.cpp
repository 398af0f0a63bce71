#include "core/report/report.hpp"

#include "core/base/error.hpp"
#include "core/language/language.hpp"
#include "core/step/facts.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <memory_resource>

namespace nurture::report {

using model::Index;
using model::none;
using step::Facts;
using Json = nlohmann::ordered_json;

namespace {

Contribution describe_part(const model::Model& model, const Facts::Part& part) {
    using Kind = Facts::Part::Kind;
    Contribution out;
    out.topic = part.topic == none ? "" : model.topics[part.topic];
    out.contribution = part.value;
    out.counted = false;
    if (part.kind == Kind::adjustment) {
        out.rule = "adjustment";
        return out;
    }
    out.rule = part.kind == Kind::floor ? "floor" : "ceiling";
    out.detail = !part.limited.empty()  ? "rule " + part.limited
                 : part.topic == none ? std::string("the whole score")
                                      : "topic " + out.topic;
    return out;
}

} // namespace

std::vector<Contribution> explain(const model::Model& model, const profile::Profile& profile, Time at,
                                  std::string_view key) {
    Facts const facts(model, profile, key);
    std::vector<Contribution> out;
    for (const auto& part : facts.parts(at)) {
        if (part.rule == nullptr) {
            out.push_back(describe_part(model, part));
            continue;
        }
        const auto& rule = *part.rule;
        Contribution line;
        line.occurrences = facts.occurrences(rule, at);
        bool const counts = rule.source == model::ScoreSource::events && facts.features[rule.feature].index() != 0;
        if (line.occurrences == 0 && !counts)
            continue;
        line.rule = rule.name;
        line.topic = rule.topic == none ? "" : model.topics[rule.topic];
        line.detail = rule.value;
        line.points = rule.points;
        line.contribution = part.value;
        out.push_back(std::move(line));
    }
    return out;
}

namespace {

Index topic_named(const model::Model& model, std::string_view topic) {
    if (topic.empty())
        return none;
    Index const index = model.topic_of(topic);
    if (index == none)
        throw Error(ErrorKind::undefined_name, "topic \"" + std::string(topic) + "\" does not exist",
                    "No rule in force has this topic.", language::suggest(topic, model.topics));
    return index;
}

// Sums that decay are many and short-lived: their memory is taken from here as long as this lives.
class Arena {
  public:
    Arena() : before_(std::pmr::set_default_resource(&memory_)) {}
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() { std::pmr::set_default_resource(before_); }

  private:
    std::byte buffer_[16 * 1024];
    std::pmr::monotonic_buffer_resource memory_{buffer_, sizeof buffer_, std::pmr::new_delete_resource()};
    std::pmr::memory_resource* before_;
};

} // namespace

Wide score(const model::Model& model, const profile::Profile& profile, std::string_view topic, Time at,
           std::string_view key) {
    return Facts(model, profile, key).score(topic_named(model, topic), at);
}

Wide score(const model::Model& model, std::string_view bytes, std::string_view topic, Time at, std::string_view key) {
    Index const index = topic_named(model, topic);
    bool const conditions = std::any_of(model.rules.begin(), model.rules.end(),
                                        [](const auto& rule) { return rule.source == model::ScoreSource::condition; });
    Arena const arena;
    profile::Profile profile = profile::decode_for_score(bytes, conditions);
    return Facts(model, profile, Facts::Take{}, key).score(index, at);
}

std::string scores_json(const model::Model& model, const profile::Profile& profile, Time at, std::string_view key) {
    Facts const facts(model, profile, key);
    std::string out = "{";
    for (Index topic = 0; topic < model.topics.size(); ++topic) {
        out += topic == 0 ? "" : ", ";
        out += nlohmann::json(model.topics[topic]).dump() + ": " + print_micro(facts.score(topic, at));
    }
    return out + '}';
}

std::string bands_json(const model::Model& model, const profile::Profile& profile) {
    Facts const facts(model, profile);
    Json out = Json::object();
    for (std::size_t l = 0; l < facts.levels.size(); ++l) {
        const auto& ladder = model.scoring.ladders[l];
        if (facts.levels[l] != 0)
            out[ladder.topic == none ? "score" : model.topics[ladder.topic]] = ladder.name_of(facts.levels[l]);
    }
    return out.dump();
}

std::vector<std::string> segments(const model::Model& model, const profile::Profile& profile) {
    std::vector<std::string> names;
    for (const auto& segment : profile.segments)
        if (Index const index = model.segment_of(segment.id); segment.member && index != none && !model.segments[index].hidden)
            names.push_back(model.segments[index].name);
    std::sort(names.begin(), names.end());
    return names;
}

std::string attributes_json(const profile::Profile& profile) {
    std::string out = "{";
    for (const auto& attribute : profile.attributes) {
        if (attribute.json.empty())
            continue;
        out += out.size() > 1 ? ", " : "";
        out += nlohmann::json(attribute.key).dump() + ": " + attribute.json;
    }
    return out + '}';
}

std::vector<JourneyReport> journeys(const model::Model& model, const profile::Profile& profile) {
    std::vector<JourneyReport> out;
    for (const auto& journey : profile.journeys) {
        Index const index = model.workflow_of(journey.workflow, journey.version);
        if (index == none)
            continue;
        const auto& workflow = model.workflows[index];
        profile::for_strands(static_cast<const profile::Strand&>(journey), [&](const profile::Strand& strand) {
            bool const whole = &strand == &journey;
            if (strand.at_step >= workflow.program.size())
                return;
            const auto& at = workflow.program[strand.at_step];
            out.push_back({workflow.name, journey.version, journey.instance, at.step, journey.started, strand.since, strand.wakes,
                           whole ? std::string() : at.branch,
                           journey.paused    ? "contact"
                           : workflow.paused ? "workflow"
                           : strand.held || workflow.holds(at) ? "step"
                                             : ""});
        });
    }
    return out;
}

namespace {

std::string print(const profile::Stamp& stamp) {
    return print_iso_time(stamp.at) + " (tick " + std::to_string(stamp.tick) + ", n " + std::to_string(stamp.n) + ')';
}

Json to_json(const profile::FeatureValue& value) {
    if (const auto* sum = std::get_if<profile::Sum>(&value))
        return {{"sum", print_micro(sum->value * micro_one)}};
    if (const auto* extreme = std::get_if<profile::Extreme>(&value)) {
        Json out = {{"at", print(extreme->stamp)}};
        if (extreme->kind != profile::Value::Kind::missing)
            out["value"] = extreme->kind == profile::Value::Kind::boolean ? (extreme->boolean ? "true" : "false")
                                                                         : extreme->text;
        return out;
    }
    if (const auto* entries = std::get_if<profile::Entries>(&value)) {
        Json out = Json::array();
        for (const auto& entry : entries->items)
            out.push_back({{"at", print(entry.stamp)}, {"amount", print_micro(entry.amount)}});
        return out;
    }
    if (const auto* keyed = std::get_if<profile::KeyedEntries>(&value)) {
        Json out = Json::array();
        for (const auto& entry : keyed->items)
            out.push_back({{"at", print(entry.stamp)}, {"amount", print_micro(entry.amount)}, {"key", entry.key}});
        return out;
    }
    if (const auto* decayed = std::get_if<DecayedSum>(&value)) {
        Json out = Json::array();
        for (const auto& bucket : decayed->buckets())
            out.push_back({{"period", bucket.period}, {"amount", print_micro(bucket.amount)}});
        return out;
    }
    return nullptr;
}

std::string text_of(const profile::Profile& profile, std::uint32_t feature) {
    for (const auto& stored : profile.features)
        if (stored.id == feature)
            return to_json(stored.value).dump();
    return "";
}

std::string text_of(const profile::Attribute* attribute) {
    return attribute == nullptr ? "" : attribute->json + " at " + print(attribute->stamp);
}

const profile::Attribute* find(const profile::Profile& profile, std::string_view key) {
    for (const auto& attribute : profile.attributes)
        if (attribute.key == key)
            return &attribute;
    return nullptr;
}

std::string print_time(Time t) { return t == never || t == always ? "" : print_iso_time(t); }

std::string adjustments_json(const profile::Profile& profile) {
    const auto& score = profile.score;
    Json out;
    for (const auto& [topic, points] : score.adjusted)
        out["for good"][topic] = print_micro(points);
    for (const auto& adjustment : score.expiring)
        out["until"].push_back({{"topic", adjustment.topic},
                                {"points", print_micro(adjustment.points)},
                                {"at", print(adjustment.stamp)},
                                {"expires", print_time(adjustment.expires)}});
    if (score.is_frozen())
        out["frozen"] = print(score.frozen_by);
    if (score.was_reset())
        out["reset"] = print(score.reset);
    return out.is_null() ? std::string() : out.dump();
}

std::string consents_json(const profile::Profile& profile) {
    Json out;
    for (const auto& entry : profile.consents.entries()) {
        Json said = {{"channel", entry.scope.channel}, {"purpose", entry.scope.purpose}};
        if (entry.grant)
            said["granted"] = {{"at", print(entry.grant->stamp)},
                               {"expires", print_time(entry.grant->expires)},
                               {"basis", entry.grant->basis},
                               {"text", entry.grant->text},
                               {"source", entry.grant->source}};
        if (entry.refusal)
            said[entry.refusal->denied ? "denied" : "withdrawn"] = {{"at", print(entry.refusal->stamp)},
                                                                    {"source", entry.refusal->source}};
        if (entry.request)
            said["pending"] = {{"at", print(entry.request->stamp)}, {"expires", print_time(entry.request->expires)}};
        out.push_back(std::move(said));
    }
    return out.is_null() ? std::string() : out.dump();
}

Json memberships(const model::Model& model, const profile::Profile& profile) {
    Json out = Json::object();
    for (const auto& segment : profile.segments)
        if (Index const index = model.segment_of(segment.id); segment.member && index != none && !model.segments[index].hidden)
            out[model.segments[index].name] = print_iso_time(segment.since);
    return out;
}

Json journeys_json(const model::Model& model, const profile::Profile& profile) {
    Json out = Json::array();
    for (const auto& journey : journeys(model, profile)) {
        out.push_back({{"workflow", journey.workflow},
                       {"version", journey.version},
                       {"instance", journey.instance},
                       {"step", journey.step},
                       {"since", print_time(journey.since)},
                       {"wakes", print_time(journey.wakes)}});
        if (!journey.branch.empty())
            out.back()["branch"] = journey.branch;
        if (!journey.paused.empty())
            out.back()["paused"] = journey.paused;
    }
    return out;
}

} // namespace

std::string describe(const model::Model& model, const profile::Profile& profile) {
    Json out;
    out["model"] = profile.model;
    out["clock"] = print_time(profile.clock);
    out["first_seen"] = print_time(profile.first_seen);
    out["last_seen"] = print_time(profile.last_seen);
    out["features"] = Json::object();
    for (const auto& stored : profile.features) {
        Index const slot = model.slot_of(stored.id);
        out["features"][slot == none ? "feature " + std::to_string(stored.id) : model.features[slot].text] =
            to_json(stored.value);
    }
    out["attributes"] = Json::object();
    for (const auto& attribute : profile.attributes)
        out["attributes"][attribute.key] = text_of(&attribute);
    if (std::string const adjustments = adjustments_json(profile); !adjustments.empty())
        out["adjustments"] = Json::parse(adjustments);
    if (std::string const consents = consents_json(profile); !consents.empty())
        out["consents"] = Json::parse(consents);
    if (!model.scoring.ladders.empty())
        out["bands"] = Json::parse(bands_json(model, profile));
    out["segments"] = memberships(model, profile);
    out["journeys"] = journeys_json(model, profile);
    return out.dump();
}

namespace {

std::string pending_json(const profile::Profile& profile) {
    auto out = nlohmann::json::array();
    for (const auto& pending : profile.pending)
        out.push_back({{"content", pending.content}, {"action", print_uuid(pending.action)}, {"next", pending.next}});
    return out.dump();
}

} // namespace

std::vector<Difference> differences(const model::Model& model, const profile::Profile& a, const profile::Profile& b,
                                    bool path) {
    std::vector<Difference> out;
    auto compare = [&out](std::string what, std::string first, std::string second) {
        if (first != second)
            out.push_back({std::move(what), std::move(first), std::move(second)});
    };
    for (const auto& feature : model.features)
        if (feature.from_tick == 0) // else its past is on its way
            compare("feature " + feature.text, text_of(a, feature.id), text_of(b, feature.id));
    std::vector<std::string> keys;
    for (const auto* profile : {&a, &b})
        for (const auto& attribute : profile->attributes)
            keys.push_back(attribute.key);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const auto& key : keys)
        compare("attribute " + key, text_of(find(a, key)), text_of(find(b, key)));
    compare("adjustments", adjustments_json(a), adjustments_json(b));
    compare("consents", consents_json(a), consents_json(b));
    compare("first seen", print_time(a.first_seen), print_time(b.first_seen));
    compare("last seen", print_time(a.last_seen), print_time(b.last_seen));
    if (path) {
        compare("clock", print_time(a.clock), print_time(b.clock));
        compare("segments", memberships(model, a).dump(), memberships(model, b).dump());
        compare("bands", bands_json(model, a), bands_json(model, b));
        compare("journeys", journeys_json(model, a).dump(), journeys_json(model, b).dump());
        compare("stream messages on their way", pending_json(a), pending_json(b));
    }
    return out;
}

} // namespace nurture::report
