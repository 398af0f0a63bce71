// The header of a workflow: what starts, ends and holds it. Triggers are in parser_trigger.cpp, steps in parser_step.cpp.
#include "core/language/blocks.hpp"
#include "core/language/parser.hpp"

#include <algorithm>
#include <set>

namespace nurture::language {

namespace {

// The labels of the steps, those of blocks too.
void collect_labels(const Steps& steps, std::vector<std::string>& out) {
    for (const auto& step : steps) {
        if (const auto* label = std::get_if<Label>(&step->node))
            out.push_back(label->name);
        for_blocks(*step, [&](const Steps& block) { collect_labels(block, out); });
    }
}

} // namespace

Workflow Parser::whole_workflow() {
    Workflow workflow;
    bool reentry_given = false;
    while (header_line(workflow, reentry_given)) {
    }
    in_steps_ = true;
    workflow.steps = steps();
    if (workflow.steps.empty())
        fail(token().kind == TokenKind::end ? "A workflow has at least one step." : "");
    end_of_text();
    std::vector<std::string> labels;
    collect_labels(workflow.steps, labels);
    for (const Goal& goal : workflow.goals)
        if (!goal.go_to.empty() && std::find(labels.begin(), labels.end(), goal.go_to) == labels.end())
            fail_at(goal.offset.byte, "there is no step \"label " + goal.go_to + "\"",
                    labels.empty() ? "A label is a step: label " + goal.go_to + ". Inside \"repeat\" there are none."
                                   : suggest(goal.go_to, labels));
    return workflow;
}

// Two words that begin a line together; each alone may be a name.
bool Parser::at_two(Keyword first, Keyword second, std::string_view both) {
    if (is(first) && is(second, 1))
        return true;
    note(both, first);
    return false;
}

bool Parser::header_line(Workflow& workflow, bool& reentry_given) {
    if (accept(Keyword::on)) {
        workflow.triggers.push_back(trigger());
        return true;
    }
    if (is(Keyword::when)) {
        advance();
        OnCondition on;
        if (is(Keyword::no) && is(Keyword::longer, 1)) {
            advance();
            advance();
            on.ends = true;
        }
        on.condition = disjunction();
        workflow.triggers.push_back(std::move(on));
        return true;
    }
    if (at(Keyword::re_enter)) {
        if (reentry_given)
            fail_at(token().from, "\"re-enter\" is given twice");
        reentry_given = true;
        advance();
        workflow.reentry = reentry();
        return true;
    }
    if (is(Keyword::goal) && (is(Keyword::within, 1) || is(Keyword::on, 1) || is(Keyword::when, 1))) {
        if (workflow.goals.size() == 32)
            fail_at(token().from, "a workflow has at most 32 goals");
        advance();
        workflow.goals.push_back(goal());
        return true;
    }
    if (is(Keyword::holdout)) {
        if (workflow.holdout || workflow.no_holdout)
            fail_at(token().from, "\"holdout\" is given twice");
        advance();
        if (accept(Keyword::none_)) {
            workflow.no_holdout = true;
            return true;
        }
        Holdout holdout;
        std::uint32_t const from = token().from;
        holdout.percent = number(false);
        if (holdout.percent > 100 * micro_one)
            fail_at(from, "a percentage is at most 100");
        require(Keyword::percent);
        holdout.salt = string("a salt in single quotes");
        workflow.holdout = std::move(holdout);
        return true;
    }
    if (!at(Keyword::exit) || !(is(Keyword::on, 1) || is(Keyword::when, 1)))
        return false;
    advance();
    if (accept(Keyword::on)) {
        workflow.exit_on.push_back(journey_event());
    } else {
        advance();
        workflow.exit_when.push_back(disjunction());
    }
    return true;
}

ReentryPolicy Parser::reentry() {
    ReentryPolicy out;
    if (accept(Keyword::never))
        return out;
    if (accept(Keyword::always)) {
        out.kind = Reentry::always;
    } else if (accept(Keyword::once)) {
        require(Keyword::per);
        out.kind = Reentry::once_per_key;
        out.key = path("a property of the event");
    } else if (accept(Keyword::per)) {
        out.kind = Reentry::per_key;
        out.key = path("a property of the event");
    } else {
        require(Keyword::after);
        out.kind = Reentry::after;
        out.after = duration();
    }
    while (is(Keyword::at) && is(Keyword::most, 1)) {
        advance();
        advance();
        std::uint32_t const from = token().from;
        std::int64_t const n = whole_number("a whole number");
        if (n < 1 || n > 1'000'000)
            fail_at(from, "a limit is a number from 1 to 1000000");
        bool const at_once = is(Keyword::at) && is(Keyword::once, 1);
        if (at_once) {
            advance();
            advance();
        } else if (!accept(Keyword::times)) {
            note("at once", Keyword::at);
            fail();
        }
        std::int64_t& limit = at_once ? out.at_once : out.times;
        if (limit != 0)
            fail_at(from, "the limit is given twice");
        if (at_once && out.kind == Reentry::after)
            fail_at(from, "\"re-enter after\" allows one journey at a time");
        limit = n;
    }
    return out;
}

Goal Parser::goal() {
    Goal out;
    if (accept(Keyword::within))
        out.within = duration();
    if (accept(Keyword::on)) {
        out.what = journey_event();
    } else {
        require(Keyword::when);
        out.what = disjunction();
    }
    if (is(Keyword::go) && is(Keyword::to, 1)) {
        advance();
        advance();
        out.offset.byte = token().from;
        out.go_to = name("a label");
    }
    return out;
}

// E [where …] [with same p]
JourneyEvent Parser::journey_event() {
    JourneyEvent out;
    out.event = event("an event type", Within::other);
    if (is(Keyword::with) && is(Keyword::same, 1)) {
        advance();
        advance();
        out.same = path("a property of both events");
    }
    return out;
}

} // namespace nurture::language
