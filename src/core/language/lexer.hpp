#pragma once
// Text to tokens. Keywords are recognised in any case; what a word means is the parser's to decide, since
// most keywords may also be names.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::language {

// Words of conditions over attributes, dates and membership.
#define NURTURE_CONDITION_KEYWORDS(X)                                                                        \
    X(now, "now", true)                                                                                      \
    X(ilike, "ilike", false)                                                                                 \
    X(contains, "contains", false)                                                                           \
    X(contain, "contain", false)                                                                             \
    X(starts, "starts", false)                                                                               \
    X(start, "start", false)                                                                                 \
    X(ends, "ends", false)                                                                                   \
    X(does, "does", false)                                                                                   \
    X(has, "has", false)                                                                                     \
    X(been, "been", false)                                                                                   \
    X(any, "any", false)                                                                                     \
    X(all, "all", false)                                                                                     \
    X(none_, "none", false)                                                                                  \
    X(value, "value", false)                                                                                 \
    X(empty, "empty", false)                                                                                 \
    X(from, "from", false)                                                                                   \
    X(ignoring, "ignoring", false)                                                                           \
    X(case_, "case", false)                                                                                  \
    X(accents, "accents", false)                                                                             \
    X(changed, "changed", false)                                                                             \
    X(items, "items", false)                                                                                 \
    X(domain, "domain", false)                                                                               \
    X(anniversary, "anniversary", false)                                                                     \
    X(year, "year", false)                                                                                   \
    X(quarter, "quarter", false)                                                                             \
    X(weekday, "weekday", false)                                                                             \
    X(minute, "minute", false)                                                                               \
    X(before, "before", false)                                                                               \
    X(today, "today", false)                                                                                 \
    X(yesterday, "yesterday", false)                                                                         \
    X(tomorrow, "tomorrow", false)                                                                           \
    X(this_, "this", false)                                                                                  \
    X(next, "next", false)                                                                                   \
    X(more, "more", false)                                                                                   \
    X(less, "less", false)                                                                                   \
    X(least, "least", false)                                                                                 \
    X(than, "than", false)                                                                                   \
    X(exactly, "exactly", false)                                                                             \
    X(ago, "ago", false)                                                                                     \
    X(ahead, "ahead", false)                                                                                 \
    X(the, "the", false)                                                                                     \
    X(past, "past", false)                                                                                   \
    X(future, "future", false)                                                                               \
    X(business, "business", false)                                                                           \
    X(weekend, "weekend", false)                                                                             \
    X(holiday, "holiday", false)                                                                             \
    X(contact, "contact", false)                                                                             \
    X(time, "time", false)                                                                                   \
    X(zone, "zone", false)                                                                                   \
    X(entered, "entered", false)                                                                             \
    X(left, "left", false)                                                                                   \
    X(was, "was", false)                                                                                     \
    X(list, "list", false)                                                                                   \
    X(excluded, "excluded", false)                                                                           \
    X(sample, "sample", false)                                                                               \
    X(percent, "percent", false)                                                                             \
    X(journey, "journey", false)                                                                             \
    X(completed, "completed", false)                                                                         \
    X(consent, "consent", false)

// Words of policies; consent is one, too.
#define NURTURE_POLICY_KEYWORDS(X)                                                                           \
    X(purpose, "purpose", false)                                                                             \
    X(workflow, "workflow", false)                                                                           \
    X(workflows, "workflows", false)                                                                         \
    X(require, "require", false)                                                                             \
    X(rolling, "rolling", false)                                                                             \
    X(channels, "channels", false)                                                                           \
    X(quiet, "quiet", false)                                                                                 \
    X(holidays, "holidays", false)                                                                           \
    X(rate, "rate", false)                                                                                   \
    X(second, "second", false)                                                                               \
    X(budget, "budget", false)                                                                               \
    X(priority, "priority", false)                                                                           \
    X(expire, "expire", false)                                                                               \
    X(stopped, "stopped", false)                                                                             \
    X(delay, "delay", false)                                                                                 \
    X(drop, "drop", false)                                                                                   \
    X(keep, "keep", false)                                                                                   \
    X(best, "best", false)

