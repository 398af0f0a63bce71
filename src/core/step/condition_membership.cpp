// Membership: what a segment's members have been, samples, journeys, k of n.
#include "core/base/hash.hpp"
#include "core/step/reading.hpp"

namespace nurture::step {

using model::Node;
using model::SegmentQuestion;
using profile::SegmentPast;

namespace {

/// Was it a member at any moment of [from, to)? Unknown where the past does not reach.
Truth was_member(const SegmentPast& past, Time from, Time to) {
    for (std::size_t i = 0; i < past.changes.size(); ++i) {
        if (!past.changes[i].member)
            continue;
        Time const begin = past.changes[i].at;
        Time const end = i + 1 < past.changes.size() ? past.changes[i + 1].at : never;
        if (begin < end && begin < to && end > from)
            return Truth::yes;
    }
    return from < past.known_from ? Truth::unknown : Truth::no;
}

} // namespace

Outcome Facts::test_past(const Node& node, Time clock) const {
    const auto& test = model.segment_tests[node.detail];
    const SegmentPast& past = pasts[node.segment];
    bool const member = members[node.segment] != 0;
    switch (test.question) {
    case SegmentQuestion::inside_for: {
        if (!member)
            return {Truth::no, never};
        Time const complete = end_of(test.duration, since[node.segment]);
        return complete <= clock ? Outcome{truth(test.at_least), never} : Outcome{truth(!test.at_least), complete};
    }
    case SegmentQuestion::entered:
    case SegmentQuestion::left: {
        bool const wanted = test.question == SegmentQuestion::entered;
        for (auto change = past.changes.rbegin(); change != past.changes.rend(); ++change)
            if (change->member == wanted) {
                Time const leaves = end_of(test.duration, change->at);
                return leaves > clock ? Outcome{Truth::yes, leaves} : Outcome{Truth::no, never};
            }
        Time const known = past.known_from == always ? always : end_of(test.duration, past.known_from);
        return known > clock ? Outcome{Truth::unknown, known} : Outcome{Truth::no, never};
    }
    case SegmentQuestion::was:
        break;
    }
    Outcome out{clock < test.from ? Truth::no : was_member(past, test.from, std::min(test.to, saturating_add(clock, 1))), never};
    sooner(out.flips, test.from, clock);
    return out;
}

Time Facts::end_of(const Duration& duration, Time from) const {
    return duration.months == 0 ? saturating_add(from, duration.exact()) : add_on_calendar(from, duration, model.zone);
}

// Stable: the same key with the same salt falls on the same side wherever and whenever it is asked, and a larger
// percentage keeps those of a smaller one.
Outcome Facts::test_sample(const Node& node) const {
    const auto& test = model.sample_tests[node.detail];
    if (key.empty())
        return {Truth::unknown, never};
    return {truth(in_sample(test)), never};
}

bool Facts::in_sample(const model::SampleTest& test) const {
    std::uint64_t const hash = hash64(std::to_string(test.seed) + '\n' + std::string(key));
    // hash / 2^64 < percent / 100, in integers
    return Wide(hash) * 100 * micro_one < (Wide(test.percent) << 64);
}

Outcome Facts::test_journey(const Node& node) const {
    const auto& test = model.journey_tests[node.detail];
    auto is_this = [&](const profile::WorkflowMemory& memory) { return memory.workflow == test.workflow; };
    bool yes = false;
    switch (test.relation) {
    case language::JourneyRelation::entered:
        yes = std::any_of(profile.workflows.begin(), profile.workflows.end(),
                          [&](const auto& memory) { return is_this(memory) && memory.entries > 0; });
        break;
    case language::JourneyRelation::completed:
        yes = std::binary_search(profile.completed.begin(), profile.completed.end(), test.workflow);
        break;
    case language::JourneyRelation::inside:
        yes = std::any_of(profile.journeys.begin(), profile.journeys.end(), [&](const profile::Journey& walk) {
            if (walk.workflow != test.workflow)
                return false;
            Index const workflow = model.workflow_of(walk.workflow, walk.version);
            bool stands = !test.step;
            if (!stands && workflow != none)
                profile::for_strands(static_cast<const profile::Strand&>(walk), [&](const profile::Strand& strand) {
                    const auto& program = model.workflows[workflow].program;
                    stands = stands || (strand.at_step < program.size() && program[strand.at_step].step == *test.step);
                });
            return stands;
        });
        break;
    }
    return {truth(yes), never};
}

Outcome Facts::test_list(const Node& node, Time clock) const {
    Reading const state = read(node.operand, clock, nullptr);
    return {truth(state.kind == Reading::Kind::value && text_of(state.value) == node.constants.front().text), never};
}

// k of n: yes when k are, no when even the unknown ones would not suffice.
Outcome Facts::at_least(const Node& node, Time clock, const profile::Properties* event) const {
    Index yes = 0;
    Index open = 0;
    Outcome out{Truth::unknown, never};
    for (Index const child : node.children) {
        Outcome const part = evaluate(model.nodes[child], clock, event);
        yes += part.truth == Truth::yes ? 1 : 0;
        open += part.truth == Truth::unknown ? 1 : 0;
        out.flips = std::min(out.flips, part.flips);
    }
    if (yes >= node.detail)
        out.truth = Truth::yes;
    else if (yes + open < node.detail)
        out.truth = Truth::no;
    return out;
}

} // namespace nurture::step
