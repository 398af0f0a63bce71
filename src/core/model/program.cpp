#include "core/model/program.hpp"

#include "core/base/error.hpp"
#include "core/base/hash.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace nurture::model {

namespace {

using namespace language;
using model::Argument;
using model::Workflow;
using model::Goal;

class ProgramCompiler {
  public:
    ProgramCompiler(Builder& builder, std::vector<Instruction>& program, const Zone& zone, std::uint32_t workflow)
        : builder_(builder), program_(program), zone_(zone), workflow_(workflow) {}

    std::map<std::string, Index> labels; ///< where they stand

    /// Compiles `steps` so that they go on at `after`; the index of the first.
    // Blocks are laid out back to front: the successor of every step is known when it is compiled.
    Index block(const Steps& steps, const std::string& prefix, Index after) {
        Index next = after;
        for (std::size_t i = steps.size(); i-- > 0;)
            next = step(*steps[i], prefix + std::to_string(i + 1), next);
        return next;
    }

    Index add(Instruction instruction) {
        instruction.branch = branch_;
        program_.push_back(std::move(instruction));
        return static_cast<Index>(program_.size() - 1);
    }

  private:
    Builder& builder_;
    std::vector<Instruction>& program_;
    const Zone& zone_;
    std::uint32_t workflow_; // id
    std::string branch_;     // of a parallel, around what is compiled

    Index step(const Step& node, const std::string& path, Index next) {
        return std::visit([&](const auto& s) { return compile(s, path, next); }, node.node);
    }

    static Instruction begin(InstructionKind kind, const std::string& path, Index next) {
        Instruction instruction;
        instruction.kind = kind;
        instruction.step = path;
        instruction.next = instruction.other = next;
        return instruction;
    }

    std::vector<Argument> arguments(const std::vector<NamedArgument>& with) {
        std::vector<Argument> out;
        for (const auto& argument : with)
            out.push_back(compile_argument(argument.name, argument.value));
        return out;
    }

    Argument compile_argument(const std::string& name, const language::Argument& value) {
        Argument out;
        out.name = name;
        if (const auto* path = std::get_if<Path>(&value)) {
            out.context = builder_.context(*path);
            if (out.context == none)
                out.attribute = builder_.attribute(*path);
        } else if (const auto* coupon = std::get_if<Coupon>(&value)) {
            out.coupon_pool = builder_.coupon_pool_id(coupon->pool, coupon->offset);
        } else {
            out.json = json_of(std::get<Literal>(value), zone_);
        }
        return out;
    }

    model::Awaited awaited(const language::Awaited& what) {
        model::Awaited out;
        if (const auto* event = std::get_if<JourneyEvent>(&what))
            out.event = builder_.journey_pattern(*event);
        else
            out.condition = builder_.condition(*std::get<Box<Condition>>(what), Scope::contact);
        return out;
    }

    Index compile(const Wait& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::wait, path, next);
        out.duration = s.duration;
        return add(std::move(out));
    }