// Words of workflows beyond those they share.
#define NURTURE_WORKFLOW_KEYWORDS(X)                                                                         \
    X(until, "until", false)                                                                                 \
    X(switch_, "switch", false)                                                                              \
    X(split, "split", false)                                                                                 \
    X(experiment, "experiment", false)                                                                       \
    X(repeat, "repeat", false)                                                                               \
    X(again, "again", false)                                                                                 \
    X(parallel, "parallel", false)                                                                           \
    X(ranked, "ranked", false)                                                                               \
    X(renewed, "renewed", false)                                                                             \
    X(preferring, "preferring", false)                                                                       \
    X(reset, "reset", false)                                                                                 \
    X(withdraw, "withdraw", false)                                                                           \
    X(goal, "goal", false)                                                                                   \
    X(holdout, "holdout", false)                                                                             \
    X(stop, "stop", false)                                                                                   \
    X(clear, "clear", false)                                                                                 \
    X(increment, "increment", false)                                                                         \
    X(append, "append", false)                                                                               \
    X(add, "add", false)                                                                                     \
    X(remove, "remove", false)                                                                               \
    X(adjust, "adjust", false)                                                                               \
    X(emit, "emit", false)                                                                                   \
    X(label, "label", false)                                                                                 \
    X(go, "go", false)                                                                                       \
    X(abort, "abort", false)                                                                                 \
    X(retry, "retry", false)                                                                                 \
    X(skip, "skip", false)                                                                                   \
    X(failure, "failure", false)                                                                             \
    X(changing, "changing", false)                                                                           \
    X(setting, "setting", false)                                                                             \
    X(joining, "joining", false)                                                                             \
    X(finishing, "finishing", false)                                                                         \
    X(reaching, "reaching", false)                                                                           \
    X(step, "step", false)                                                                                   \
    X(schedule, "schedule", false)                                                                           \
    X(no, "no", false)                                                                                       \
    X(longer, "longer", false)                                                                               \
    X(rising, "rising", false)                                                                               \
    X(falling, "falling", false)                                                                             \
    X(below, "below", false)                                                                                 \
    X(date, "date", false)                                                                                   \
    X(attribute, "attribute", false)

// The words of the grammar; those marked true are reserved: as names they must be quoted.
#define NURTURE_KEYWORDS(X)                                                                                  \
    NURTURE_CONDITION_KEYWORDS(X)                                                                            \
    NURTURE_WORKFLOW_KEYWORDS(X)                                                                             \
    NURTURE_POLICY_KEYWORDS(X)                                                                               \
    X(and_, "and", true)                                                                                     \
    X(or_, "or", true)                                                                                       \
    X(not_, "not", true)                                                                                     \
    X(between, "between", true)                                                                              \
    X(in, "in", true)                                                                                        \
    X(like, "like", true)                                                                                    \
    X(is, "is", true)                                                                                        \
    X(did, "did", true)                                                                                      \
    X(where, "where", true)                                                                                  \
    X(within, "within", true)                                                                                \
    X(of, "of", true)                                                                                        \
    X(score, "score", true)                                                                                  \
    X(band, "band", true)                                                                                    \
    X(true_, "true", true)                                                                                   \
    X(false_, "false", true)                                                                                 \
    X(on, "on", true)                                                                                        \
    X(re_enter, "re-enter", true)                                                                            \
    X(half_life, "half-life", true)                                                                          \
    X(wait, "wait", true)                                                                                    \
    X(up, "up", true)                                                                                        \
    X(if_, "if", true)                                                                                       \
    X(then, "then", true)                                                                                    \
    X(elsif, "elsif", true)                                                                                  \
    X(else_, "else", true)                                                                                   \
    X(end, "end", true)                                                                                      \
    X(send, "send", true)                                                                                    \
    X(do_, "do", true)                                                                                       \
    X(set, "set", true)                                                                                      \
    X(exit, "exit", true)                                                                                    \
    X(count, "count", false)                                                                                 \
    X(sum, "sum", false)                                                                                     \
    X(distinct, "distinct", false)                                                                           \
    X(first, "first", false)                                                                                 \
    X(last, "last", false)                                                                                   \
    X(avg, "avg", false)                                                                                     \
    X(min, "min", false)                                                                                     \
    X(max, "max", false)                                                                                     \
    X(days, "days", false)                                                                                   \
    X(since, "since", false)                                                                                 \
    X(times, "times", false)                                                                                 \
    X(weeks, "weeks", false)                                                                                 \
    X(months, "months", false)                                                                               \
    X(increased, "increased", false)                                                                         \
    X(decreased, "decreased", false)                                                                         \
    X(by, "by", false)                                                                                       \
    X(without, "without", false)                                                                             \
    X(same, "same", false)                                                                                   \
    X(one, "one", false)                                                                                     \
    X(session, "session", false)                                                                             \
    X(sessions, "sessions", false)                                                                           \
    X(dwell, "dwell", false)                                                                                 \
    X(gap, "gap", false)                                                                                     \
    X(new_, "new", false)                                                                                    \
    X(returning, "returning", false)                                                                         \
    X(visitor, "visitor", false)                                                                             \
    X(longest, "longest", false)                                                                             \
    X(overall, "overall", false)                                                                             \
    X(entry, "entry", false)                                                                                 \
    X(event, "event", false)                                                                                 \
    X(segment, "segment", false)                                                                             \
    X(per, "per", false)                                                                                     \
    X(topic, "topic", false)                                                                                 \
    X(at, "at", false)                                                                                       \
    X(most, "most", false)                                                                                   \
    X(total, "total", false)                                                                                 \
    X(hour, "hour", false)                                                                                   \
    X(day, "day", false)                                                                                     \
    X(week, "week", false)                                                                                   \
    X(month, "month", false)                                                                                 \
    X(entering, "entering", false)                                                                           \
    X(leaving, "leaving", false)                                                                             \
    X(never, "never", false)                                                                                 \
    X(always, "always", false)                                                                               \
    X(after, "after", false)                                                                                 \
    X(when, "when", false)                                                                                   \
    X(for_, "for", false)                                                                                    \
    X(to, "to", false)                                                                                       \
    X(as, "as", false)                                                                                       \
    X(transactional, "transactional", false)                                                                 \
    X(while_, "while", false)                                                                                \
    X(every, "every", false)                                                                                 \
    X(fading, "fading", false)                                                                               \
    X(over, "over", false)                                                                                   \
    X(losing, "losing", false)                                                                               \
    X(expires, "expires", false)                                                                             \
    X(starting, "starting", false)                                                                           \
    X(floor, "floor", false)                                                                                 \
    X(ceiling, "ceiling", false)                                                                             \
    X(once, "once", false)                                                                                   \
    X(only, "only", false)                                                                                   \
    X(with, "with", false)

