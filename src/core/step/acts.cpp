// What steps do: actions for the outbox, and what the engine itself writes about a contact.
#include "core/base/error.hpp"
#include "core/guard/guard.hpp"
#include "core/step/match.hpp"
#include "core/step/reading.hpp"
#include "core/step/stepper.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::step {

using model::Instruction;
using model::InstructionKind;
using model::Workflow;
using profile::Journey;
using profile::Strand;
using profile::Value;

namespace {

/// A variable larger than this is not kept: it would be carried in the contact's state.
constexpr std::size_t longest_variable = 1'000;

/// How many actions a journey keeps an eye on. Those of a channel that nobody serves, or whose outcome nobody reports, would pile
/// up in a loop; of the oldest nothing is withdrawn then when it ends, nor is their failure settled.
constexpr std::size_t most_open = 100;

/// The properties of an event that the engine writes: JSON texts by key.
class OwnProperties final : public profile::Properties {
  public:
    explicit OwnProperties(std::vector<std::pair<std::string, std::string>> properties) : properties_(std::move(properties)) {
        std::sort(properties_.begin(), properties_.end());
    }
    [[nodiscard]] Value get(const language::Path& path) const override {
        for (auto const& [key, json] : properties_)
            if (key == path.keys.front())
                return value_of_json(json, path, texts_);
        return {};
    }
    void each(Visit visit, void* context) const override {
        for (auto const& [key, json] : properties_)
            visit(context, key, json);
    }
    [[nodiscard]] std::string json() const {
        std::string out = "{";
        for (auto const& [key, json] : properties_)
            out += (out.size() > 1 ? ", " : "") + nlohmann::json(key).dump() + ": " + json;
        return out + '}';
    }

  private:
    std::vector<std::pair<std::string, std::string>> properties_;
    mutable std::deque<std::string> texts_;
};

std::string json_of(const Value& value) {
    switch (value.kind) {
    case Value::Kind::missing:
    case Value::Kind::null:
        return "null";
    case Value::Kind::boolean:
        return value.boolean ? "true" : "false";
    case Value::Kind::string:
        return nlohmann::json(std::string(value.text)).dump();
    default:
        return std::string(value.text);
    }
}

} // namespace

std::string Stepper::argument_json(const model::Argument& argument) const {
    if (argument.context != none)
        return json_of(facts_.variable(argument.context));
    return argument.attribute == none ? argument.json : json_of(facts_.attribute(argument.attribute));
}

// What the workflow's text mentions of the event that starts a journey, or of what the starter gave.
Stepper::Variables Stepper::variables_of(const Workflow& workflow, const profile::Properties* event,
                                         const Variables* given) const {
    Variables out;
    for (Index const index : workflow.contexts) {
        auto const& [text, path] = model_.contexts[index];
        std::string json = "null";
        if (given != nullptr) {
            auto const place = std::find_if(given->begin(), given->end(), [&](const auto& v) { return v.first == path.keys.front(); });
            std::deque<std::string> texts;
            if (place != given->end())
                json = json_of(value_of_json(place->second, path, texts));
        } else if (event != nullptr) {
            json = json_of(event->get(path));
        }
        if (json != "null" && json.size() <= longest_variable)
            out.emplace_back(text, std::move(json));
    }
    return out;
}

std::string Stepper::visit_of(const Journey& journey, const Strand& strand) {
    std::string visit;
    for (const auto& loop : strand.loops)
        visit += (visit.empty() ? "" : ".") + std::to_string(loop.count);
    if (visit.empty())
        visit = "1";
    if (journey.goals != 0)
        visit += " goals " + std::to_string(journey.goals);
    if (journey.moved)
        visit += " version " + std::to_string(journey.version);
    return visit;
}

// What a policy requires and what the contact said decides; suppressions (bounces, complaints) only claim knows of.
std::string Stepper::channel_of(const Workflow& workflow, const Instruction& send) const {
    if (send.channels.empty())
        return send.channel;
    auto const may_be_used = [&](const std::string& channel) {
        if (send.transactional)
            return true;
        consent::Scope const scope{channel, send.purpose};
        if (profile_.consents.allows(scope, clock_))
            return true;
        guard::Message const message{channel, send.purpose, workflow.name, false};
        bool const required = model_.guards && std::any_of(model_.guards->policies.begin(), model_.guards->policies.end(), [&](const auto& p) {
                                  return p.definition.require_consent && guard::applies(p, message);
                              });
        return !required && !profile_.consents.refuses(scope);
    };
    if (send.preferred) {
        Value const preferred = send.preferred->context != none ? facts_.variable(send.preferred->context)
                                                                : facts_.attribute(send.preferred->attribute);
        auto const wanted = std::find(send.channels.begin(), send.channels.end(), text_of(preferred));
        if (preferred.known() && wanted != send.channels.end() && may_be_used(*wanted))
            return *wanted;
    }
    auto const first = std::find_if(send.channels.begin(), send.channels.end(), may_be_used);
    return first == send.channels.end() ? std::string() : *first;
}