    Index compile(const WaitUntil& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::wait_until, path, next);
        Until& until = out.until;
        if (const auto* at = std::get_if<UntilMoment>(&s.what)) {
            until.moment = at->moment;
        } else if (const auto* date = std::get_if<UntilDate>(&s.what)) {
            int const sign = date->before ? -1 : 1;
            until.kind = Until::Kind::date;
            until.offset = {sign * date->offset.months, sign * date->offset.days, sign * date->offset.micros};
            until.from = date->at;
            until.context = builder_.context(date->attribute);
            if (until.context == none)
                until.attribute = builder_.attribute(date->attribute);
        } else {
            const auto& clock = std::get<UntilClock>(s.what);
            until.kind = Until::Kind::clock;
            until.days = clock.days;
            until.from = clock.from;
            until.to = clock.to;
            if (clock.days.kind == DayChoice::Kind::business_day)
                until.holidays = builder_.holidays(clock.days.calendar, clock.days.offset);
        }
        return add(std::move(out));
    }

    // The layout of what earlier versions knew stays theirs: journeys remember where they stand by index.
    Index compile(const WaitFor& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::wait_for, path, next);
        out.duration = s.up_to;
        out.ranked = s.ranked;
        for (const auto& what : s.what)
            out.awaited.push_back(awaited(what));
        for (const JourneyEvent& event : s.renewed_by)
            out.renewed.push_back(builder_.journey_pattern(event));
        Index const then = block(s.then_steps, path + ".then.", next);
        for (auto& one : out.awaited) {
            one.then = then;
            one.how = ":then";
        }
        for (std::size_t i = 0; i < s.others.size(); ++i) {
            std::size_t const first = out.awaited.size();
            for (const auto& what : s.others[i].what)
                out.awaited.push_back(awaited(what));
            Index const branch = block(s.others[i].steps, path + ".or" + std::to_string(i + 1) + '.', next);
            for (std::size_t k = first; k < out.awaited.size(); ++k) {
                out.awaited[k].then = branch;
                out.awaited[k].how = ":or" + std::to_string(i + 1);
            }
        }
        out.other = block(s.else_steps, path + ".else.", next);
        return add(std::move(out));
    }

    Index compile(const WaitWorkflow& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::wait_workflow, path, next);
        out.duration = s.up_to;
        out.workflow = builder_.workflow_id(s.workflow, s.offset);
        builder_.followed->push_back(out.workflow);
        return add(std::move(out));
    }

    Index compile(const If& s, const std::string& path, Index next) {
        Index other = block(s.else_steps, path + ".else.", next);
        for (std::size_t i = s.branches.size(); i-- > 0;) {
            std::string const name = i == 0 ? ".then." : ".elsif" + std::to_string(i) + '.';
            Instruction out = begin(InstructionKind::branch, path, next);
            out.condition = builder_.condition(*s.branches[i].condition, Scope::contact);
            out.next = block(s.branches[i].steps, path + name, next);
            out.other = other;
            other = add(std::move(out));
        }
        return other;
    }

    // Each case asks whether the value is one of its own.
    Index compile(const Switch& s, const std::string& path, Index next) {
        Index other = block(s.else_steps, path + ".else.", next);
        for (std::size_t i = s.cases.size(); i-- > 0;) {
            Instruction out = begin(InstructionKind::branch, path, next);
            Condition condition;
            condition.node = In{s.of, s.cases[i].values, false};
            out.name = "switch";
            out.condition = builder_.condition(condition, Scope::contact);
            out.next = block(s.cases[i].steps, path + ".when" + std::to_string(i + 1) + '.', next);
            out.other = other;
            other = add(std::move(out));
        }
        return other;
    }

    Index compile(const Split& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::split, path, next);
        out.experiment = s.experiment;
        out.anew = s.again;
        out.name = s.salt;
        std::string names;
        Wide sum = 0;
        for (const Arm& arm : s.arms) {
            sum += arm.weight;
            names += '\n' + arm.name;
            SplitArm compiled;
            compiled.below = sum;
            compiled.name = arm.name;
            compiled.next = block(arm.steps, path + '.' + print_name(arm.name) + '.', next);
            out.arms.push_back(std::move(compiled));
        }
        // Without a salt the arms are the workflow's own, whatever its version and wherever the step stands.
        // One that throws anew at each coming throws by itself.
        out.seed = hash64(s.salt.empty() ? "split\n" + std::to_string(workflow_) + names + (s.again ? '\n' + path : "") : s.salt);
        return add(std::move(out));
    }

    // `repeat` decides whether to go (round) once more and counts; `again`, at the block's end, leads back to it.
    Index compile(const Repeat& s, const std::string& path, Index next) {
        Index const again = add(begin(InstructionKind::again, path, next));
        Instruction out = begin(InstructionKind::repeat, path, next);
        out.limit = s.at_most;
        if (s.until)
            out.condition = builder_.condition(*s.until, Scope::contact);
        out.next = block(s.steps, path + ".repeat.", again);
        Index const head = add(std::move(out));
        program_[again].next = head;
        return head;
    }

    // Each branch ends at a `join` of its own, which leads behind the whole.
    Index compile(const Parallel& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::parallel, path, next);
        out.any = s.any;
        std::string const around = branch_;
        for (std::size_t i = 0; i < s.branches.size(); ++i) {
            SplitArm arm;
            arm.name = "branch" + std::to_string(i + 1);
            branch_ = path + '.' + arm.name;
            Index const join = add(begin(InstructionKind::join, path, next));
            arm.next = block(s.branches[i], branch_ + '.', join);
            out.arms.push_back(std::move(arm));
        }
        branch_ = around;
        return add(std::move(out));
    }

    Index compile(const Label& s, const std::string&, Index next) {
        if (!labels.emplace(s.name, next).second)
            throw Error(ErrorKind::invalid_definition, "the label " + s.name + " is given twice");
        return next;
    }

    // The outbox indexes it.
    static const std::string& channel(const std::string& name) {
        if (name.empty())
            throw Error(ErrorKind::invalid_definition, "what is to be done has no name", {}, "Such as: do 'webhook'.");
        if (name.size() > 512)
            throw Error(ErrorKind::invalid_definition, "the channel's name is longer than 512 bytes");
        return name;
    }

    Index compile(const Send& s, const std::string& path, Index next) {
        if (s.template_name.empty())
            throw Error(ErrorKind::invalid_definition, "a message has no template", {}, "Such as: send email 'welcome'.");
        Instruction out = begin(InstructionKind::send, path, next);
        out.channel = channel(s.channel);
        if (!s.others.empty())
            out.channels.push_back(out.channel);
        for (const std::string& other : s.others)
            out.channels.push_back(channel(other));
        if (!s.preferring.keys.empty())
            out.preferred = compile_argument("", s.preferring);
        out.template_name = s.template_name;
        out.purpose = s.purpose.value_or("");
        out.transactional = s.transactional;
        out.arguments = arguments(s.with);
        out.failure = s.failure;
        return add(std::move(out));
    }

    Index compile(const SendNext& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::send_next, path, next);
        out.stream = builder_.stream_index(s.stream, s.offset);
        out.arguments = arguments(s.with);
        return add(std::move(out));
    }

    Index compile(const Assign& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::assign, path, next);
        out.name = s.attribute;
        out.rota = builder_.rota_id(s.rota, s.offset);
        return add(std::move(out));
    }

    Index compile(const Do& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::act, path, next);
        out.channel = channel(s.kind);
        out.transactional = true;
        out.arguments = arguments(s.with);
        out.failure = s.failure;
        return add(std::move(out));
    }

    Index compile(const Set& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::set, path, next);
        out.arguments.push_back(compile_argument(s.attribute, s.value));
        return add(std::move(out));
    }

    Index compile(const Clear& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::set, path, next);
        Argument nothing;
        nothing.name = s.attribute;
        nothing.json = "null";
        out.arguments.push_back(std::move(nothing));
        return add(std::move(out));
    }

    Index compile(const Increment& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::increment, path, next);
        out.arguments.push_back(compile_argument(s.attribute, Path{{s.attribute}}));
        out.limit = s.by;
        return add(std::move(out));
    }

    Index compile(const ChangeItems& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::items, path, next);
        out.items = s.kind;
        out.arguments.push_back(compile_argument(s.attribute, s.value));
        return add(std::move(out));
    }

    Index compile(const ChangeList& s, const std::string& path, Index next) {
        builder_.check_list(s.list, s.offset);
        Instruction out = begin(InstructionKind::list, path, next);
        out.name = s.list;
        out.add = s.add;
        return add(std::move(out));
    }

    Index compile(const AdjustScore& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::adjust, path, next);
        if (s.topic && !builder_.known_topic(*s.topic))
            throw Error(ErrorKind::undefined_name, "topic \"" + *s.topic + "\" does not exist", "No rule has this topic.")
                .at(s.offset.byte);
        out.name = s.topic.value_or("");
        out.limit = s.points;
        out.reason = s.reason;
        return add(std::move(out));
    }

    Index compile(const SetScore& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::set_score, path, next);
        out.add = s.points.has_value();
        out.limit = s.points.value_or(0);
        out.reason = s.reason;
        return add(std::move(out));
    }

    Index compile(const WithdrawConsent& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::withdraw, path, next);
        out.channel = channel(s.channel);
        out.purpose = s.purpose.value_or("");
        out.reason = s.reason;
        return add(std::move(out));
    }

    Index compile(const Emit& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::emit, path, next);
        out.name = s.type;
        out.arguments = arguments(s.with);
        return add(std::move(out));
    }

    Index compile(const StartWorkflow& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::start, path, next);
        out.workflow = builder_.workflow_id(s.workflow, s.offset);
        out.arguments = arguments(s.with);
        return add(std::move(out));
    }

    Index compile(const StopWorkflow& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::stop, path, next);
        out.workflow = builder_.workflow_id(s.workflow, s.offset);
        return add(std::move(out));
    }

    Index compile(const Exit&, const std::string& path, Index next) {
        return add(begin(InstructionKind::end, path, next));
    }
};

} // namespace

