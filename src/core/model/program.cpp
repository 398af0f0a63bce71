#include "core/model/program.hpp"

#include "core/base/error.hpp"

#include <nlohmann/json.hpp>

namespace nurture::model {

namespace {

using namespace language;

class ProgramCompiler {
  public:
    ProgramCompiler(Builder& builder, std::vector<Instruction>& program, const Zone& zone)
        : builder_(builder), program_(program), zone_(zone) {}

    /// Compiles `steps` so that they go on at `after`; the index of the first.
    // Blocks are laid out back to front: the successor of every step is known when it is compiled.
    Index block(const Steps& steps, const std::string& prefix, Index after) {
        Index next = after;
        for (std::size_t i = steps.size(); i-- > 0;)
            next = step(*steps[i], prefix + std::to_string(i + 1), next);
        return next;
    }

    Index add(Instruction instruction) {
        program_.push_back(std::move(instruction));
        return static_cast<Index>(program_.size() - 1);
    }

  private:
    Builder& builder_;
    std::vector<Instruction>& program_;
    const Zone& zone_;

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
        if (const auto* path = std::get_if<Path>(&value))
            out.attribute = builder_.attribute(*path);
        else
            out.json = json_of(std::get<Literal>(value), zone_);
        return out;
    }

    Index compile(const Wait& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::wait, path, next);
        out.duration = s.duration;
        return add(std::move(out));
    }

    Index compile(const WaitFor& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::wait_event, path, next);
        out.duration = s.up_to;
        if (const auto* event = std::get_if<EventPattern>(&s.what)) {
            out.pattern = builder_.pattern(*event);
        } else {
            out.kind = InstructionKind::wait_condition;
            out.condition = builder_.condition(*std::get<Box<Condition>>(s.what), Scope::contact);
        }
        out.next = block(s.then_steps, path + ".then.", next);
        out.other = block(s.else_steps, path + ".else.", next);
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

    // The outbox indexes it.
    static const std::string& channel(const std::string& name) {
        if (name.size() > 512)
            throw Error(ErrorKind::invalid_definition, "the channel's name is longer than 512 bytes");
        return name;
    }

    Index compile(const Send& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::send, path, next);
        out.channel = channel(s.channel);
        out.template_name = s.template_name;
        out.purpose = s.purpose.value_or("");
        out.transactional = s.transactional;
        out.arguments = arguments(s.with);
        return add(std::move(out));
    }

    Index compile(const Do& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::act, path, next);
        out.channel = channel(s.kind);
        out.transactional = true;
        out.arguments = arguments(s.with);
        return add(std::move(out));
    }

    Index compile(const Set& s, const std::string& path, Index next) {
        Instruction out = begin(InstructionKind::set, path, next);
        out.arguments.push_back(compile_argument(s.attribute, s.value));
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

Workflow compile_workflow(Builder& builder, const WorkflowRow& row, const language::Workflow& workflow) {
    Workflow out;
    out.id = row.id;
    out.version = row.version;
    out.name = row.name;
    out.current = row.current;
    out.paused = row.paused;
    out.reentry = workflow.reentry;
    for (const auto& trigger : workflow.triggers) {
        if (const auto* on_event = std::get_if<OnEvent>(&trigger)) {
            out.start_patterns.push_back(builder.pattern(on_event->event));
            continue;
        }
        const auto& on_segment = std::get<OnSegment>(trigger);
        auto const known = builder.segments.find(on_segment.segment);
        if (known == builder.segments.end())
            throw Error(ErrorKind::undefined_name, "segment \"" + on_segment.segment + "\" does not exist", {},
                        suggest(on_segment.segment, builder.segment_names))
                .at(on_segment.offset.byte);
        out.start_segments.emplace_back(known->second, on_segment.entering);
    }
    for (const auto& event : workflow.exit_on)
        out.exit_patterns.push_back(builder.pattern(event));
    for (const auto& condition : workflow.exit_when)
        out.exit_conditions.push_back(builder.condition(*condition, Scope::contact));

    ProgramCompiler compiler(builder, out.program, builder.zone());
    Index const end = compiler.add({});
    out.begin = compiler.block(workflow.steps, "", end);
    return out;
}

} // namespace nurture::model
