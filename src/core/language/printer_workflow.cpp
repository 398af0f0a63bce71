#include "core/language/printer.hpp"

#include "core/language/language.hpp"
#include "core/language/lexer.hpp"

#include <algorithm>
#include <iterator>

namespace nurture::language {

namespace {

using printing::append;
using printing::append_at;
using printing::append_name;
using printing::append_string;
using printing::append_time_of_day;
using printing::append_topic;

/// One clause or step per line, two blanks per block.
class WorkflowPrinter {
public:
    std::string run(const Workflow& workflow) {
        for (const Trigger& trigger : workflow.triggers) {
            line("");
            append(out_, trigger);
        }
        print(workflow.reentry);
        if (workflow.holdout) {
            line("holdout " + print_micro(workflow.holdout->percent) + " percent ");
            append_string(out_, workflow.holdout->salt);
        } else if (workflow.no_holdout) {
            line("holdout none");
        }
        for (const JourneyEvent& event : workflow.exit_on) {
            line("exit on ");
            print(event);
        }
        for (const Box<Condition>& condition : workflow.exit_when) {
            line("exit when ");
            append(out_, *condition);
        }
        for (const Goal& goal : workflow.goals)
            print(goal);
        print(workflow.steps);
        return std::move(out_);
    }

    // Steps that wait.
    void operator()(const Wait& wait) {
        line("wait ");
        append(out_, wait.duration);
    }
    void operator()(const WaitUntil& wait) {
        line("wait until ");
        std::visit([this](const auto& what) { print(what); }, wait.what);
    }
    void operator()(const WaitFor& wait) {
        line("wait for ");
        print(wait.what);
        out_ += " up to ";
        append(out_, wait.up_to);
        out_ += wait.ranked ? " ranked" : "";
        for (std::size_t i = 0; i < wait.renewed_by.size(); ++i) {
            out_ += i == 0 ? " renewed by " : ", ";
            bool const brackets = wait.renewed_by[i].event.where || wait.renewed_by[i].same;
            out_ += brackets ? "(" : "";
            print(wait.renewed_by[i]);
            out_ += brackets ? ")" : "";
        }
        if (wait.then_steps.empty() && wait.else_steps.empty())
            return;
        out_ += " then";
        block(wait.then_steps);
        for (const AwaitedBranch& other : wait.others) {
            line("or ");
            print(other.what);
            out_ += " then";
            block(other.steps);
        }
        finish(wait.else_steps);
    }
    void operator()(const WaitWorkflow& wait) {
        line("wait for workflow ");
        append_string(out_, wait.workflow);
        out_ += " to end";
        if (!wait.up_to.empty()) {
            out_ += " up to ";
            append(out_, wait.up_to);
        }
    }

    // Steps that choose.
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
    void operator()(const Switch& choice) {
        line("switch ");
        append(out_, choice.of);
        for (const Case& one : choice.cases) {
            line("when ");
            for (std::size_t i = 0; i < one.values.size(); ++i) {
                out_ += i == 0 ? "" : ", ";
                append(out_, one.values[i]);
            }
            out_ += " then";
            block(one.steps);
        }
        finish(choice.else_steps);
    }
    void operator()(const Split& split) {
        line(split.experiment ? "experiment" : split.again ? "split again" : "split");
        if (!split.salt.empty()) {
            out_ += ' ';
            append_string(out_, split.salt);
        }
        for (const Arm& arm : split.arms) {
            line(print_micro(arm.weight) + ' ');
            bool const quoted = is_plain_name(arm.name) && (keyword_of(arm.name) == Keyword::percent || is_unit_of_time(arm.name));
            out_ += quoted ? "\"" : "";
            append_name(out_, arm.name);
            out_ += quoted ? "\"" : "";
            block(arm.steps);
        }
        line("end");
    }
    void operator()(const Repeat& loop) {
        line("repeat");
        if (loop.at_most != 0)
            out_ += " at most " + std::to_string(loop.at_most);
        if (loop.until) {
            out_ += " until ";
            append(out_, *loop.until);
        }
        block(loop.steps);
        line("end");
    }
    void operator()(const Parallel& parallel) {
        std::string_view word = parallel.any ? "parallel until any ends" : "parallel";
        for (const Steps& branch : parallel.branches) {
            line(word);
            block(branch);
            word = "and";
        }
        line("end");
    }
    void operator()(const Label& label) {
        line("label ");
        append_name(out_, label.name);
    }

