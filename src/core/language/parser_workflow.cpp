#include "core/language/parser.hpp"

#include <algorithm>

namespace nurture::language {

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
    return workflow;
}

bool Parser::header_line(Workflow& workflow, bool& reentry_given) {
    if (accept(Keyword::on)) {
        workflow.triggers.push_back(trigger());
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
    if (!at(Keyword::exit) || !(is(Keyword::on, 1) || is(Keyword::when, 1)))
        return false;
    advance();
    if (accept(Keyword::on)) {
        workflow.exit_on.push_back(event("an event type", Within::other));
    } else {
        advance();
        workflow.exit_when.push_back(disjunction());
    }
    return true;
}

Trigger Parser::trigger() {
    bool const change = is(Keyword::segment, 1) && (is(Keyword::entering) || is(Keyword::leaving));
    if (!change) {
        if (!is_name()) {
            note("entering segment", Keyword::entering);
            note("leaving segment", Keyword::leaving);
        }
        return OnEvent{event("an event type", Within::other)};
    }
    OnSegment out;
    out.entering = is(Keyword::entering);
    advance();
    advance();
    out.offset.byte = token().from;
    out.segment = string("the name of a segment in single quotes");
    return out;
}

ReentryPolicy Parser::reentry() {
    if (accept(Keyword::never))
        return {Reentry::never, {}};
    if (accept(Keyword::always))
        return {Reentry::always, {}};
    require(Keyword::after);
    return {Reentry::after, duration()};
}

Steps Parser::steps() {
    Steps out;
    Step next;
    while (step(next)) {
        if (!out.empty() && std::holds_alternative<Exit>(out.back()->node))
            fail_at(next.offset.byte, "the steps after \"exit\" are never reached");
        out.emplace_back(std::move(next));
        next = Step{};
    }
    return out;
}

// The steps after a `then` or `else`; at least one.
Steps Parser::block(Keyword opener) {
    Level const level(*this);
    Steps out = steps();
    if (out.empty())
        fail("\"" + std::string(text_of(opener)) + "\" is followed by at least one step.");
    return out;
}

bool Parser::step(Step& out) {
    std::uint32_t const from = token().from;
    out.offset.byte = from;
    if (at(Keyword::wait)) {
        wait_step(out);
    } else if (at(Keyword::send)) {
        advance();
        out.node = send();
    } else if (accept(Keyword::do_)) {
        Do action;
        action.kind = string("a kind of action in single quotes");
        if (accept(Keyword::with))
            action.with = arguments();
        out.node = std::move(action);
    } else if (accept(Keyword::set)) {
        Set change;
        change.attribute = name("a name");
        require("=");
        change.value = argument();
        out.node = std::move(change);
    } else if (at(Keyword::if_)) {
        if_step(out);
    } else if (accept(Keyword::exit)) {
        out.node = Exit{};
    } else {
        return false;
    }
    count_term();
    return true;
}

void Parser::wait_step(Step& out) {
    std::uint32_t const from = token().from;
    advance();
    if (accept(Keyword::for_))
        wait_for(out, from);
    else
        out.node = Wait{duration()};
}

void Parser::wait_for(Step& out, std::uint32_t from) {
    WaitFor wait;
    std::size_t const after = is(Keyword::any) && is(Keyword::event, 1) ? 2 : 1;
    bool const is_event = is_name() && (is(Keyword::where, after) || is(Keyword::up, after));
    if (!is_event && !is_name())
        note("an event type");
    if (is_event) {
        wait.what = event("an event type", Within::other);
    } else {
        std::size_t const before = at_;
        wait.what = disjunction();
        if (at_ == before + 1)
            note("where", Keyword::where); // a single name may also be an event type
    }
    require(Keyword::up, "Say how long to wait at most: wait for ... up to 1 day.");
    require(Keyword::to);
    wait.up_to = duration();
    if (accept(Keyword::then)) {
        open("wait for", from);
        // `then else`: only the case that it did not happen matters.
        if (!is(Keyword::else_))
            wait.then_steps = block(Keyword::then);
        if (accept(Keyword::else_))
            wait.else_steps = block(Keyword::else_);
        require(Keyword::end);
        close();
    }
    out.node = std::move(wait);
}

void Parser::if_step(Step& out) {
    open("if", token().from);
    advance();
    If choice;
    do {
        Box<Condition> condition = disjunction();
        require(Keyword::then);
        choice.branches.push_back({std::move(condition), block(Keyword::then)});
    } while (accept(Keyword::elsif));
    if (accept(Keyword::else_))
        choice.else_steps = block(Keyword::else_);
    require(Keyword::end);
    close();
    out.node = std::move(choice);
}

Send Parser::send() {
    Send out;
    out.channel = name("a channel");
    out.template_name = string("the name of a template in single quotes");
    bool with = false;
    for (;;) {
        std::uint32_t const from = token().from;
        std::string const word(text_at());
        auto const once = [&](bool given) {
            if (given)
                fail_at(from, "\"" + word + "\" is given twice");
        };
        if (accept(Keyword::for_)) {
            once(out.purpose.has_value());
            out.purpose = name("a purpose");
        } else if (accept(Keyword::as)) {
            once(out.transactional);
            require(Keyword::transactional);
            out.transactional = true;
        } else if (accept(Keyword::with)) {
            once(with);
            with = true;
            out.with = arguments();
        } else {
            return out;
        }
    }
}

// (name = argument, …)
std::vector<NamedArgument> Parser::arguments() {
    std::vector<NamedArgument> out;
    open("(", token().from);
    require("(");
    do {
        std::uint32_t const from = token().from;
        NamedArgument next;
        next.name = name("a name");
        bool const twice = std::any_of(out.begin(), out.end(),
                                       [&](const NamedArgument& other) { return other.name == next.name; });
        if (twice)
            fail_at(from, "\"" + next.name + "\" is given twice");
        require("=");
        next.value = argument();
        out.push_back(std::move(next));
    } while (accept(","));
    require(")");
    close();
    return out;
}

Argument Parser::argument() {
    if (is_name())
        return path("");
    if (!starts_literal() && !is(Keyword::true_) && !is(Keyword::false_))
        note("an attribute");
    return literal();
}

} // namespace nurture::language
