#include "core/analytics/events.hpp"

#include "core/analytics/wire.hpp"
#include "core/base/error.hpp"

#include <algorithm>
#include <charconv>

namespace nurture::analytics {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::string_view kind_names[] = {"timestamptz", "timestamp", "date", "bigint"};

bool is_midnight(Time at) noexcept {
    return at % one_day == 0 || at == never || at == always;
}

/// Reads the text form; remembers where it is for the message.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    [[noreturn]] void expected(const char* what) const {
        throw Error(ErrorKind::invalid_parameter, "invalid input for type nurture.funnel_summary",
                    std::string("At character ") + std::to_string(at_ + 1) + " " + what + " was expected.",
                    "Its form is: version, type of the times, steps, span, [time:mask …].")
            .at(static_cast<std::int64_t>(at_));
    }
    void literal(std::string_view token, const char* what) {
        if (!accept(token))
            expected(what);
    }
    bool accept(std::string_view token) {
        if (!text_.substr(at_).starts_with(token))
            return false;
        at_ += token.size();
        return true;
    }
    template <class Integer>
    Integer integer(const char* what) {
        Integer value{};
        const char* const first = text_.data() + at_;
        auto const [end, code] = std::from_chars(first, text_.data() + text_.size(), value);
        if (code != std::errc{})
            expected(what);
        at_ += static_cast<std::size_t>(end - first);
        return value;
    }
    TimeKind kind() {
        // "timestamp" is the beginning of "timestamptz": the longer name is tried first.
        for (std::size_t i = 0; i < std::size(kind_names); ++i)
            if (accept(kind_names[i]))
                return static_cast<TimeKind>(i);
        expected("timestamptz, timestamp, date or bigint");
    }
    void end() const {
        if (at_ != text_.size())
            expected("the end");
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace

std::string_view name_of(TimeKind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind)];
}

void validate(const EventSet& set) {
    if (static_cast<unsigned>(set.kind) > 3)
        ByteReader::fail("the type of the times is unknown");
    if (set.conditions < 1 || set.conditions > max_conditions)
        ByteReader::fail("the number of conditions is not between 1 and 32");
    if (set.span < 0)
        ByteReader::fail("the span is negative");
    for (std::size_t i = 0; i < set.events.size(); ++i) {
        const Event& event = set.events[i];
        if (event.mask == 0 || (event.mask & ~low_bits(set.conditions)) != 0)
            ByteReader::fail("an event satisfies no condition, or one there is not");
        if (set.kind == TimeKind::date && !is_midnight(event.at))
            ByteReader::fail("a date has a time of day");
        if (i > 0 && event < set.events[i - 1])
            ByteReader::fail("the events are not in order");
    }
}

std::string encode(const EventSet& set) {
    std::string out;
    out.reserve(32 + set.pattern.size() + set.events.size() * 6);
    ByteWriter writer(out);
    writer.byte(format_version);
    writer.byte(static_cast<std::uint8_t>(set.kind));
    writer.byte(static_cast<std::uint8_t>(set.conditions));
    writer.varint(static_cast<std::uint64_t>(set.span));
    writer.text(set.pattern);
    writer.varint(set.events.size());
    if (set.events.empty())
        return out;
    Time previous = set.events.front().at;
    writer.word(static_cast<std::uint64_t>(previous));
    for (const Event& event : set.events) {
        writer.varint(elapsed(previous, event.at));
        writer.varint(event.mask);
        previous = event.at;
    }
    return out;
}

EventSet decode(std::string_view bytes) {
    ByteReader reader(bytes);
    std::uint8_t const version = reader.byte();
    if (version > format_version)
        throw Error(ErrorKind::newer_format,
                    "a funnel_summary of format " + std::to_string(version) + " is not known", "",
                    "Update the extension: this value was written by a later version.");
    if (version == 0)
        ByteReader::fail("the format's version is 0");
    EventSet set;
    set.kind = static_cast<TimeKind>(reader.byte());
    set.conditions = reader.byte();
    set.span = static_cast<Span>(reader.varint());
    set.pattern = reader.text();
    std::size_t const n = reader.count(2);
    set.events.reserve(n);
    Time at = n == 0 ? 0 : static_cast<Time>(reader.word());
    for (std::size_t i = 0; i < n; ++i) {
        std::uint64_t const step = reader.varint();
        if (step > elapsed(at, never) || (i == 0 && step != 0))
            ByteReader::fail("a time is out of range");
        at = static_cast<Time>(static_cast<std::uint64_t>(at) + step);
        std::uint64_t const mask = reader.varint();
        if (mask > std::numeric_limits<std::uint32_t>::max())
            ByteReader::fail("an event satisfies no condition, or one there is not");
        set.events.push_back({at, static_cast<std::uint32_t>(mask)});
    }
    reader.end();
    validate(set);
    return set;
}

std::string print(const EventSet& set) {
    std::string out = std::to_string(format_version);
    out.append(" ").append(name_of(set.kind)).append(" ").append(std::to_string(set.conditions));
    out.append(" ").append(std::to_string(set.span)).append(" [");
    bool first = true;
    for (const Event& event : set.events) {
        if (!first)
            out.push_back(' ');
        first = false;
        out.append(std::to_string(event.at)).append(":").append(std::to_string(event.mask));
    }
    out.push_back(']');
    return out;
}

EventSet parse_event_set(std::string_view text) {
    Scanner scanner(text);
    EventSet set;
    if (scanner.integer<unsigned>("the version") != format_version)
        throw Error(ErrorKind::newer_format, "this format of nurture.funnel_summary is not known", "",
                    "Update the extension: this value was written by a later version.");
    scanner.literal(" ", "a space");
    set.kind = scanner.kind();
    scanner.literal(" ", "a space");
    set.conditions = scanner.integer<unsigned>("the number of steps");
    scanner.literal(" ", "a space");
    set.span = scanner.integer<Span>("the span");
    scanner.literal(" [", "\" [\"");
    if (!scanner.accept("]")) {
        do {
            Event event;
            event.at = scanner.integer<Time>("a time");
            scanner.literal(":", "\":\"");
            event.mask = scanner.integer<std::uint32_t>("a mask");
            set.events.push_back(event);
        } while (scanner.accept(" "));
        scanner.literal("]", "\" \" or \"]\"");
    }
    scanner.end();
    try {
        validate(set);
    } catch (const Error& error) { // what is typed is no corrupt storage
        throw Error(ErrorKind::invalid_parameter, "invalid input for type nurture.funnel_summary",
                    error.detail);
    }
    return set;
}

} // namespace nurture::analytics