// What the journey stays whatever its workflow is called: its number, and the key under which it began.
std::string Stepper::identity_of(const Journey& journey, const Workflow& workflow) const {
    std::string out = "journey\n" + std::to_string(workflow.id) + '\n';
    out += std::to_string(journey.instance) + '\n';
    out += journey.origin.empty() ? input_.contact : std::string_view(journey.origin);
    return out;
}

bool Stepper::act(Journey& journey, Strand& strand, const Workflow& workflow, const Instruction& instruction) {
    Action action;
    action.channel = channel_of(workflow, instruction);
    if (action.channel.empty())
        return false;
    action.template_name = instruction.template_name;
    action.purpose = instruction.purpose;
    action.transactional = instruction.transactional;
    for (const auto& argument : instruction.arguments) {
        std::string& to = argument.coupon_pool != 0 ? action.draws : action.payload;
        to += (to.empty() ? "{" : ", ") + nlohmann::json(argument.name).dump() + ": ";
        to += argument.coupon_pool != 0 ? "{\"pool\": " + std::to_string(argument.coupon_pool) + ", \"journey\": \"" +
                                              print_uuid(hash_uuid(identity_of(journey, workflow))) + "\"}"
                                        : argument_json(argument);
    }
    action.payload += action.payload.empty() ? "{}" : "}";
    action.draws += action.draws.empty() ? "" : "}";
    action.due = clock_;
    if (!action.transactional)
        action.expires = saturating_add(clock_, model_.source.action_expiry);
    action.workflow = workflow.name;
    if (model_.guards) {
        guard::Message const message{action.channel, action.purpose, action.workflow, action.transactional};
        auto const plan = guard::plan(*model_.guards, message, {contact_zone(), facts_.contact_country()}, clock_, model_.source.action_expiry);
        action.due = plan.due;
        action.expires = plan.expires;
        action.priority = plan.priority;
    }
    action.version = workflow.version;
    action.instance = journey.instance;
    action.step = instruction.step;
    // The identity of an action: workflow, instance, step, the visit, original key; and whether it failed.
    std::string visit = visit_of(journey, strand);
    for (const auto& retry : journey.retries)
        if (&workflow.program[retry.at] == &instruction && retry.count > 0)
            visit += " retry " + std::to_string(retry.count);
    std::string identity = "action\n" + std::to_string(workflow.id) + '\n' + std::to_string(journey.instance) + '\n' +
                           instruction.step + '\n' + visit + '\n';
    identity += journey.origin.empty() ? input_.contact : std::string_view(journey.origin);
    action.id = hash_uuid(identity);
    count_output(sizeof action + action.payload.size());
    if (instruction.rota == 0) { // nobody hears of an assignment but by what it writes
        if (strand.open.size() >= most_open)
            strand.open.erase(strand.open.begin(), strand.open.end() - (most_open - 1));
        strand.open.push_back(action.id);
    }
    remember_content(action, instruction.kind == InstructionKind::send_next);
    result_.actions.push_back(std::move(action));
    return true;
}

// A retried action is another one: its number stands in its identity.
bool Stepper::settle_failure(Journey& journey, const Workflow& workflow, const Happening& happening) {
    if (!happening.failure || happening.failure->workflow != journey.workflow || happening.failure->version != journey.version ||
        happening.failure->instance != journey.instance)
        return false;
    Index const at = happening.failure->at;
    const Instruction& instruction = workflow.program[at];
    auto counted = std::find_if(journey.retries.begin(), journey.retries.end(), [at](const auto& c) { return c.at == at; });
    if (counted == journey.retries.end())
        counted = journey.retries.insert(counted, profile::StepCount{at, 0});
    if (counted->count < instruction.failure.retries) {
        ++counted->count;
        (void)act(journey, branch_named(journey, workflow, instruction.branch), workflow, instruction);
        return false; // it goes on waiting
    }
    if (!instruction.failure.abort)
        return false;
    std::string const reason = "step " + instruction.step + " failed";
    cancel_open(journey, reason);
    end(journey, workflow, reason, happening.cause);
    return true;
}