    // Steps that act.
    void operator()(const Send& send) {
        line(send.others.empty() ? "send " : "send first of ");
        append_name(out_, send.channel);
        for (const std::string& other : send.others) {
            out_ += ", ";
            append_name(out_, other);
        }
        out_ += ' ';
        append_string(out_, send.template_name);
        if (send.purpose) {
            out_ += " for ";
            append_name(out_, *send.purpose);
        }
        if (send.transactional)
            out_ += " as transactional";
        if (!send.preferring.keys.empty()) {
            out_ += " preferring ";
            append(out_, send.preferring);
        }
        print(send.with);
        print(send.failure);
    }
    void operator()(const SendNext& next) {
        line("send next of stream ");
        append_string(out_, next.stream);
        print(next.with);
    }
    void operator()(const Assign& assign) {
        line("assign ");
        append_name(out_, assign.attribute);
        append_string(out_ += " from ", assign.rota);
    }
    void operator()(const Do& action) {
        line("do ");
        append_string(out_, action.kind);
        print(action.with);
        print(action.failure);
    }
    void operator()(const Set& change) {
        line("set ");
        append_name(out_, change.attribute);
        out_ += " = ";
        print(change.value);
    }
    void operator()(const Clear& change) {
        line("clear ");
        append_name(out_, change.attribute);
    }
    void operator()(const Increment& change) {
        line("increment ");
        append_name(out_, change.attribute);
        if (change.by != micro_one)
            out_ += " by " + print_micro(change.by);
    }
    void operator()(const ChangeItems& change) {
        bool const remove = change.kind == ChangeItems::Kind::remove;
        line(remove ? "remove " : change.kind == ChangeItems::Kind::append ? "append " : "add ");
        print(change.value);
        out_ += remove ? " from " : " to ";
        append_name(out_, change.attribute);
    }
    void operator()(const ChangeList& change) {
        line(change.add ? "add to list " : "remove from list ");
        append_string(out_, change.list);
    }
    void operator()(const AdjustScore& change) {
        line("adjust score");
        if (change.topic) {
            out_ += '(';
            append_topic(out_, *change.topic);
            out_ += ')';
        }
        out_ += " by " + print_micro(change.points);
        if (!change.reason.empty()) {
            out_ += " for ";
            append_string(out_, change.reason);
        }
    }
    void operator()(const SetScore& change) {
        line(change.points ? "set score to " + print_micro(*change.points) : "reset score");
        if (!change.reason.empty()) {
            out_ += " for ";
            append_string(out_, change.reason);
        }
    }
    void operator()(const WithdrawConsent& refusal) {
        line("withdraw consent(");
        append_name(out_, refusal.channel);
        if (refusal.purpose) {
            out_ += ", ";
            append_name(out_, *refusal.purpose);
        }
        out_ += ')';
        if (!refusal.reason.empty()) {
            out_ += " for ";
            append_string(out_, refusal.reason);
        }
    }
    void operator()(const Emit& emitted) {
        line("emit ");
        append_name(out_, emitted.type);
        print(emitted.with);
    }
    void operator()(const StartWorkflow& start) {
        line("start workflow ");
        append_string(out_, start.workflow);
        print(start.with);
    }
    void operator()(const StopWorkflow& stop) {
        line("stop workflow ");
        append_string(out_, stop.workflow);
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

    void print(const ReentryPolicy& reentry) {
        if (reentry.kind == Reentry::never)
            return;
        line("re-enter ");
        switch (reentry.kind) {
        case Reentry::never:
        case Reentry::always:
            out_ += "always";
            break;
        case Reentry::after:
            out_ += "after ";
            append(out_, reentry.after);
            break;
        case Reentry::per_key:
        case Reentry::once_per_key:
            out_ += reentry.kind == Reentry::per_key ? "per " : "once per ";
            append(out_, reentry.key);
        }
        if (reentry.times != 0)
            out_ += " at most " + std::to_string(reentry.times) + " times";
        if (reentry.at_once != 0)
            out_ += " at most " + std::to_string(reentry.at_once) + " at once";
    }

    void print(const JourneyEvent& event) {
        append(out_, event.event);
        if (event.same) {
            out_ += " with same ";
            append(out_, *event.same);
        }
    }
    void print(const std::vector<Awaited>& awaited) {
        for (std::size_t i = 0; i < awaited.size(); ++i) {
            out_ += i == 0 ? "" : ", ";
            if (const auto* event = std::get_if<JourneyEvent>(&awaited[i]))
                print(*event);
            else
                print_awaited(*std::get<Box<Condition>>(awaited[i]));
        }
    }
    void print(const Goal& goal) {
        line("goal ");
        if (!goal.within.empty()) {
            out_ += "within ";
            append(out_, goal.within);
            out_ += ' ';
        }
        if (const auto* event = std::get_if<JourneyEvent>(&goal.what)) {
            out_ += "on ";
            print(*event);
        } else {
            out_ += "when ";
            append(out_, *std::get<Box<Condition>>(goal.what));
        }
        if (!goal.go_to.empty()) {
            out_ += " go to ";
            append_name(out_, goal.go_to);
        }
    }
    void print(const FailurePolicy& failure) {
        if (failure.retries != 0)
            out_ += " on failure retry " + std::to_string(failure.retries) + " times";
        if (failure.abort)
            out_ += failure.retries != 0 ? " then abort" : " on failure abort";
    }

    // Moments to wait for.
    void print(const UntilMoment& until) { append(out_, until.moment); }
    void print(const UntilDate& until) {
        if (!until.offset.empty()) {
            append(out_, until.offset);
            out_ += until.before ? " before " : " after ";
        }
        print_unlike_a_day(until.attribute, !until.offset.empty());
        append_at(out_, until.at);
    }
    void print(const UntilClock& until) {
        static constexpr std::string_view names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
        std::string days;
        if (until.days.kind == DayChoice::Kind::business_day) {
            days = "business day";
            if (until.days.calendar) {
                days += " of ";
                append_string(days, *until.days.calendar);
            }
        } else {
            for (std::size_t i = 0; i < 7; ++i)
                if ((until.days.weekdays >> i & 1) != 0)
                    days.append(days.empty() ? "" : " or ").append(names[i]);
        }
        out_ += days;
        if (!until.from)
            return;
        out_ += days.empty() ? "" : " ";
        if (until.to) {
            out_ += "between ";
            append_time_of_day(out_, *until.from);
            out_ += " and ";
            append_time_of_day(out_, *until.to);
        } else {
            out_ += days.empty() ? "" : "at ";
            append_time_of_day(out_, *until.from);
        }
    }
    // A date whose name is read as something else in its place is quoted.
    void print_unlike_a_day(const Path& path, bool after_offset) {
        static constexpr std::string_view taken[] = {"monday", "tuesday", "wednesday", "thursday", "friday",
                                                     "saturday", "sunday", "business"};
        std::string word = path.keys.front();
        for (char& c : word)
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        bool const quote = !after_offset && path.keys.size() == 1 && is_plain_name(path.keys.front()) &&
                           std::find(std::begin(taken), std::end(taken), word) != std::end(taken);
        out_ += quote ? "\"" : "";
        append(out_, path);
        out_ += quote ? "\"" : "";
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

    void print(const Argument& argument) { printing::append_argument(out_, argument); }
    void print(const std::vector<NamedArgument>& with) { printing::append_arguments(out_, with); }
};

} // namespace

std::string print(const Workflow& workflow) {
    return WorkflowPrinter().run(workflow);
}

} // namespace nurture::language
