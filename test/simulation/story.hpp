#pragma once
// A workflow told as a story: what happens, and what comes of it.
#include "world.hpp"

#include <optional>

namespace nurture::world {

class Story {
  public:
    Definitions definitions;
    Contact contact;

    explicit Story(const std::string& workflow, const std::string& zone = "UTC") {
        definitions.source.timezone = zone;
        definitions.workflow("w", workflow);
    }
    void event(const std::string& at, const std::string& type, Json properties = Json::object()) {
        events_.push_back({time(at), time(at), type, std::move(properties), {}, false});
        step(std::nullopt);
    }
    void late(const std::string& at, const std::string& received_at, const std::string& type) {
        events_.push_back({time(at), time(received_at), type, Json::object(), {}, false});
        step(std::nullopt);
    }
    void until(const std::string& at) { step(time(at)); }
    /// Publishes the definitions as they stand now.
    void publish() { model_.reset(); }

    /// "28 10:00 email a": the day, the time and the action.
    [[nodiscard]] std::vector<std::string> sent() const {
        std::vector<std::string> out;
        for (const auto& action : contact.raw_actions)
            out.push_back(moment(action.due) + ' ' + action.channel +
                          (action.template_name.empty() ? "" : ' ' + action.template_name));
        return out;
    }
    [[nodiscard]] std::vector<std::string> path() const {
        std::vector<std::string> out;
        for (const auto& t : contact.raw_transitions) {
            std::string what = std::string(name_of(t.kind));
            if (t.kind == step::TransitionKind::journey_started)
                what = "started";
            else if (t.kind == step::TransitionKind::journey_waits)
                what = "waits at " + t.step;
            else if (t.kind == step::TransitionKind::journey_ended)
                what = "ended: " + t.reason;
            else if (t.kind == step::TransitionKind::goal_reached || t.kind == step::TransitionKind::arm_assigned)
                what += ": " + t.reason;
            else if (t.kind == step::TransitionKind::branch_ended)
                what = t.branch + ' ' + t.reason;
            else
                what += ' ' + t.name;
            out.push_back(moment(t.at) + ' ' + what);
        }
        return out;
    }
    static Time time(const std::string& text) { return *parse_iso_time(text, Zone::find("UTC")); }

  private:
    static std::string moment(Time at) {
        std::string const text = print_iso_time(at);
        return text.substr(8, 2) + ' ' + text.substr(11, text.size() - 12 - (text.substr(16) == ":00Z" ? 3 : 0));
    }
    void step(std::optional<Time> until) {
        if (!model_)
            model_ = definitions.compile();
        contact.step(*model_, events_, until);
        events_.clear();
    }
    std::vector<Event> events_;
    std::optional<model::Model> model_;
};

using Lines = std::vector<std::string>;

} // namespace nurture::world