std::string json_of(const Literal& literal, const Zone& zone) {
    if (const auto* truth = std::get_if<bool>(&literal))
        return *truth ? "true" : "false";
    if (const auto* number = std::get_if<Number>(&literal))
        return print_micro(number->value);
    if (const auto* moment = std::get_if<Moment>(&literal)) {
        if (moment->date_only)
            return '"' + language::print(literal) + '"';
        return '"' + print_iso_time(moment->utc_offset ? moment->local - *moment->utc_offset : zone.to_utc(moment->local)) +
               '"';
    }
    return nlohmann::json(std::get<std::string>(literal)).dump();
}

namespace {

/// What starts a workflow, one kind after the other.
struct Starter {
    Builder& builder;
    Workflow& out;

    void operator()(const OnEvent& on) const { out.start_patterns.push_back(builder.pattern(on.event)); }
    void operator()(const OnSegment& on) const {
        out.start_segments.emplace_back(builder.segment_index(on.segment, on.offset), on.entering);
    }
    void operator()(const OnCondition& on) const { out.start_segments.emplace_back(builder.watch(on), !on.ends); }
    void operator()(const OnAttribute& on) const { out.start_attributes.push_back(builder.attribute_trigger(on)); }
    // A list is what its messages say.
    void operator()(const OnListChange& on) const {
        builder.check_list(on.list, on.offset);
        And told;
        auto const is = [&](const char* property, const std::string& value, Comparator how) {
            Condition test;
            test.node = Comparison{Attribute{Path{{property}}}, how, value};
            told.operands.emplace_back(std::move(test));
        };
        is("list", on.list, Comparator::equal);
        is("state", "member", on.joining ? Comparator::equal : Comparator::not_equal);
        Condition where;
        where.node = std::move(told);
        out.start_patterns.push_back(builder.pattern({"$list", std::move(where)}));
    }
    void operator()(const OnDate& on) const { out.start_segments.emplace_back(builder.watch(on), true); }
    void operator()(const OnJourney& on) const {
        auto const id = builder.workflow_id(on.workflow, on.offset);
        out.start_journeys.emplace_back(id, on.step.value_or(""));
        builder.followed->push_back(id);
    }
    void operator()(const OnSchedule& on) const { out.start_schedules.push_back(builder.schedule(on)); }
};

Goal compile_goal(Builder& builder, const language::Goal& goal, const std::map<std::string, Index>& labels) {
    Goal out;
    out.within = goal.within;
    if (const auto* event = std::get_if<JourneyEvent>(&goal.what)) {
        out.event = builder.journey_pattern(*event);
        out.text = language::print(event->event);
    } else {
        out.condition = builder.condition(*std::get<Box<Condition>>(goal.what), Scope::contact);
        out.text = language::print(*std::get<Box<Condition>>(goal.what));
    }
    if (!goal.go_to.empty())
        out.go_to = labels.at(goal.go_to);
    return out;
}

} // namespace

