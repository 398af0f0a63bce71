// The oracle on dates, texts, lists, histories and memberships. Local time is the C library's; what a day is follows from
// asking it minute by minute where it matters.
#include "oracle.hpp"

#include "core/base/hash.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <regex>
#include <span>

namespace nurture::world {

using namespace language;

namespace {

Time happened_at(const Event& event) { return std::min(event.at, event.received_at); }

std::int64_t floor_to(std::int64_t a, std::int64_t b) {
    std::int64_t q = a / b;
    while (q * b > a)
        --q;
    return q;
}

std::tm civil(std::int64_t day) {
    std::time_t const clock = day * 86'400 + unix_epoch_offset;
    std::tm out{};
    ::gmtime_r(&clock, &out);
    return out;
}

std::int64_t number_of_day(int year, int month, int day) {
    std::tm date{};
    date.tm_year = year - 1900;
    date.tm_mon = month - 1;
    date.tm_mday = day;
    return floor_to(::timegm(&date) - unix_epoch_offset, 86'400);
}

int days_in(int year, int month) { return static_cast<int>(number_of_day(year, month + 1, 1) - number_of_day(year, month, 1)); }

// Months with clipping, then days.
std::int64_t moved_day(std::int64_t day, std::int64_t months, std::int64_t days) {
    std::tm const date = civil(day);
    std::int64_t const m = (date.tm_year + 1900) * std::int64_t{12} + date.tm_mon + months;
    int const year = static_cast<int>(floor_to(m, 12));
    int const month = static_cast<int>(m - std::int64_t{year} * 12) + 1;
    return number_of_day(year, month, std::min(date.tm_mday, days_in(year, month))) + days;
}

std::int64_t period_index(std::int64_t day, CalendarUnit unit, int week_start) {
    std::tm const date = civil(day);
    switch (unit) {
    case CalendarUnit::day:
        return day;
    case CalendarUnit::week: {
        int const monday_based = (date.tm_wday + 6) % 7;
        return day - (monday_based + 7 - week_start) % 7;
    }
    case CalendarUnit::month:
        return date.tm_year * 12 + date.tm_mon;
    case CalendarUnit::quarter:
        return date.tm_year * 4 + date.tm_mon / 3;
    case CalendarUnit::year:
        return date.tm_year;
    }
    return 0;
}

template <class T>
Answer relation(const T& a, Comparator comparator, const T& b) {
    bool const out = comparator == Comparator::equal           ? a == b
                     : comparator == Comparator::not_equal     ? !(a == b)
                     : comparator == Comparator::less          ? a < b
                     : comparator == Comparator::less_equal    ? !(b < a)
                     : comparator == Comparator::greater       ? b < a
                                                               : !(a < b);
    return out ? Answer::yes : Answer::no;
}

Answer turned(Answer a, bool negated) {
    return !negated || a == Answer::unknown ? a : a == Answer::yes ? Answer::no : Answer::yes;
}

Answer answer_of(bool b) { return b ? Answer::yes : Answer::no; }

std::string plain(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

std::optional<long long> micro(const Json& json) {
    if (json.is_number())
        return std::llround(json.get<long double>() * 1e6L);
    if (!json.is_string())
        return std::nullopt;
    std::string const text = json;
    if (text.empty() || text.find_first_not_of("0123456789.-") != text.npos)
        return std::nullopt;
    char* end = nullptr;
    long double const value = std::strtold(text.c_str(), &end);
    return *end == 0 ? std::optional(std::llround(value * 1e6L)) : std::nullopt;
}

} // namespace

// The letters that the histories have.
std::string folded(std::string text, const std::string& how) {
    auto replace = [&](std::initializer_list<std::pair<const char*, const char*>> table) {
        for (auto const& [from, to] : table)
            for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += std::string(to).size())
                text.replace(at, std::string(from).size(), to);
    };
    if (how.find('c') != how.npos) {
        for (char& c : text)
            if (c >= 'A' && c <= 'Z')
                c = static_cast<char>(c + 32);
        replace({{"Ü", "ü"}, {"É", "é"}, {"ß", "ss"}});
    }
    if (how.find('a') != how.npos)
        replace({{"Ü", "U"}, {"ü", "u"}, {"É", "E"}, {"é", "e"}});
    return text;
}

void use_zone(const std::string& zone) {
    static std::string current;
    if (current == zone)
        return;
    ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
    current = zone;
}

std::int64_t Oracle::local_of(Time t, const std::string& zone) {
    use_zone(zone);
    std::int64_t const seconds = floor_to(t, one_second);
    std::time_t const clock = seconds + unix_epoch_offset;
    std::tm local{};
    ::localtime_r(&clock, &local);
    local.tm_isdst = 0;
    return (static_cast<std::int64_t>(::timegm(&local)) - unix_epoch_offset) * one_second + (t - seconds * one_second);
}

// The first moment whose local time is `local` or later: looked for hour by hour, then by halves.
Time Oracle::first_at(std::int64_t local, const std::string& zone) {
    static std::map<std::pair<std::string, std::int64_t>, Time> known;
    auto const place = known.find({zone, local});
    if (place != known.end())
        return place->second;
    Time at = local - 20 * one_hour;
    while (local_of(at, zone) < local) {
        // The clock runs on; where it jumps, the jump is found second by second.
        Time const ahead = local - local_of(at, zone);
        Time next = at + std::min<Time>(ahead, 10 * one_minute);
        if (local_of(next, zone) - local_of(at, zone) != next - at) {
            Time low = at;
            while (next - low > 1) {
                Time const middle = low + (next - low) / 2;
                (local_of(middle, zone) - local_of(at, zone) == middle - at ? low : next) = middle;
            }
        }
        at = next;
    }
    known.emplace(std::pair{zone, local}, at);
    return at;
}

Time Oracle::to_utc(std::int64_t local, const std::string& zone) {
    Time const first = first_at(local, zone);
    if (local_of(first, zone) == local)
        return first;
    return local - (local_of(first - 1, zone) - (first - 1)); // skipped: by the offset before the jump
}

std::int64_t Oracle::day_of(Time t, const std::string& zone) {
    std::int64_t day = floor_to(local_of(t, zone), one_day);
    while (first_at((day + 1) * one_day, zone) <= t)
        ++day;
    return day;
}

Time Oracle::moved(Time t, const Duration& d, int sign, const std::string& zone) {
    if (d.months != 0 || d.days != 0) {
        std::int64_t const local = local_of(t, zone);
        std::int64_t const day = floor_to(local, one_day);
        t = to_utc(moved_day(day, sign * d.months, sign * d.days) * one_day + (local - day * one_day), zone);
    }
    return t + sign * d.micros;
}

// "2026-03-05", "2026-03-05T10:00", "2026-03-05T10:00Z"
std::optional<Time> Oracle::date_of(const Json& json, const std::string& zone) {
    if (!json.is_string())
        return std::nullopt;
    std::string text = json;
    static const std::regex shape("(\\d{4})-(\\d\\d)-(\\d\\d)(T(\\d\\d):(\\d\\d)(Z?))?");
    std::smatch parts;
    if (!std::regex_match(text, parts, shape))
        return std::nullopt;
    int const year = std::stoi(parts[1]);
    int const month = std::stoi(parts[2]);
    int const day = std::stoi(parts[3]);
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return std::nullopt;
    std::int64_t local = number_of_day(year, month, day) * one_day;
    if (parts[4].matched)
        local += std::stoi(parts[5]) * one_hour + std::stoi(parts[6]) * one_minute;
    return parts[7].matched && parts[7].length() > 0 ? local : to_utc(local, zone);
}

std::string Oracle::zone_of(const ZoneChoice& choice, Time now) const {
    if (choice.kind == ZoneChoice::Kind::named)
        return choice.name;
    if (choice.kind == ZoneChoice::Kind::policy)
        return zone_;
    Json const name = attribute({{"timezone"}}, now);
    static const std::set<std::string> zones{"UTC", "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Asia/Kathmandu"};
    return name.is_string() && zones.contains(name.get<std::string>()) ? name.get<std::string>() : zone_;
}

std::optional<Oracle::Held> Oracle::read_more(const Operand& operand, Time now, const Event* event) {
    auto value = [&](const Path& path) { return read(Attribute{path}, now, event); };
    Held out;
    if (std::holds_alternative<Now>(operand)) {
        out.kind = Held::Kind::time;
        out.time = now;
        return out;
    }
    if (const auto* items = std::get_if<Items>(&operand)) {
        Held const list = value(items->list);
        if (list.kind == Held::Kind::missing)
            return out;
        out.kind = Held::Kind::number;
        out.number = list.json.is_structured() ? static_cast<long double>(list.json.size()) : 1;
        return out;
    }
    if (const auto* domain = std::get_if<Domain>(&operand)) {
        Held const address = value(domain->address);
        if (address.kind == Held::Kind::missing || !address.json.is_string())
            return out;
        std::string const text = address.json;
        auto const at = text.rfind('@');
        if (at == text.npos || at + 1 == text.size())
            return out;
        out.kind = Held::Kind::json;
        out.json = folded(text.substr(at + 1), "c");
        return out;
    }
    if (const auto* consent = std::get_if<Consent>(&operand))
        return read_consent(*consent, now);
    const auto* part = std::get_if<DatePart>(&operand);
    if (part == nullptr)
        return std::nullopt;
    std::string const zone = zone_of(part->zone, now);
    Time t = now;
    if (part->of) {
        Held const held = value(*part->of);
        auto const date = held.kind == Held::Kind::json ? date_of(held.json, zone) : std::nullopt;
        if (!date)
            return out;
        t = *date;
    }
    std::int64_t const day = day_of(t, zone);
    std::tm const date = civil(day);
    char text[32];
    out.kind = Held::Kind::number;
    switch (part->part) {
    case CalendarPart::year:
        out.number = date.tm_year + 1900;
        break;
    case CalendarPart::quarter:
        out.number = date.tm_mon / 3 + 1;
        break;
    case CalendarPart::month:
        out.number = date.tm_mon + 1;
        break;
    case CalendarPart::week:
        std::strftime(text, sizeof text, "%V", &date);
        out.number = std::stoi(text);
        break;
    case CalendarPart::day:
        out.number = date.tm_mday;
        break;
    case CalendarPart::weekday: {
        static const char* const names[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
        out.kind = Held::Kind::json;
        out.json = names[date.tm_wday];
        break;
    }
    case CalendarPart::hour:
    case CalendarPart::minute: {
        Span const width = part->part == CalendarPart::hour ? one_hour : one_minute;
        std::int64_t slot = floor_to(local_of(t, zone), width);
        while (first_at((slot + 1) * width, zone) <= t)
            ++slot;
        std::int64_t const of = one_day / one_hour * (width == one_hour ? 1 : 0) + (width == one_hour ? 0 : 60);
        out.number = static_cast<long double>(slot - floor_to(slot, of) * of);
        break;
    }
    }
    return out;
}

Answer Oracle::compare_values(const Held& a, Comparator comparator, const Held& b) {
    if (a.kind == Held::Kind::missing || b.kind == Held::Kind::missing)
        return Answer::unknown;
    auto number = [](const Held& h) -> std::optional<long long> {
        return h.kind == Held::Kind::number ? std::optional(std::llround(h.number * 1e6L))
               : h.kind == Held::Kind::json ? micro(h.json)
                                            : std::nullopt;
    };
    auto time = [&](const Held& h) -> std::optional<Time> {
        return h.kind == Held::Kind::time ? std::optional(h.time)
               : h.kind == Held::Kind::json ? date_of(h.json, zone_)
                                            : std::nullopt;
    };
    if (number(a) && number(b))
        return relation(*number(a), comparator, *number(b));
    if (time(a) && time(b))
        return relation(*time(a), comparator, *time(b));
    bool const ordered = comparator != Comparator::equal && comparator != Comparator::not_equal;
    if (a.kind != Held::Kind::json || b.kind != Held::Kind::json ||
        (ordered && (a.json.is_structured() || b.json.is_structured())))
        return Answer::unknown;
    return relation(folded(plain(a.json), fold_), comparator, folded(plain(b.json), fold_));
}

Answer Oracle::test_date(const DateTest& test, Time now, const Event* event) {
    std::string const zone = zone_of(test.zone, now);
    const auto* yearly = std::get_if<Anniversary>(&test.left);
    Held const held = read(yearly != nullptr ? Operand{Attribute{yearly->of}} : test.left, now, event);
    std::optional<Time> t;
    if (held.kind == Held::Kind::time)
        t = held.time;
    else if (held.kind == Held::Kind::json)
        t = date_of(held.json, zone);
    if (!t)
        return Answer::unknown;
    std::int64_t const today = day_of(now, zone);
    auto asked = [&](Time when, std::int64_t day) {
        if (const auto* against = std::get_if<AgainstDate>(&test.question)) {
            const Moment& m = against->moment;
            if (m.date_only) {
                std::int64_t const other = floor_to(m.local, one_day);
                return against->relation == DateRelation::on ? day == other
                       : against->relation == DateRelation::before ? day < other
                                                                   : day > other;
            }
            Time const other = m.utc_offset ? m.local - *m.utc_offset : to_utc(m.local, zone);
            return against->relation == DateRelation::before ? when < other : when > other;
        }
        if (const auto* period = std::get_if<language::InPeriod>(&test.question)) {
            std::int64_t const there = period_index(day, period->unit, calendar_.week_start);
            std::int64_t const here = period_index(today, period->unit, calendar_.week_start);
            return there == here + period->offset * (period->unit == CalendarUnit::week ? 7 : 1);
        }
        if (const auto* span = std::get_if<WithinSpan>(&test.question)) {
            Time const later = moved(when, span->span, 1, zone);
            Time const earlier = moved(when, span->span, -1, zone);
            switch (span->relation) {
            case SpanRelation::within_last:
            case SpanRelation::less_ago:
                return when <= now && now < later;
            case SpanRelation::within_next:
            case SpanRelation::less_ahead:
                return earlier <= now && now < when;
            case SpanRelation::more_ago:
                return later <= now;
            case SpanRelation::more_ahead:
                return now < earlier;
            case SpanRelation::exactly_ago:
                return today == moved_day(day, span->span.months, span->span.days);
            case SpanRelation::exactly_ahead:
                return today == moved_day(day, -span->span.months, -span->span.days);
            }
        }
        if (const auto* side = std::get_if<PastOrFuture>(&test.question))
            return side->future ? now < when : when <= now;
        const auto& on = std::get<OnDayKind>(test.question);
        int const weekday = civil(day).tm_wday;
        bool const weekend = weekday == 0 || weekday == 6;
        const auto& days = calendar_.holidays[on.calendar.value_or("default")];
        bool const holiday = std::find(days.begin(), days.end(), day) != days.end();
        return on.kind == DayKind::weekend ? weekend : on.kind == DayKind::holiday ? holiday : !weekend && !holiday;
    };
    bool out = false;
    if (yearly == nullptr) {
        out = asked(*t, day_of(*t, zone));
    } else {
        std::tm const born = civil(day_of(*t, zone));
        int const year_now = civil(today).tm_year + 1900;
        for (int year = std::max(born.tm_year + 1901, year_now - 3); year <= year_now + 3; ++year) {
            std::int64_t day = number_of_day(year, born.tm_mon + 1, std::min(born.tm_mday, days_in(year, born.tm_mon + 1)));
            if (born.tm_mon == 1 && born.tm_mday == 29 && days_in(year, 2) == 28 && calendar_.leap_day_in_march)
                day = number_of_day(year, 3, 1);
            out = asked(first_at(day * one_day, zone), day) || out;
        }
    }
    return turned(answer_of(out), test.negated);
}

// Every write of the attribute told by now, in the order in which they happened.
Answer Oracle::test_history(const Condition& condition, Time now) const {
    const auto* changed = std::get_if<Changed>(&condition.node);
    const auto* been = std::get_if<HasBeen>(&condition.node);
    const Path& path = changed != nullptr ? changed->attribute : been->attribute;
    struct Write {
        Time at;
        std::string value; // empty: unset
    };
    auto same = [](const Json& json) {
        if (json.is_null())
            return std::string();
        auto const number = micro(json);
        return number ? "n" + std::to_string(*number) : "t" + plain(json);
    };
    auto literal = [&](const Literal& l) {
        if (const auto* number = std::get_if<Number>(&l))
            return "n" + std::to_string(number->value);
        if (const auto* truth = std::get_if<bool>(&l))
            return std::string(*truth ? "ttrue" : "tfalse");
        return same(Json(std::get<std::string>(l)));
    };
    std::vector<Write> writes;
    for (const Event& event : std::span(events).first(std::min(told, events.size())))
        if (event.type == "$identify" && event.received_at <= now && event.properties.contains(path.keys.front())) {
            Json value = event.properties;
            for (const auto& k : path.keys)
                value = value.is_object() && value.contains(k) ? Json(value[k]) : Json(nullptr);
            writes.push_back({happened_at(event), same(value)});
        }
    std::stable_sort(writes.begin(), writes.end(), [](const Write& a, const Write& b) { return a.at < b.at; });
    if (changed != nullptr) {
        for (std::size_t i = 1; i < writes.size(); ++i)
            if (writes[i].value != writes[i - 1].value && (!changed->from || writes[i - 1].value == literal(*changed->from)) &&
                (!changed->to || writes[i].value == literal(*changed->to)) && now < leaves(writes[i].at, changed->within))
                return Answer::yes;
        return Answer::no;
    }
    if (writes.empty() || writes.back().value.empty())
        return Answer::unknown;
    if (writes.back().value != literal(been->value))
        return Answer::no;
    Time since = writes.back().at;
    for (std::size_t i = writes.size(); i-- > 0 && writes[i].value == literal(been->value);)
        since = writes[i].at;
    return answer_of((leaves(since, been->duration) <= now) == been->at_least);
}

void Oracle::live_through(const std::set<Time>& moments, const std::set<std::string>& asked) {
    std::size_t const before = told;
    std::map<std::string, bool> member;
    pasts_.clear();
    auto look = [&](Time now) {
        for (const std::string& name : asked) {
            bool const is = segment(name, now) == Answer::yes;
            if (is != member[name])
                pasts_[name].push_back({now, told, is});
            member[name] = is;
        }
    };
    std::set<Time> all = moments;
    for (const Event& event : events)
        all.insert(event.received_at);
    std::size_t next = 0;
    for (Time const now : all) {
        told = next; // what passes by time passes before what is told at the same moment
        if (next > 0)
            look(now);
        while (next < events.size() && events[next].received_at == now) {
            told = ++next;
            look(now);
        }
    }
    told = before;
}

std::optional<Answer> Oracle::test_past(const Condition& condition, Time now) {
    auto changes = [&](const std::string& segment) {
        std::vector<Change> out;
        for (const Change& change : pasts_[segment])
            if (change.at < now || (change.at == now && change.told <= told))
                out.push_back(change);
        return out;
    };
    if (const auto* moved_in = std::get_if<MovedSegment>(&condition.node)) {
        for (const Change& change : changes(moved_in->segment))
            if (change.member == moved_in->entered && now < leaves(change.at, moved_in->within))
                return Answer::yes;
        return Answer::no;
    }
    if (const auto* inside = std::get_if<InSegmentFor>(&condition.node)) {
        auto const all = changes(inside->segment);
        if (all.empty() || !all.back().member)
            return Answer::no;
        return answer_of((leaves(all.back().at, inside->duration) <= now) == inside->at_least);
    }
    const auto* was = std::get_if<WasInSegment>(&condition.node);
    if (was == nullptr)
        return std::nullopt;
    Time from = was->moment.utc_offset ? was->moment.local - *was->moment.utc_offset : to_utc(was->moment.local, zone_);
    Time to = from + 1;
    if (was->moment.date_only) {
        from = first_at(was->moment.local, zone_);
        to = first_at(was->moment.local + one_day, zone_);
    }
    auto const all = changes(was->segment);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].member) {
            Time const end = i + 1 < all.size() ? all[i + 1].at : never;
            if (all[i].at < end && all[i].at < to && from < end && from <= now)
                return Answer::yes;
        }
    return Answer::no;
}

std::optional<Answer> Oracle::test_more(const Condition& condition, Time now, const Event* event) {
    const auto& node = condition.node;
    if (auto const past = test_past(condition, now))
        return past;
    if (const auto* date = std::get_if<DateTest>(&node))
        return test_date(*date, now, event);
    if (std::holds_alternative<Changed>(node) || std::holds_alternative<HasBeen>(node))
        return test_history(condition, now);
    if (const auto* how = std::get_if<Ignoring>(&node)) {
        fold_ = std::string(how->letter_case ? "c" : "") + (how->accents ? "a" : "");
        Answer const out = test(*how->test, now, event);
        fold_.clear();
        return out;
    }
    if (const auto* compared = std::get_if<ComparePaths>(&node))
        return compare_values(read(compared->left, now, event), compared->comparator, read(Attribute{compared->right}, now, event));
    if (const auto* distinct = std::get_if<DistinctFrom>(&node)) {
        Held const a = read(distinct->left, now, event);
        bool same = false;
        if (const auto* path = std::get_if<Path>(&distinct->right)) {
            Held const b = read(Attribute{*path}, now, event);
            same = (a.kind == Held::Kind::missing && b.kind == Held::Kind::missing) ||
                   compare_values(a, Comparator::equal, b) == Answer::yes;
        } else {
            same = compare(a, Comparator::equal, std::get<Literal>(distinct->right)) == Answer::yes;
        }
        return answer_of(same == distinct->negated);
    }
    if (const auto* text = std::get_if<TextTest>(&node)) {
        Held const held = read(text->left, now, event);
        if (held.kind != Held::Kind::json)
            return Answer::unknown;
        std::string const value = folded(plain(held.json), fold_);
        std::string const wanted = folded(text->text, fold_);
        bool found = false;
        if (text->relation == TextRelation::contains && held.json.is_array())
            found = std::any_of(held.json.begin(), held.json.end(),
                                [&](const Json& item) { return !item.is_null() && folded(plain(item), fold_) == wanted; });
        else if (text->relation == TextRelation::contains)
            found = value.find(wanted) != value.npos;
        else if (text->relation == TextRelation::starts_with)
            found = value.compare(0, wanted.size(), wanted) == 0;
        else if (text->relation == TextRelation::ends_with)
            found = value.size() >= wanted.size() && value.compare(value.size() - wanted.size(), wanted.size(), wanted) == 0;
        else
            found = std::regex_search(value, std::regex(text->text));
        return turned(answer_of(found), text->negated);
    }
    if (const auto* empty = std::get_if<IsEmpty>(&node)) {
        Held const held = read(empty->left, now, event);
        if (held.kind == Held::Kind::missing)
            return Answer::unknown;
        return turned(answer_of(held.json == "" || (held.json.is_structured() && held.json.empty())), empty->negated);
    }
    if (const auto* has = std::get_if<HasItems>(&node)) {
        Held const held = read(has->left, now, event);
        if (held.kind == Held::Kind::missing)
            return Answer::unknown;
        std::size_t hits = 0;
        for (const Literal& wanted : has->items) {
            bool found = false;
            for (const Json& item : held.json.is_array() ? held.json : Json::array({held.json})) {
                Held one;
                one.kind = item.is_null() ? Held::Kind::missing : Held::Kind::json;
                one.json = item;
                found = found || compare(one, Comparator::equal, wanted) == Answer::yes;
            }
            hits += found ? 1 : 0;
        }
        return answer_of(has->quantity == Quantity::any   ? hits > 0
                         : has->quantity == Quantity::all ? hits == has->items.size()
                                                          : hits == 0);
    }
    if (const auto* list = std::get_if<OnList>(&node)) {
        const Event* last = nullptr;
        for (const Event& e : std::span(events).first(std::min(told, events.size())))
            if (e.type == "$list" && e.received_at <= now && e.properties.value("list", "") == list->list &&
                (last == nullptr || happened_at(*last) <= happened_at(e)))
                last = &e;
        return answer_of(last != nullptr && last->properties.value("state", "") == (list->excluded ? "excluded" : "member"));
    }
    if (const auto* sample = std::get_if<Sample>(&node)) {
        // What it says of a key is free; that it says the same always is not.
        auto const hash = hash64(std::to_string(hash64(sample->salt)) + '\n' + key);
        return answer_of(static_cast<long double>(hash) / 18446744073709551616.0L * 100 < sample->percent / 1e6L);
    }
    if (const auto* some = std::get_if<AtLeastOf>(&node)) {
        std::int64_t yes = 0;
        std::int64_t perhaps = 0;
        for (const auto& part : some->operands) {
            Answer const one = test(*part, now, event);
            yes += one == Answer::yes ? 1 : 0;
            perhaps += one != Answer::no ? 1 : 0;
        }
        return yes >= some->wanted ? Answer::yes : perhaps >= some->wanted ? Answer::unknown : Answer::no;
    }
    return std::nullopt;
}

} // namespace nurture::world