namespace {

bool forget_action(Strand& strand, const Uuid& id) {
    bool known = std::erase(strand.open, id) != 0;
    for (Strand& branch : strand.branches)
        known = forget_action(branch, id) || known;
    return known;
}

} // namespace

// A content that was sent by another workflow, by the application, or by a message that its journey withdrew too late, is not sent
// a second time because a stream had planned it.
void Stepper::withdraw_sent(const profile::Properties& sent) {
    if (profile_.pending.empty())
        return;
    std::uint64_t const content =
        model::hash_of_content(std::string(sent.get({{"channel"}}).text), std::string(sent.get({{"template"}}).text));
    auto const action = parse_uuid(sent.get({{"action"}}).text);
    std::erase_if(profile_.pending, [&](const profile::PendingContent& pending) {
        if (!pending.next || pending.content != content || pending.action == action)
            return false;
        result_.cancellations.push_back({pending.action, clock_, "sent meanwhile"});
        for (Journey& journey : profile_.journeys)
            forget_action(journey, pending.action);
        return true;
    });
}

// The engine was told what became of an action.
void Stepper::settle_outcome(std::string_view action_id, Happening& happening, const Message& message) {
    auto const id = parse_uuid(action_id);
    if (!id)
        return;
    forget_content(*id);
    for (Journey& journey : profile_.journeys) {
        if (!forget_action(journey, *id) || message.type != "$failed")
            continue;
        const auto& program = workflow_of(journey).program;
        std::string const step(message.properties->get({{"step"}}).text);
        for (Index at = 0; at < program.size(); ++at)
            if ((program[at].kind == InstructionKind::send || program[at].kind == InstructionKind::act) && program[at].step == step &&
                program[at].failure != language::FailurePolicy{})
                happening.failure = Happening::Failure{journey.workflow, journey.version, journey.instance, at};
    }
}

// For the log, and into the features as whatever is told of the contact: the patterns that it matches.
std::vector<Index> Stepper::log_written(std::string type, std::string json, const profile::Properties& properties) {
    WrittenEvent written;
    written.n = next_n_++;
    written.at = clock_;
    written.type = std::move(type);
    written.properties = std::move(json);
    count_output(sizeof written + written.properties.size());
    auto matched = remember(written.type, properties, {clock_, input_.tick, written.n});
    result_.written.push_back(std::move(written));
    return matched;
}

// What is written about the contact is an event as any other, and goes into the log with its cause.
void Stepper::write(const Workflow& workflow, const Instruction& instruction, const Cause& cause, const std::string& type,
                    std::vector<std::pair<std::string, std::string>> properties) {
    auto const own = std::make_shared<OwnProperties>(std::move(properties));
    if (type == "$set" && !fits(*own))
        return;
    Happening happening;
    labels_.push_back("workflow " + workflow.name + ", step " + instruction.step);
    happening.cause = {labels_.back(), input_.tick, next_n_, cause.fresh};
    happening.own = own;
    happening.event = own.get();
    happening.matched = log_written(type, own->json(), *own);
    happening.attributes = std::exchange(triggered_, {});
    evaluate_segments(happening.cause, happening.changes);
    happenings_.push_back(std::move(happening));
}

std::vector<Index> Stepper::write(const profile::Attribute& attribute) {
    std::vector<std::pair<std::string, std::string>> properties{{attribute.key, attribute.json}};
    if (!attribute.source.empty())
        properties.emplace_back(source_property, nlohmann::json(attribute.source).dump());
    OwnProperties const property(std::move(properties));
    return fits(property) ? log_written("$set", property.json(), property) : std::vector<Index>();
}

namespace {

// The list with the item appended, added or taken out; a value that is no list is a list of itself.
std::string changed_items(const Value& list, const std::string& item, language::ChangeItems::Kind kind) {
    using Kind = language::ChangeItems::Kind;
    auto items = nlohmann::json::array();
    if (list.known()) {
        auto parsed = nlohmann::json::parse(json_of(list), nullptr, false);
        if (parsed.is_array())
            items = std::move(parsed);
        else
            items.push_back(std::move(parsed));
    }
    auto const one = nlohmann::json::parse(item, nullptr, false);
    bool const there = std::find(items.begin(), items.end(), one) != items.end();
    if (kind == Kind::remove) {
        auto left = nlohmann::json::array();
        for (const auto& other : items)
            if (other != one)
                left.push_back(other);
        items = std::move(left);
    } else if (kind == Kind::append || !there) {
        items.push_back(one);
    }
    return items.dump();
}

} // namespace