bool Workflow::holds(const Instruction& instruction) const noexcept {
    return !held_steps.empty() && std::find(held_steps.begin(), held_steps.end(), instruction.step) != held_steps.end();
}

Workflow compile_workflow(Builder& builder, const WorkflowRow& row, const language::Workflow& workflow) {
    Workflow out;
    out.id = row.id;
    out.version = row.version;
    out.name = row.name;
    out.current = row.current;
    out.paused = row.paused;
    out.held_steps = row.held_steps;
    out.reentry = workflow.reentry;
    builder.contexts = &out.contexts;
    for (const auto& trigger : workflow.triggers)
        std::visit(Starter{builder, out}, trigger);
    if (workflow.holdout)
        out.holdout = SampleTest{hash64(workflow.holdout->salt), workflow.holdout->percent};
    else if (!workflow.no_holdout)
        out.holdout = builder.holdout();
    for (const auto& event : workflow.exit_on)
        out.exit_patterns.push_back(builder.journey_pattern(event));
    for (const auto& condition : workflow.exit_when)
        out.exit_conditions.push_back(builder.condition(*condition, Scope::contact));

    ProgramCompiler compiler(builder, out.program, builder.zone(), row.id);
    Index const end = compiler.add({});
    out.begin = compiler.block(workflow.steps, "", end);
    for (const auto& goal : workflow.goals)
        out.goals.push_back(compile_goal(builder, goal, compiler.labels));
    builder.contexts = nullptr;
    find_passes(out);
    check_rounds(out);
    return out;
}

} // namespace nurture::model
