#include "core/language/schedule.hpp"

#include "core/base/civil.hpp"
#include "core/base/error.hpp"
#include "core/language/language.hpp"

#include <algorithm>

namespace nurture::language {

namespace {

constexpr std::size_t longest = 1'000;
constexpr std::size_t fields = 5;

[[noreturn]] void refuse(std::string_view text, std::size_t offset, const std::string& what, const std::string& hint) {
    auto const [line, column] = position_of(text, offset);
    throw Error(ErrorKind::syntax,
                "syntax error at line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + what,
                point_at(text, offset), hint)
        .at(static_cast<std::int64_t>(offset));
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Where the zone begins: behind five fields, or behind a word such as @daily.
std::size_t zone_begin(std::string_view text) {
    std::size_t words = 0, wanted = fields, at = 0;
    for (;; ++words) {
        while (at < text.size() && is_blank(text[at]))
            ++at;
        if (words == 0 && at < text.size() && text[at] == '@')
            wanted = 1;
        if (words == wanted || at == text.size())
            return at;
        while (at < text.size() && !is_blank(text[at]))
            ++at;
    }
}

} // namespace

Schedule parse_schedule(std::string_view text) {
    if (text.size() > longest)
        throw Error(ErrorKind::limit_exceeded, "the schedule is longer than " + std::to_string(longest) + " bytes");
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!is_blank(text[i]) && (text[i] <= ' ' || text[i] > '~')) // what is not ASCII is negative or beyond
            refuse(text, i, "a schedule has no such character", {});
    std::size_t const begin = zone_begin(text);
    std::string_view name = text.substr(begin);
    while (!name.empty() && is_blank(name.back()))
        name.remove_suffix(1);
    if (name.empty())
        name = "UTC";
    std::string where(text.substr(0, begin));
    for (char& c : where)
        c = is_blank(c) ? ' ' : c;
    try {
        Cron cron = Cron::parse(where);
        auto const zone = Zone::try_find(name);
        if (!zone)
            refuse(text, begin, "unknown time zone \"" + std::string(name) + '"',
                   "Behind five fields comes the name of a zone of the tz database: 0 9 * * mon-fri Europe/Rome.");
        std::string canonical = cron.text() + ' ' + std::string(name);
        return {std::move(cron), *zone, std::move(canonical)};
    } catch (const Error& error) {
        if (error.kind != ErrorKind::invalid_parameter)
            throw;
        refuse(text, static_cast<std::size_t>(std::max<std::int64_t>(error.offset, 0)), error.what(), error.hint);
    }
}

Time Schedule::next(Time t) const {
    static Time const first = day_number(1, 1, 1) * one_day, last = day_number(10'000, 1, 1) * one_day;
    if (t < first || t >= last)
        throw Error(ErrorKind::out_of_range, "schedules are reckoned within the years 1 to 9999");
    return cron.next(t, zone);
}

} // namespace nurture::language
