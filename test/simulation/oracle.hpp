#pragma once
// What the language means, told a second time and naively: raw events are read anew for every question. It shares the
// syntax tree with the core and nothing else; local time comes from the C library.
#include "core/language/language.hpp"

#include "random.hpp"

#include <map>
#include <optional>
#include <set>

namespace nurture::world {

enum class Answer { no, yes, unknown };

/// The policy of the calendar, as the definitions have it.
using CalendarOfTest = model::CalendarPolicy;
/// Without what is to be ignored: "c" letter case, "a" accents.
std::string folded(std::string text, const std::string& how);
/// Makes the C library's local time that of the zone.
void use_zone(const std::string& zone);

class Oracle {
  public:
    Oracle(const Definitions& definitions, std::vector<Event> events);

    /// The condition's truth at `now`, after everything that was told by then. `close`: a score is so near to its bound
    /// that rounding decides; then the answer proves nothing.
    Answer evaluate(const language::Condition& condition, Time now);
    Answer segment(const std::string& name, Time now) { return evaluate(segments_.at(name), now); }
    Answer matches(const language::EventPattern& pattern, const Event& event);
    [[nodiscard]] long double score(const std::optional<std::string>& topic, Time now);

    bool close = false;
    /// Those that count, in the order of arrival: no duplicates.
    std::vector<Event> events;
    /// How many of them conditions may see.
    std::size_t told = SIZE_MAX;
    /// Moments at which a condition may change otherwise than by a score's decay.
    [[nodiscard]] std::set<Time> breakpoints(const std::vector<Duration>& windows) const;

    static Time leaves(Time at, const Duration& window);

    // oracle_conditions.cpp: dates, texts, membership
    std::string key;                         ///< of the contact
    std::map<std::string, std::int64_t> sampled;
    /// Has the pasts of these segments walked through beforehand: at every one of these moments something may change.
    void live_through(const std::set<Time>& moments, const std::set<std::string>& asked);
    static std::int64_t local_of(Time t, const std::string& zone);
    static Time first_at(std::int64_t local, const std::string& zone);
    static Time to_utc(std::int64_t local, const std::string& zone);
    static std::int64_t day_of(Time t, const std::string& zone);
    static Time moved(Time t, const Duration& d, int sign, const std::string& zone);
    static std::optional<Time> date_of(const Json& json, const std::string& zone);
    /// When what a $consent says is over; none: never.
    static std::optional<Time> consent_expires(const Event& event, const std::string& zone);

  private:
    std::map<std::string, language::Condition> segments_;
    std::vector<language::Rule> rules_;
    std::string zone_;
    Span session_gap_;

    struct Held { // what an operand holds
        enum class Kind { missing, json, number, time } kind = Kind::missing;
        Json json;
        long double number = 0;
        Time time = 0;
        bool from_score = false;
    };
    Held read(const language::Operand& operand, Time now, const Event* event);
    Answer compare(const Held& held, language::Comparator comparator, const language::Literal& literal);
    Answer test(const language::Condition& condition, Time now, const Event* event);
    Json attribute(const language::Path& path, Time now) const;
    std::optional<Answer> test_more(const language::Condition& condition, Time now, const Event* event);
    std::optional<Held> read_more(const language::Operand& operand, Time now, const Event* event);
    Answer test_date(const language::DateTest& test, Time now, const Event* event);
    std::string zone_of(const language::ZoneChoice& choice, Time now) const;
    [[nodiscard]] Held read_consent(const language::Consent& asked, Time now) const; // oracle_consent.cpp
    Answer test_history(const language::Condition& condition, Time now) const;
    std::optional<Answer> test_past(const language::Condition& condition, Time now);
    Answer compare_values(const Held& a, language::Comparator comparator, const Held& b);
    CalendarOfTest calendar_;
    struct Change {
        Time at;
        std::size_t told;
        bool member;
    };
    std::map<std::string, std::vector<Change>> pasts_;
    std::string fold_; // which of "ca" to ignore
    // Behaviour: oracle_behaviour.cpp.
    std::vector<const Event*> look(const language::EventPattern& pattern, const language::Window& window, Time now);
    [[nodiscard]] Answer inside(Time at, const language::Window& window, Time now) const;
    [[nodiscard]] bool known(const language::Window& window, Time now) const;
    [[nodiscard]] std::optional<Time> moment(const language::Bound& bound, bool end, Time now) const;
    std::optional<Held> read_behaviour(const language::Operand& operand, Time now);
    Held dwelt(const language::Sessions& sessions, Span gap, Time now);
    Held aggregated(const language::Aggregate& aggregate, Time now);
    Held occurred(const language::Occurrence& found, Time now);
    std::optional<Answer> test_behaviour(const language::Condition& condition, Time now);
    Answer trending(const language::Trend& trend, Time now);
    bool happened_in_sequence(const language::Sequence& sequence, Time now);
    std::string period(Time at, language::CapPeriod period) const;
};

} // namespace nurture::world
