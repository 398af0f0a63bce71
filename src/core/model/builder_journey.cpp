// What workflows ask for beyond conditions: variables, events of their own, watched conditions, schedules.
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/model/builder.hpp"

#include <algorithm>
#include <utility>

namespace nurture::model {

using namespace language;

namespace {

bool is_context(const Path& path) { return path.keys.size() > 1 && path.keys.front() == context_prefix; }

Path in_context(const Path& path) {
    Path out{{std::string(context_prefix)}};
    out.keys.insert(out.keys.end(), path.keys.begin(), path.keys.end());
    return out;
}

template <class T>
Box<Condition> condition_of(T node) {
    Condition out;
    out.node = std::move(node);
    return out;
}

// The last of so many moments of the local clock. They are counted on the wall, where no clock is ever changed.
std::int64_t last_run(const ScheduleTrigger& schedule, const Zone& policy) {
    std::int64_t begin = schedule.from->local;
    if (schedule.from->utc_offset) {
        if (schedule.zone.kind == ZoneChoice::Kind::contact)
            throw Error(ErrorKind::invalid_definition, "a number of runs on the contact's clock is counted from a local time", {},
                        "Write the beginning without an offset.");
        const Zone& zone = schedule.zone.kind == ZoneChoice::Kind::named ? *schedule.zone.zone : policy;
        begin = zone.to_local(begin - *schedule.from->utc_offset);
    }
    std::int64_t run = schedule.cron->next_local(begin);
    for (std::int64_t n = 1; n < schedule.times && run != never; ++n)
        run = schedule.cron->next_local(run + one_minute);
    return run;
}

std::uint32_t id_of(const std::string& text) { return first_hidden_id | static_cast<std::uint32_t>(hash64(text)); }

} // namespace

Index Builder::context(const Path& path) {
    if (contexts == nullptr || !is_context(path))
        return none;
    Path inner{{path.keys.begin() + 1, path.keys.end()}};
    std::string const text = print(inner);
    Index const index = contexts_.emplace(text, static_cast<Index>(model_.contexts.size())).first->second;
    if (index == model_.contexts.size())
        model_.contexts.push_back({text, std::move(inner)});
    if (std::find(contexts->begin(), contexts->end(), index) == contexts->end())
        contexts->push_back(index);
    return index;
}

// One that reads no variable is a pattern as any other; else the journey tests each event of the type by itself.
JourneyPattern Builder::journey_pattern(const JourneyEvent& event) {
    bool const reads = event.event.where && print(event.event).find(context_prefix) != std::string::npos;
    if (!event.same && !reads)
        return {pattern(event.event), none};
    JourneyPattern out;
    out.pattern = pattern({event.event.type, {}});
    And filter;
    if (event.event.where)
        filter.operands.push_back(event.event.where);
    if (event.same)
        filter.operands.push_back(condition_of(ComparePaths{Attribute{*event.same}, Comparator::equal, in_context(*event.same)}));
    Box<Condition> const whole = filter.operands.size() == 1 ? filter.operands.front() : condition_of(std::move(filter));
    bool const own = std::exchange(context_in_where_, true);
    out.filter = condition(*whole, Scope::event);
    context_in_where_ = own;
    return out;
}

Index Builder::watch(const std::string& text, Index condition) {
    auto const [known, added] = watches_.emplace(text, static_cast<Index>(model_.segments.size()));
    if (!added)
        return known->second;
    std::uint32_t id = id_of("when\n" + text);
    auto const taken = [&] {
        return std::any_of(model_.segments.begin(), model_.segments.end(), [&](const Segment& s) { return s.id == id; });
    };
    while (taken())
        id = first_hidden_id | (id + 1);
    model_.segments.push_back({id, text, condition, true});
    model_.segments_by_id.emplace_back(id, known->second);
    return known->second;
}

Index Builder::watch(const OnCondition& on) {
    std::string const text = print(*on.condition);
    if (auto const known = watches_.find(text); known != watches_.end())
        return known->second;
    auto* const variables = std::exchange(contexts, nullptr); // nobody is inside yet
    Index const asked_for = condition(*on.condition, Scope::contact);
    contexts = variables;
    return watch(text, asked_for);
}

Index Builder::watch(const OnDate& on) {
    std::string const text = (on.before ? "before " : "after ") + (on.offset.empty() ? "" : language::print(on.offset) + ' ') +
                             (on.yearly ? "anniversary " : "date ") + print(on.attribute) +
                             (on.at ? ' ' + std::to_string(*on.at) : "");
    if (auto const known = watches_.find(text); known != watches_.end())
        return known->second;
    if (on.yearly && on.offset.months * 31 + on.offset.days + on.offset.micros / one_day >= 300)
        throw Error(ErrorKind::invalid_definition, "an anniversary comes every year: the span must be shorter than 300 days");
    int const sign = on.before ? -1 : 1;
    ReachedTest test;
    test.offset = {sign * on.offset.months, sign * on.offset.days, sign * on.offset.micros};
    test.yearly = on.yearly;
    test.at = on.at;
    test.segment = static_cast<Index>(model_.segments.size());
    Node node;
    node.op = Op::reached;
    node.operand = {OperandKind::attribute, attribute(on.attribute)};
    node.detail = static_cast<Index>(model_.reached_tests.size());
    model_.reached_tests.push_back(test);
    return watch(text, add(std::move(node)));
}

Index Builder::schedule(const OnSchedule& on) {
    std::string const text = (on.once ? print(Literal(*on.once)) : on.cron) + '\n' +
                             std::to_string(static_cast<int>(on.zone.kind)) + on.zone.name + '\n' +
                             (on.from ? print(Literal(*on.from)) : "") + '\n' + (on.until ? print(Literal(*on.until)) : "") +
                             '\n' + on.segment.value_or("") + (on.times != 0 ? '\n' + std::to_string(on.times) : "");
    auto const [known, added] = schedules_.emplace(text, static_cast<Index>(model_.schedules.size()));
    if (!added)
        return known->second;
    ScheduleTrigger out;
    out.id = static_cast<std::uint32_t>(hash64("schedule\n" + text));
    if (on.once)
        out.once = *on.once;
    else
        out.cron = Cron::parse(on.cron);
    out.from = on.from;
    out.until = on.until;
    out.zone = zone_ref(on.zone);
    if (on.times != 0) {
        out.times = on.times;
        out.last = last_run(out, model_.zone);
    }
    if (on.segment)
        out.segment = segment_index(*on.segment, on.offset);
    model_.schedules.push_back(std::move(out));
    return known->second;
}

std::optional<SampleTest> Builder::holdout() const {
    if (model_.source.holdout_percent == 0)
        return std::nullopt;
    return SampleTest{hash64(model_.source.holdout_salt), model_.source.holdout_percent};
}

std::uint32_t Builder::workflow_id(const std::string& name, Offset offset) const {
    auto const known = workflows.find(name);
    if (known != workflows.end())
        return known->second;
    std::vector<std::string> names;
    for (auto const& [other, id] : workflows)
        names.push_back(other);
    throw Error(ErrorKind::undefined_name, "workflow \"" + name + "\" does not exist", {}, suggest(name, names)).at(offset.byte);
}

void Builder::check_list(const std::string& name, Offset offset) const {
    const auto& lists = model_.source.lists;
    if (std::find(lists.begin(), lists.end(), name) == lists.end())
        throw Error(ErrorKind::undefined_name, "list \"" + name + "\" does not exist", {},
                    lists.empty() ? "Lists are rows of nurture.list." : suggest(name, lists))
            .at(offset.byte);
}

Index Builder::segment_index(const std::string& name, Offset offset) const {
    auto const known = segments.find(name);
    if (known == segments.end())
        throw Error(ErrorKind::undefined_name, "segment \"" + name + "\" does not exist", {}, suggest(name, segment_names))
            .at(offset.byte);
    return known->second;
}

} // namespace nurture::model
