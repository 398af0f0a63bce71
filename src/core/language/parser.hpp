#pragma once
// Recursive descent over the tokens, without backtracking: at every token the alternatives that were tried
// are noted, so an error names everything that was expected. See docs/decisions/0001-recursive-descent.md.
#include "core/base/error.hpp"
#include "core/language/language.hpp"
#include "core/language/lexer.hpp"
#include "core/language/policy.hpp"
#include "core/language/stream.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nurture::language {

class Parser {
public:
    Parser(std::string_view text, const Limits& limits);

    /// Each reads the whole text.
    Rule whole_rule();
    Condition whole_condition();
    Workflow whole_workflow();
    Policy whole_policy();
    Stream whole_stream();
    Duration whole_duration();

private:
    std::string_view text_;
    Limits limits_;
    Lexed lexed_;
    std::size_t at_ = 0; // the current token
    std::size_t depth_ = 0, terms_ = 0;

    struct Expectation {
        std::string_view text;
        Keyword keyword; // none: a description
        bool quiet = false; // for guesses at misspelt words only
    };
    std::vector<Expectation> expected_; // at the current token

    struct Opened {
        std::uint32_t from;
        std::string_view what; // "(", "if", "wait for"
    };
    std::vector<Opened> opened_;

    // What `where` belongs to, while inside it: nothing but properties of that event may be used there.
    enum class Within { nothing, did, other };
    Within where_ = Within::nothing;
    bool in_steps_ = false;
    int repeats_ = 0, arms_ = 0, parallels_ = 0; // around the current step
    bool coupons_ = false;       // what is given to a message

    /// One level of nesting for as long as it lives.
    class Level {
    public:
        explicit Level(Parser& parser, std::size_t levels = 1);
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
        ~Level() { parser_.depth_ -= levels_; }

    private:
        Parser& parser_;
        std::size_t levels_;
    };

    // --- the cursor (parser.cpp)
    [[nodiscard]] const Token& token(std::size_t ahead = 0) const noexcept;
    [[nodiscard]] std::string_view text_at(std::size_t ahead = 0) const noexcept;
    [[nodiscard]] bool is(Keyword keyword, std::size_t ahead = 0) const noexcept;
    [[nodiscard]] bool is(std::string_view symbol, std::size_t ahead = 0) const noexcept;
    [[nodiscard]] bool is_name(std::size_t ahead = 0) const noexcept;
    [[nodiscard]] bool starts_literal() const noexcept;
    void advance();
    void note(std::string_view expectation, Keyword keyword = Keyword::none);
    void note_quietly(std::initializer_list<Keyword> keywords);
    bool at(Keyword keyword);
    bool at(std::string_view symbol);
    bool accept(Keyword keyword);
    bool accept(std::string_view symbol);
    void require(Keyword keyword, std::string hint = {});
    void require(std::string_view symbol, std::string hint = {});
    std::string name(std::string_view expectation);
    std::string string(std::string_view expectation);
    void open(std::string_view what, std::uint32_t from);
    void close() { opened_.pop_back(); }
    void count_term();
    void end_of_text();

    // --- errors (parser_errors.cpp)
    [[noreturn]] void fail(std::string hint = {});
    [[noreturn]] void fail_at(std::size_t offset, const std::string& what, std::string hint = {});
    [[noreturn]] void too_large(const std::string& what);
    [[nodiscard]] std::string found() const;
    [[nodiscard]] std::string expectations() const;
    [[nodiscard]] std::string guess_hint() const;
    [[nodiscard]] std::string near_keyword() const;
    [[nodiscard]] std::string symbol_hint() const;
    [[nodiscard]] std::string never_closed() const;
    [[nodiscard]] std::string place(std::size_t offset) const;
    [[nodiscard]] bool expects(std::string_view expectation) const;
    [[noreturn]] void fail_behaviour_in_where();
    [[noreturn]] void fail_literal_on_the_left();

    // --- literals (parser_literals.cpp)
    std::int64_t whole_number(std::string_view expectation);
    Micro number(bool negative);
    Literal literal();
    Moment moment();
    Duration duration();
    Path path(std::string_view expectation);

    // --- conditions (parser_condition.cpp). Boxes keep the frames of the recursion small.
    Box<Condition> disjunction();
    Box<Condition> conjunction();
    Box<Condition> negation();
    Box<Condition> primary();
    Box<Condition> predicate();
    Condition comparison();
    Box<Condition> where(Within owner);
    EventPattern event(std::string_view expectation, Within owner);
    Operand operand();
    std::pair<std::optional<std::string>, Offset> word_of_topic();
    Operand score();
    Operand band();
    std::string topic();
    bool range_test(Condition& condition, Operand& left);