enum class Keyword : std::uint16_t {
    none,
#define NURTURE_KEYWORD(id, text, reserved) id,
    NURTURE_KEYWORDS(NURTURE_KEYWORD)
#undef NURTURE_KEYWORD
};

/// The keyword's spelling, lower case.
[[nodiscard]] std::string_view text_of(Keyword keyword) noexcept;
/// The keyword a word spells, in any case; none when it is none.
[[nodiscard]] Keyword keyword_of(std::string_view word) noexcept;
/// True when the keyword has to be quoted to be a name.
[[nodiscard]] bool is_reserved(Keyword keyword) noexcept;
/// True when the name lexes as one word that is free to be a name.
[[nodiscard]] bool is_plain_name(std::string_view name) noexcept;
/// True when the text lexes as one word, keyword or not.
[[nodiscard]] bool is_word(std::string_view text) noexcept;

enum class TokenKind : std::uint8_t {
    end,    ///< of the text
    word,   ///< keyword or unquoted name
    name,   ///< "quoted name"
    string, ///< 'text'
    number, ///< 12, 0.5: unsigned
    moment, ///< 2026-01-31, 2026-01-31T10:00:00Z
    symbol, ///< ( ) , . = != < <= > >= + -, and what other languages use for them
    bad,    ///< not a token at all; Lexed::error says why. Always followed by end
};

struct Token {
    TokenKind kind = TokenKind::end;
    Keyword keyword = Keyword::none;
    std::uint32_t from = 0, to = 0; ///< bytes of the text
};

struct LexicalError {
    std::string message, hint;
};

struct Lexed {
    std::vector<Token> tokens; ///< the last one is `end`
    std::optional<LexicalError> error;
};

/// Never throws but for want of memory: what cannot be read becomes a `bad` token, so that the parser reports
/// whatever goes wrong first.
[[nodiscard]] Lexed tokenize(std::string_view text);

/// The text between the quotes of a `name` or `string` token.
[[nodiscard]] std::string unquote(std::string_view quoted);

} // namespace nurture::language
