// Streams: their contents; what workflows and conditions say of streams, coupon pools and rotas.
#include "core/language/parser.hpp"

#include <algorithm>

namespace nurture::language {

namespace {
constexpr std::string_view stream_expected = "the name of a stream in single quotes";
} // namespace

Stream Parser::whole_stream() {
    Stream out;
    do {
        std::uint32_t const from = token().from;
        StreamContent next = stream_content();
        if (std::any_of(out.contents.begin(), out.contents.end(), [&](const StreamContent& other) {
                return other.channel == next.channel && other.template_name == next.template_name;
            }))
            fail_at(from,
                    print_name(next.channel) + ' ' + print_string(next.template_name) + " is given twice");
        out.contents.push_back(std::move(next));
        count_term();
    } while (is_name());
    end_of_text();
    return out;
}

StreamContent Parser::stream_content() {
    StreamContent out;
    out.channel = name("a channel");
    out.template_name = string("the name of a template in single quotes");
    // A channel may have such a name: then a template follows.
    auto const begins = [&](Keyword keyword) { return token(1).kind != TokenKind::string && accept(keyword); };
    if (begins(Keyword::for_))
        out.purpose = name("a purpose");
    auto const bound = [&](Keyword keyword, std::optional<Moment>& end) {
        if (!begins(keyword))
            return;
        if (token().kind != TokenKind::moment) {
            note("a date or time");
            fail();
        }
        end = moment();
    };
    bound(Keyword::from, out.from);
    bound(Keyword::until, out.until);
    return out;
}

// send next of stream 's' [with (…)]
bool Parser::send_next(Step& out) {
    if (!is(Keyword::next, 1) || !is(Keyword::of, 2))
        return false;
    for (int i = 0; i < 3; ++i)
        advance();
    SendNext next;
    if (text_at() != "stream") {
        note("\"stream\"");
        fail();
    }
    advance();
    next.offset.byte = token().from;
    next.stream = string(stream_expected);
    if (accept(Keyword::with))
        next.with = sent_arguments();
    out.node = std::move(next);
    return true;
}

// assign owner from 'rota'
bool Parser::assign_step(Step& out) {
    if (text_at() != "assign" || !is(Keyword::from, 2))
        return false;
    advance();
    Assign assign;
    assign.attribute = name("an attribute");
    require(Keyword::from);
    assign.offset.byte = token().from;
    assign.rota = string("the name of a rota in single quotes");
    out.node = std::move(assign);
    return true;
}

// stream 's' is [not] exhausted
bool Parser::stream_test(Condition& out) {
    if (text_at() != "stream" || token(1).kind != TokenKind::string)
        return false;
    not_in_where("a stream");
    advance();
    Exhausted test;
    test.offset.byte = token().from;
    test.stream = string(stream_expected);
    require(Keyword::is);
    test.negated = accept(Keyword::not_);
    if (text_at() != "exhausted") {
        note("\"exhausted\"");
        fail();
    }
    advance();
    out.node = std::move(test);
    return true;
}

// What a message is given: also what it gets only when it is claimed.
std::vector<NamedArgument> Parser::sent_arguments() {
    coupons_ = true;
    auto out = arguments();
    coupons_ = false;
    return out;
}

// coupon('pool')
bool Parser::coupon(Argument& out) {
    if (text_at() != "coupon" || !is("(", 1))
        return false;
    if (!coupons_)
        fail_at(token().from, "codes are given out with messages only",
                "Say: send email 'template' with (code = coupon('pool')).");
    advance();
    open("(", token().from);
    require("(");
    Coupon coupon;
    coupon.offset.byte = token().from;
    coupon.pool = string("the name of a coupon pool in single quotes");
    require(")");
    close();
    out = std::move(coupon);
    return true;
}

Stream parse_stream(std::string_view text, const Limits& limits) {
    return Parser(text, limits).whole_stream();
}

} // namespace nurture::language
