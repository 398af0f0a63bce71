// What streams have for a contact, and whose turn it is. What was sent is a function of the contact's events
// ($sent); what is planned and not yet sent is remembered until its outcome is known.
#include "core/step/stepper.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::step {

using model::Instruction;
using model::Workflow;
using profile::Journey;
using profile::PendingContent;
using profile::Strand;

const model::StreamContent* Stepper::next_of(const model::Stream& stream) const {
    for (const auto& content : stream.contents) {
        bool const pending = std::any_of(profile_.pending.begin(), profile_.pending.end(),
                                         [&](const PendingContent& p) { return p.content == content.hash; });
        if (!pending && content.from <= clock_ && clock_ < content.until && !holds(content.had))
            return &content;
    }
    return nullptr;
}

bool Stepper::send_next(Journey& journey, Strand& strand, const Workflow& workflow, const Instruction& instruction) {
    const auto* const content = next_of(model_.streams[instruction.stream]);
    if (content == nullptr)
        return false;
    Instruction send = instruction;
    send.channel = content->channel;
    send.template_name = content->template_name;
    send.purpose = content->purpose;
    return act(journey, strand, workflow, send);
}

/// What is planned and of unknown outcome: a state holds no more of it.
constexpr std::size_t most_pending = 100;

// Whatever workflow sends it, as a stream's or by itself.
void Stepper::remember_content(const Action& action, bool next) {
    if (model_.stream_contents.empty())
        return;
    std::uint64_t const hash = model::hash_of_content(action.channel, action.template_name);
    if (std::binary_search(model_.stream_contents.begin(), model_.stream_contents.end(), hash))
        profile_.pending.push_back({hash, action.id, next});
    if (profile_.pending.size() > most_pending) // as a journey's open actions: nobody may ever tell of them
        profile_.pending.erase(profile_.pending.begin());
}

void Stepper::forget_content(const Uuid& action) {
    std::erase_if(profile_.pending, [&](const PendingContent& p) { return p.action == action; });
}

// An action that the engine carries out itself: who it is depends on what others were assigned.
void Stepper::assign(Journey& journey, Strand& strand, const Workflow& workflow, const Instruction& instruction) {
    Instruction action = instruction;
    action.channel = "$assign";
    action.template_name = instruction.name;
    action.transactional = true;
    model::Argument rota;
    rota.name = "rota";
    rota.json = std::to_string(instruction.rota);
    action.arguments.push_back(std::move(rota));
    act(journey, strand, workflow, action);
}

} // namespace nurture::step
