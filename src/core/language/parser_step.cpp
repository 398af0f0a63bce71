// The steps of a workflow. Those that wait are in parser_wait.cpp.
#include "core/language/parser.hpp"

#include <algorithm>

namespace nurture::language {

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

// Words that begin a step though they may be names, too.
bool Parser::names_step(std::size_t after) const noexcept {
    for (Keyword const word : {Keyword::switch_, Keyword::split, Keyword::experiment, Keyword::repeat, Keyword::clear, Keyword::increment,
                               Keyword::adjust, Keyword::emit, Keyword::start, Keyword::stop, Keyword::label, Keyword::append,
                               Keyword::remove, Keyword::add, Keyword::parallel, Keyword::reset, Keyword::withdraw})
        if (is(word, after))
            return true;
    return text_at(after) == "assign" && is(Keyword::from, after + 2);
}

bool Parser::step(Step& out) {
    out.offset.byte = token().from;
    if (at(Keyword::wait)) {
        wait_step(out);
    } else if (at(Keyword::send)) {
        if (!send_next(out)) {
            advance();
            out.node = send();
        }
    } else if (accept(Keyword::do_)) {
        Do action;
        action.kind = string("a kind of action in single quotes");
        if (accept(Keyword::with))
            action.with = sent_arguments();
        action.failure = on_failure();
        out.node = std::move(action);
    } else if (is(Keyword::set) && is(Keyword::score, 1)) {
        out.node = set_score();
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
    } else if (at(Keyword::switch_)) {
        switch_step(out);
    } else if (at(Keyword::split) || at(Keyword::experiment)) {
        split_step(out);
    } else if (at(Keyword::repeat)) {
        repeat_step(out);
    } else if (at(Keyword::parallel)) {
        parallel_step(out);
    } else if (!acting_step(out)) {
        return false;
    }
    count_term();
    return true;
}

bool Parser::acting_step(Step& out) {
    if (accept(Keyword::clear)) {
        out.node = Clear{name("an attribute")};
    } else if (accept(Keyword::increment)) {
        Increment change;
        change.attribute = name("an attribute");
        if (accept(Keyword::by))
            change.by = signed_number("a number");
        out.node = std::move(change);
    } else if (accept(Keyword::adjust)) {
        AdjustScore change;
        if (!at(Keyword::score))
            fail();
        auto [topic, offset] = word_of_topic();
        change.topic = std::move(topic);
        change.offset = offset;
        require(Keyword::by);
        change.points = signed_number("a number of points");
        if (accept(Keyword::for_))
            change.reason = string("a reason in single quotes");
        out.node = std::move(change);
    } else if (at(Keyword::reset)) {
        out.node = set_score();
    } else if (at_two(Keyword::withdraw, Keyword::consent, "withdraw consent")) {
        out.node = withdraw_consent();
    } else if (accept(Keyword::emit)) {
        Emit emitted;
        std::uint32_t const from = token().from;
        emitted.type = name("an event type");
        if (emitted.type.front() == '$')
            fail_at(from, "names that begin with \"$\" are nurture's own", "Give the event a name of its own.");
        if (accept(Keyword::with))
            emitted.with = arguments();
        out.node = std::move(emitted);
    } else if (at_two(Keyword::start, Keyword::workflow, "start workflow")) {
        advance();
        advance();
        StartWorkflow start;
        start.offset.byte = token().from;
        start.workflow = string("the name of a workflow in single quotes");
        if (accept(Keyword::with))
            start.with = arguments();
        out.node = std::move(start);
    } else if (at_two(Keyword::stop, Keyword::workflow, "stop workflow")) {
        advance();
        advance();
        StopWorkflow stop;
        stop.offset.byte = token().from;
        stop.workflow = string("the name of a workflow in single quotes");
        out.node = std::move(stop);
    } else if (accept(Keyword::label)) {
        std::uint32_t const from = token().from;
        out.node = Label{name("a label")};
        if (repeats_ > 0)
            fail_at(from, "there are no labels inside \"repeat\"");
        if (parallels_ > 0)
            fail_at(from, "there are no labels inside \"parallel\"", "A goal leads the whole journey, with all its branches.");
    } else {
        return list_step(out) || items_step(out) || assign_step(out);
    }
    return true;
}

// set score to 50 [for 'reason'], reset score [for 'reason']
SetScore Parser::set_score() {
    SetScore out;
    bool const set = is(Keyword::set);
    advance();
    if (!at(Keyword::score))
        fail();
    advance();
    if (is("("))
        fail_at(token().from, "only the whole score is set or reset", "A topic is moved by points: adjust score(pricing) by -20.");
    if (set) {
        require(Keyword::to);
        out.points = signed_number("a number of points");
    }
    if (accept(Keyword::for_))
        out.reason = string("a reason in single quotes");
    return out;
}

// withdraw consent(channel [, purpose]) [for 'reason']
WithdrawConsent Parser::withdraw_consent() {
    WithdrawConsent out;
    advance();
    advance();
    open("(", token().from);
    require("(");
    out.channel = name("a channel");
    if (accept(","))
        out.purpose = name("a purpose");
    require(")");
    close();
    if (accept(Keyword::for_))
        out.reason = string("a reason in single quotes");
    return out;
}

// add to list 'l', remove from list 'l'
bool Parser::list_step(Step& out) {
    bool const add = is(Keyword::add) && is(Keyword::to, 1) && is(Keyword::list, 2);
    if (!add && !(is(Keyword::remove) && is(Keyword::from, 1) && is(Keyword::list, 2)))
        return false;
    for (int i = 0; i < 3; ++i)
        advance();
    ChangeList change;
    change.add = add;
    change.offset.byte = token().from;
    change.list = string("the name of a list in single quotes");
    out.node = std::move(change);
    return true;
}

// append 'x' to a, add 'x' to a, remove 'x' from a; add tag 'x', remove tag 'x'
bool Parser::items_step(Step& out) {
    bool const append = at(Keyword::append);
    bool const remove = !append && at(Keyword::remove);
    if (!append && !remove && !at(Keyword::add))
        return false;
    ChangeItems change;
    change.kind = append ? ChangeItems::Kind::append : remove ? ChangeItems::Kind::remove : ChangeItems::Kind::add;
    advance();
    if (!append && text_at() == "tag" && token(1).kind == TokenKind::string) {
        advance();
        change.value = literal();
        change.attribute = "tags";
    } else {
        change.value = argument();
        require(remove ? Keyword::from : Keyword::to);
        change.attribute = name("an attribute");
    }
    out.node = std::move(change);
    return true;
}

// --- choosing ---------------------------------------------------------------------------------------------------

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

void Parser::switch_step(Step& out) {
    open("switch", token().from);
    advance();
    Switch choice;
    choice.of = operand();
    do {
        require(Keyword::when);
        Case next;
        do {
            next.values.push_back(value_for(choice.of));
            count_term();
        } while (accept(","));
        require(Keyword::then);
        next.steps = block(Keyword::then);
        choice.cases.push_back(std::move(next));
    } while (at(Keyword::when));
    if (accept(Keyword::else_))
        choice.else_steps = block(Keyword::else_);
    require(Keyword::end);
    close();
    out.node = std::move(choice);
}

void Parser::split_step(Step& out) {
    Split split;
    split.experiment = is(Keyword::experiment);
    open(split.experiment ? "experiment" : "split", token().from);
    advance();
    if (is(Keyword::again) && split.experiment)
        fail_at(token().from, "in an experiment everybody stays in one arm", "A split may be thrown anew: split again 50 a ... 50 b ... end.");
    split.again = !split.experiment && accept(Keyword::again);
    if (split.experiment || token().kind == TokenKind::string)
        split.salt = string("the name of the experiment in single quotes");
    if (split.experiment && split.salt.empty())
        fail("An experiment has a name.");
    do {
        std::uint32_t const from = token().from;
        Arm arm;
        arm.weight = number(false);
        if (arm.weight == 0 || arm.weight > 1'000'000 * micro_one)
            fail_at(from, "a weight is more than 0 and at most 1000000");
        (void)accept(Keyword::percent);
        std::uint32_t const named = token().from;
        arm.name = name("a name for the arm");
        for (const Arm& other : split.arms)
            if (other.name == arm.name)
                fail_at(named, "\"" + arm.name + "\" is given twice");
        Level const level(*this);
        ++arms_;
        arm.steps = steps();
        --arms_;
        count_term();
        split.arms.push_back(std::move(arm));
    } while (token().kind == TokenKind::number);
    if (split.arms.size() < 2) {
        note("a weight");
        fail("There are at least two arms: split 50 a ... 50 b ... end.");
    }
    note("a weight");
    require(Keyword::end);
    close();
    out.node = std::move(split);
}

void Parser::repeat_step(Step& out) {
    open("repeat", token().from);
    advance();
    Repeat loop;
    if (accept(Keyword::at)) {
        require(Keyword::most);
        std::uint32_t const from = token().from;
        loop.at_most = whole_number("a whole number");
        if (loop.at_most < 1 || loop.at_most > 1'000'000)
            fail_at(from, "steps are repeated from 1 to 1000000 times");
        (void)accept(Keyword::times);
    }
    if (accept(Keyword::until))
        loop.until = disjunction();
    ++repeats_;
    loop.steps = block(Keyword::repeat);
    --repeats_;
    require(Keyword::end);
    close();
    out.node = std::move(loop);
}

// parallel [until any ends|until all end] … and … [and …] end
void Parser::parallel_step(Step& out) {
    constexpr std::size_t most_branches = 32;
    std::uint32_t const from = token().from;
    open("parallel", from);
    advance();
    Parallel parallel;
    if (accept(Keyword::until)) {
        parallel.any = accept(Keyword::any);
        if (parallel.any) {
            require(Keyword::ends);
        } else {
            require(Keyword::all);
            require(Keyword::end);
        }
    }
    if (parallels_ == branches_deep)
        fail_at(from, "branches nest at most " + std::to_string(branches_deep) + " deep");
    ++parallels_;
    do {
        if (parallel.branches.size() == most_branches)
            fail_at(token().from, "there are at most " + std::to_string(most_branches) + " branches");
        parallel.branches.push_back(block(parallel.branches.empty() ? Keyword::parallel : Keyword::and_));
    } while (accept(Keyword::and_));
    --parallels_;
    if (parallel.branches.size() < 2)
        fail("There are at least two branches: parallel ... and ... end.");
    require(Keyword::end);
    close();
    out.node = std::move(parallel);
}

// --- acting -----------------------------------------------------------------------------------------------------

Send Parser::send() {
    Send out;
    bool const choose = is(Keyword::first) && is(Keyword::of, 1);
    if (choose) {
        advance();
        advance();
    }
    out.channel = name("a channel");
    while (choose && accept(",")) {
        std::uint32_t const from = token().from;
        std::string other = name("a channel");
        if (other == out.channel || std::find(out.others.begin(), out.others.end(), other) != out.others.end())
            fail_at(from, "\"" + other + "\" is given twice");
        out.others.push_back(std::move(other));
    }
    if (choose && out.others.empty())
        fail("There are at least two channels: send first of email, sms 'hello'.");
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
            out.with = sent_arguments();
        } else if (choose && accept(Keyword::preferring)) {
            once(!out.preferring.keys.empty());
            out.preferring = path("an attribute that names a channel");
        } else {
            break;
        }
    }
    out.failure = on_failure();
    return out;
}

// on failure [retry n times] [[then] abort]|skip
FailurePolicy Parser::on_failure() {
    FailurePolicy out;
    if (!is(Keyword::on) || !is(Keyword::failure, 1))
        return out;
    advance();
    advance();
    if (is(Keyword::skip)) { // what holds anyway
        advance();
        return out;
    }
    if (accept(Keyword::retry)) {
        std::uint32_t const from = token().from;
        out.retries = whole_number("a whole number");
        if (out.retries < 1 || out.retries > 100)
            fail_at(from, "an action is made anew from 1 to 100 times");
        require(Keyword::times);
        if (!is(Keyword::then) || !is(Keyword::abort, 1))
            return out;
        advance();
    } else if (!at(Keyword::abort)) {
        note("skip", Keyword::skip);
        fail();
    }
    advance();
    out.abort = true;
    return out;
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
    if (Argument drawn; coupon(drawn))
        return drawn;
    if (is_name())
        return path("");
    if (!starts_literal() && !is(Keyword::true_) && !is(Keyword::false_))
        note("an attribute");
    return literal();
}

} // namespace nurture::language
