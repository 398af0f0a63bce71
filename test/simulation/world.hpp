#pragma once
// A small world around the core for tests: events with JSON properties, definitions with ids, a contact whose state lives
// as bytes between steps, as in the database, and everything that happened to it as lines of text.
#include "core/base/error.hpp"
#include "core/step/step.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nurture::world {

using Json = nlohmann::json;

/// The properties of an event, from JSON.
class JsonProperties final : public profile::Properties {
  public:
    explicit JsonProperties(Json document) : document_(std::move(document)) {}

    [[nodiscard]] profile::Value get(const language::Path& path) const override {
        using Kind = profile::Value::Kind;
        const Json* at = &document_;
        for (const std::string& key : path.keys) {
            if (!at->is_object() || !at->contains(key))
                return {};
            at = &(*at)[key];
        }
        switch (at->type()) {
        case Json::value_t::null:
            return {Kind::null, false, {}};
        case Json::value_t::boolean:
            return {Kind::boolean, at->get<bool>(), {}};
        case Json::value_t::string:
            return {Kind::string, false, at->get_ref<const std::string&>()};
        case Json::value_t::object:
        case Json::value_t::array:
            return {Kind::json, false, texts_.emplace_back(at->dump())};
        default:
            return {Kind::number, false, texts_.emplace_back(at->dump())};
        }
    }
    void each(Visit visit, void* context) const override {
        for (auto const& [key, value] : document_.items())
            visit(context, key, value.dump());
    }
    [[nodiscard]] const Json& document() const noexcept { return document_; }

  private:
    Json document_;
    mutable std::deque<std::string> texts_;
};

struct Event {
    Time at = 0, received_at = 0;
    std::string type;
    Json properties = Json::object();
    std::string message_id; ///< empty: none
    bool history = false;
};

/// Definitions on their way to a model; features keep their ids from one model to the next.
struct Definitions {
    model::Source source;
    std::map<std::string, std::uint32_t> feature_ids;

    void rule(const std::string& definition) {
        auto const id = static_cast<std::uint32_t>(source.rules.size() + 1);
        source.rules.push_back({id, "rule " + std::to_string(id), definition});
    }
    void segment(const std::string& name, const std::string& condition) {
        source.segments.push_back({static_cast<std::uint32_t>(source.segments.size() + 1), name, condition});
    }
    void workflow(const std::string& name, const std::string& definition) {
        source.workflows.push_back({static_cast<std::uint32_t>(source.workflows.size() + 1), 1, name, definition});
    }
    /// The model of the definitions as they stand, with the next number.
    model::Model compile() {
        ++source.id;
        source.features.clear();
        for (const std::string& text : model::required_features(source)) {
            auto const id = feature_ids.emplace(text, feature_ids.size() + 1).first->second;
            source.features.push_back({id, text, 0});
        }
        return model::compile(source);
    }
};

/// A contact as the engine keeps it.
class Contact {
  public:
    std::string key = "anna@example.com";
    std::string state; ///< bytes; empty: new
    std::int64_t tick = 0;

    /// What happened, a line each, with logical times and ids but without tick and n.
    std::vector<std::string> transitions, actions, cancellations, written;
    std::vector<step::Transition> raw_transitions;
    std::vector<step::Action> raw_actions;
    std::vector<step::Rejection> rejections;
    std::uint32_t duplicates = 0;
    Time due = never;
    std::optional<step::Bound> bound; ///< of each step
    std::size_t unfinished = 0;       ///< steps that stopped at their bound

    /// One tick's step; where it stops at its bound, so many as it takes.
    void step(const model::Model& model, const std::vector<Event>& events, std::optional<Time> until) {
        std::deque<JsonProperties> properties;
        std::vector<step::Message> messages;
        for (const Event& event : events) {
            step::Message message;
            message.at = event.at;
            message.received_at = event.received_at;
            message.type = event.type;
            message.properties = &properties.emplace_back(event.properties);
            if (!event.message_id.empty())
                message.id_hash = hash64(event.message_id);
            message.history = event.history;
            messages.push_back(message);
        }
        for (std::span<const step::Message> left = messages;;) {
            step::Input input;
            input.contact = key;
            if (!state.empty())
                input.profile = profile::decode(state);
            input.messages = left;
            input.until = until;
            input.tick = ++tick;
            input.bound = bound;
            step::Result const result = step::step(model, std::move(input));
            state = profile::encode(result.profile);
            due = result.due;
            note(result);
            if (result.finished)
                return;
            ++unfinished;
            auto const& numbers = result.numbers;
            left = left.subspan(numbers.empty() ? left.size()
                                                : static_cast<std::size_t>(std::find(numbers.begin(), numbers.end(), -1) - numbers.begin()));
        }
    }

    [[nodiscard]] profile::Profile profile() const { return state.empty() ? profile::Profile{} : profile::decode(state); }

  private:
    void note(const step::Result& result) {
        for (const auto& t : result.transitions) {
            raw_transitions.push_back(t);
            transitions.push_back(print_iso_time(t.at) + ' ' + std::string(name_of(t.kind)) + " \"" + t.name + "\" " + t.step +
                                  " (" + t.cause + ") " + t.reason);
        }
        for (const auto& a : result.actions) {
            raw_actions.push_back(a);
            actions.push_back(print_iso_time(a.due) + ' ' + print_uuid(a.id) + ' ' + a.channel + ' ' + a.template_name + ' ' +
                              a.payload + " until " + (a.expires == never ? "ever" : print_iso_time(a.expires)) + ' ' +
                              a.workflow + ' ' + std::to_string(a.instance) + ' ' + a.step);
        }
        for (const auto& c : result.cancellations)
            cancellations.push_back(print_iso_time(c.at) + ' ' + print_uuid(c.id) + ' ' + c.reason);
        for (const auto& w : result.written)
            written.push_back(print_iso_time(w.at) + ' ' + w.type + ' ' + w.properties);
        rejections.insert(rejections.end(), result.rejections.begin(), result.rejections.end());
        duplicates += result.duplicates;
    }
};

} // namespace nurture::world