    // --- attributes (parser_attribute.cpp)
    bool attribute_test(Condition& out, Operand& left);
    bool text_test(Condition& out, Operand& left);
    bool items_test(Condition& out, Operand& left);
    void history_test(Condition& out, Operand& left);
    void is_test(Condition& out, Operand& left);
    Comparand comparand();
    Path value_of();
    std::vector<Literal> literals();
    void ignoring(Condition& out);
    Path function_path();
    bool attribute_function(Operand& out);
    [[noreturn]] void fail_unknown_function();

    // --- dates (parser_date.cpp)
    bool date_function(Operand& out);
    bool date_test(Condition& out, Operand& left);
    bool is_date_test(Condition& out, Operand& left, bool negated);
    bool span_test(Condition& out, Operand& left);
    bool exactly_before(Condition& out);
    bool calendar_unit(CalendarUnit& out, std::size_t ahead) const;
    ZoneChoice zone();
    void not_in_where(std::string_view what);
    bool amount_of_time(bool& at_least);

    // --- membership (parser_membership.cpp)
    bool membership(Condition& out);
    Condition segment_or_journey();
    bool consent(Operand& out);

    // --- behaviour (parser_behaviour.cpp)
    Condition did();
    Operand behaviour();
    Operand aggregate(Keyword which);
    EventPattern event_or_any(std::string_view expectation);
    Window window();
    Bound bound();
    bool times(Condition& out, const EventPattern& pattern);
    Regularly regularly(EventPattern pattern);
    bool trend(Condition& out, Operand& left);
    Literal value_for(const Operand& left);
    [[nodiscard]] bool begins_behaviour() const noexcept;
    void end_of_call();
    Duration session_gap();
    Condition in_session();
    bool visitor(Condition& out);

    // --- sequences (parser_sequence.cpp)
    Sequence sequence(EventPattern first, bool bracketed);
    SequenceStep sequence_step(Sequence& sequence);
    bool sequence_option(Sequence& sequence);
    [[nodiscard]] bool sequence_allowed() const noexcept;
    [[nodiscard]] bool begins_sequence() const noexcept;

    // --- rules (parser_rule.cpp)
    void rule_points(Rule& rule);
    void rule_subject(Rule& rule);
    bool rule_clause(Rule& rule);
    void check_rule(const Rule& rule);
    Cap cap();
    Fading fading(Keyword kind);
    PointsTable points_table();
    void once(Rule& rule);
    Micro signed_number(std::string_view expectation);
    Duration exact_duration(std::string_view what);

    // --- workflows: header (parser_workflow.cpp), triggers (parser_trigger.cpp)
    bool header_line(Workflow& workflow, bool& reentry_given);
    bool at_two(Keyword first, Keyword second, std::string_view both);
    Trigger trigger();
    bool change_trigger(Trigger& out);
    bool journey_trigger(Trigger& out);
    bool date_trigger(Trigger& out);
    bool crossing_trigger(Trigger& out);
    OnSchedule schedule();
    ReentryPolicy reentry();
    Goal goal();
    JourneyEvent journey_event();
    Awaited awaited();

    // --- steps (parser_step.cpp)
    Steps steps();
    Steps block(Keyword opener);
    bool step(Step& out);
    bool acting_step(Step& out);
    [[nodiscard]] bool names_step(std::size_t after) const noexcept;
    void wait_step(Step& out);
    void wait_for(Step& out, std::uint32_t from);
    WaitUntil wait_until();
    std::optional<DayChoice> days_of_week();
    std::vector<Awaited> awaited_list();
    Span clock_time();
    std::optional<Span> at_time_of_day();
    void if_step(Step& out);
    void switch_step(Step& out);
    void split_step(Step& out);
    void repeat_step(Step& out);
    void parallel_step(Step& out);
    SetScore set_score();
    WithdrawConsent withdraw_consent();
    std::vector<JourneyEvent> renewing_events();
    Send send();
    FailurePolicy on_failure();
    bool items_step(Step& out);
    bool list_step(Step& out);
    std::vector<NamedArgument> arguments();
    Argument argument();

    // --- streams, coupon pools, rotas (parser_stream.cpp)
    StreamContent stream_content();
    bool send_next(Step& out);
    bool assign_step(Step& out);
    bool stream_test(Condition& out);
    std::vector<NamedArgument> sent_arguments();
    bool coupon(Argument& out);

    // --- policies (parser_policy.cpp)
    void policy_scope(Policy& policy);
    std::vector<std::string> scope_names(std::string_view expectation);
    std::vector<WorkflowName> scope_workflows();
    WorkflowName workflow_name();
    bool guard(Policy& policy);
    bool time_guard(Policy& policy);
    bool amount_guard(Policy& policy);
    bool handling_guard(Policy& policy);
    MessageCap message_cap();
    SendWindow send_window();
    WeekdaySet weekdays();
    HolidayCalendar calendar_choice();
    bool over_all_channels();
    std::int32_t time_of_day();
    std::int64_t amount(std::string_view expectation);
    Budget budget();
    Rate rate();
};

} // namespace nurture::language
