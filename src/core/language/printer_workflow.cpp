#include "core/language/printer.hpp"

#include "core/language/language.hpp"

namespace nurture::language {

namespace {

using printing::append;
using printing::append_name;
using printing::append_string;

/// One clause or step per line, two blanks per block.
class WorkflowPrinter {
public:
    std::string run(const Workflow& workflow) {
        for (const Trigger& trigger : workflow.triggers)
            print(trigger);
        print(workflow.reentry);
        for (const EventPattern& event : workflow.exit_on) {
            line("exit on ");
            append(out_, event);
        }
        for (const Box<Condition>& condition : workflow.exit_when) {
            line("exit when ");
            append(out_, *condition);
        }
        print(workflow.steps);
        return std::move(out_);
    }

    void operator()(const Wait& wait) {
        line("wait ");
        append(out_, wait.duration);
    }
    void operator()(const WaitFor& wait) {
        line("wait for ");
        if (const auto* event = std::get_if<EventPattern>(&wait.what))
            append(out_, *event);
        else
            print_awaited(*std::get<Box<Condition>>(wait.what));
        out_ += " up to ";
        append(out_, wait.up_to);
        if (wait.then_steps.empty() && wait.else_steps.empty())
            return;
        out_ += " then";
        block(wait.then_steps);
        finish(wait.else_steps);
    }
    void operator()(const If& choice) {
        std::string_view word = "if ";
        for (const Branch& branch : choice.branches) {
            line(word);
            append(out_, *branch.condition);
            out_ += " then";
            block(branch.steps);
            word = "elsif ";
        }
        finish(choice.else_steps);
    }
    void operator()(const Send& send) {
        line("send ");
        append_name(out_, send.channel);
        out_ += ' ';
        append_string(out_, send.template_name);
        if (send.purpose) {
            out_ += " for ";
            append_name(out_, *send.purpose);
        }
        if (send.transactional)
            out_ += " as transactional";
        print(send.with);
    }
    void operator()(const Do& action) {
        line("do ");
        append_string(out_, action.kind);
        print(action.with);
    }
    void operator()(const Set& change) {
        line("set ");
        append_name(out_, change.attribute);
        out_ += " = ";
        print(change.value);
    }
    void operator()(const Exit&) { line("exit"); }

private:
    std::string out_;
    std::size_t indent_ = 0;

    void line(std::string_view text) {
        if (!out_.empty())
            out_ += '\n';
        out_.append(indent_, ' ');
        out_ += text;
    }

    void print(const Trigger& trigger) {
        if (const auto* event = std::get_if<OnEvent>(&trigger)) {
            line("on ");
            append(out_, event->event);
            return;
        }
        const auto& change = std::get<OnSegment>(trigger);
        line(change.entering ? "on entering segment " : "on leaving segment ");
        append_string(out_, change.segment);
    }

    void print(const ReentryPolicy& reentry) {
        if (reentry.kind == Reentry::always) {
            line("re-enter always");
        } else if (reentry.kind == Reentry::after) {
            line("re-enter after ");
            append(out_, reentry.after);
        }
    }

    void print(const Steps& steps) {
        for (const Box<Step>& step : steps)
            std::visit(*this, step->node);
    }

    void block(const Steps& steps) {
        indent_ += 2;
        print(steps);
        indent_ -= 2;
    }

    void finish(const Steps& else_steps) {
        if (!else_steps.empty()) {
            line("else");
            block(else_steps);
        }
        line("end");
    }

    // A bare name would be read as an event type.
    void print_awaited(const Condition& condition) {
        const auto* truth = std::get_if<Truth>(&condition.node);
        const auto* attribute = truth == nullptr ? nullptr : std::get_if<Attribute>(&truth->operand);
        bool const brackets = attribute != nullptr && attribute->path.keys.size() == 1;
        out_ += brackets ? "(" : "";
        append(out_, condition);
        out_ += brackets ? ")" : "";
    }

    void print(const Argument& argument) {
        if (const auto* literal = std::get_if<Literal>(&argument))
            append(out_, *literal);
        else
            append(out_, std::get<Path>(argument));
    }

    void print(const std::vector<NamedArgument>& with) {
        if (with.empty())
            return;
        std::string_view separator = " with (";
        for (const NamedArgument& argument : with) {
            out_ += separator;
            append_name(out_, argument.name);
            out_ += " = ";
            print(argument.value);
            separator = ", ";
        }
        out_ += ')';
    }
};

} // namespace

std::string print(const Workflow& workflow) {
    return WorkflowPrinter().run(workflow);
}

} // namespace nurture::language