// Points by hand do not wear off: what is to be a number now is first counted from nothing.
void Stepper::change_score(const Workflow& workflow, const Instruction& instruction, const Cause& cause) {
    auto const tell = [&](const char* what, std::string json) {
        std::vector<std::pair<std::string, std::string>> properties{{what, std::move(json)}};
        if (!instruction.reason.empty())
            properties.emplace_back("reason", nlohmann::json(instruction.reason).dump());
        write(workflow, instruction, cause, "$adjust", std::move(properties));
    };
    tell("reset", "true");
    if (!instruction.add)
        return;
    Wide const missing = instruction.limit - facts_.unlimited_score(none, clock_); // of what conditions give, even now
    if (missing != 0 && missing == static_cast<Micro>(missing))
        tell("points", print_micro(static_cast<Micro>(missing)));
}

// Everything is resolved to what it comes to: replayed it is the same.
void Stepper::change(const Workflow& workflow, const Instruction& instruction, const Cause& cause) {
    auto const set = [&](const std::string& attribute, std::string json) {
        write(workflow, instruction, cause, "$set", {{attribute, std::move(json)}});
    };
    auto const now = [&](const std::string& attribute) {
        std::deque<std::string> texts;
        return json_of(value_of_json(attribute_json(profile_, attribute), texts));
    };
    auto const quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };
    switch (instruction.kind) {
    case InstructionKind::set: {
        const auto& argument = instruction.arguments.front();
        set(argument.name, argument_json(argument));
        break;
    }
    case InstructionKind::increment: {
        const std::string& attribute = instruction.arguments.front().name;
        std::string const json = now(attribute);
        std::deque<std::string> texts;
        auto const number = json == "null" ? std::optional<Micro>(0) : number_of(value_of_json(json, texts));
        Micro sum = 0;
        if (number && !__builtin_add_overflow(*number, instruction.limit, &sum))
            set(attribute, print_micro(sum));
        break;
    }
    case InstructionKind::items: {
        const auto& argument = instruction.arguments.front();
        std::string const item = argument_json(argument);
        std::string const json = now(argument.name);
        std::deque<std::string> texts;
        bool const nothing = item == "null" || (json == "null" && instruction.items == language::ChangeItems::Kind::remove);
        std::string changed = nothing ? json : changed_items(value_of_json(json, texts), item, instruction.items);
        if (changed != json)
            set(argument.name, std::move(changed));
        break;
    }
    case InstructionKind::list:
        write(workflow, instruction, cause, "$list",
              {{"list", quoted(instruction.name)}, {"state", instruction.add ? R"("member")" : R"("none")"}});
        break;
    case InstructionKind::adjust: {
        std::vector<std::pair<std::string, std::string>> properties{{"points", print_micro(instruction.limit)}};
        if (!instruction.name.empty())
            properties.emplace_back("topic", quoted(instruction.name));
        if (!instruction.reason.empty())
            properties.emplace_back("reason", quoted(instruction.reason));
        write(workflow, instruction, cause, "$adjust", std::move(properties));
        break;
    }
    case InstructionKind::set_score:
        change_score(workflow, instruction, cause);
        break;
    case InstructionKind::withdraw: {
        std::vector<std::pair<std::string, std::string>> properties{{"channel", quoted(instruction.channel)}, {"state", R"("withdrawn")"}};
        if (!instruction.purpose.empty())
            properties.emplace_back("purpose", quoted(instruction.purpose));
        properties.emplace_back("source", quoted(instruction.reason.empty() ? "workflow " + workflow.name : instruction.reason));
        auto const own = OwnProperties(properties);
        if (consent_problem(own).empty()) // there is room for it
            write(workflow, instruction, cause, "$consent", std::move(properties));
        break;
    }
    case InstructionKind::emit: {
        std::vector<std::pair<std::string, std::string>> properties;
        for (const auto& argument : instruction.arguments)
            properties.emplace_back(argument.name, argument_json(argument));
        write(workflow, instruction, cause, instruction.name, std::move(properties));
        break;
    }
    case InstructionKind::start:
    case InstructionKind::stop: {
        Happening happening;
        labels_.push_back("workflow " + workflow.name + ", step " + instruction.step);
        happening.cause = {labels_.back(), cause.tick, cause.n, cause.fresh};
        if (instruction.kind == InstructionKind::stop) {
            happening.stop = instruction.workflow;
        } else {
            happening.start = Happening::Start{instruction.workflow, {}};
            for (const auto& argument : instruction.arguments)
                happening.start->context.emplace_back(argument.name, argument_json(argument));
        }
        happenings_.push_back(std::move(happening));
        break;
    }
    default:
        break;
    }
}

} // namespace nurture::step
