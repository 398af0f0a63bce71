// Rules to canonical text.
#include "core/language/language.hpp"
#include "core/language/lexer.hpp"
#include "core/language/printer.hpp"

namespace nurture::language {

namespace printing {

void append_topic(std::string& out, std::string_view topic) {
    // As typed where every part is a word: fit.company. The first may not be a keyword.
    std::size_t from = 0;
    bool plain = !topic.empty();
    while (plain && from <= topic.size()) {
        std::size_t const to = std::min(topic.find('.', from), topic.size());
        std::string_view const part = topic.substr(from, to - from);
        plain = from == 0 ? is_plain_name(part) : is_word(part);
        from = to + 1;
    }
    if (plain)
        out += topic;
    else
        append_name(out, topic);
}

namespace {

void append_points(std::string& out, Micro points) {
    out += points < 0 ? "" : "+";
    out += print_micro(points);
}

void append_table(std::string& out, const PointsTable& table) {
    out += "+by ";
    printing::append(out, table.by);
    out += " (";
    for (const auto& [value, points] : table.values) {
        printing::append(out, value);
        out += ' ' + print_micro(points) + ", ";
    }
    out += "else " + print_micro(table.otherwise) + ')';
}

void append_fading(std::string& out, const Fading& fading) {
    if (fading.kind == FadingKind::linear)
        out += " fading over ";
    else if (fading.kind == FadingKind::step)
        out += " losing " + print_micro(fading.percent) + " percent every ";
    else
        out += " expires after ";
    printing::append(out, fading.span);
}

// A property that is called like a period is quoted.
void append_key(std::string& out, const Path& path) {
    Keyword const keyword = keyword_of(path.keys.front());
    if (keyword != Keyword::hour && keyword != Keyword::day && keyword != Keyword::week && keyword != Keyword::month) {
        append(out, path);
        return;
    }
    out += '"' + path.keys.front() + '"';
    for (std::size_t i = 1; i < path.keys.size(); ++i) {
        out += '.';
        append_name(out, path.keys[i]);
    }
}

void append_subject(std::string& out, const Rule& rule) {
    if (rule.kind == RuleKind::event) {
        out += " on ";
        append(out, rule.event);
    } else if (rule.kind == RuleKind::inactivity) {
        out += " for every ";
        append(out, rule.every);
        out += " without ";
        append(out, rule.event);
    } else if (rule.condition) {
        out += " while ";
        append(out, *rule.condition);
    }
}

} // namespace

} // namespace printing

std::string print(const Rule& rule) {
    using printing::append;
    std::string out;
    if (rule.table)
        printing::append_table(out, *rule.table);
    else
        printing::append_points(out, rule.points);
    if (rule.per) {
        out += " per ";
        append(out, *rule.per);
    }
    printing::append_subject(out, rule);
    if (rule.topic) {
        out += " topic ";
        printing::append_topic(out, *rule.topic);
    }
    if (rule.half_life) {
        out += " half-life ";
        append(out, *rule.half_life);
    }
    if (rule.fading)
        printing::append_fading(out, *rule.fading);
    if (rule.starting_after) {
        out += " starting after ";
        append(out, *rule.starting_after);
    }
    if (rule.cap) {
        static constexpr std::string_view periods[] = {" per hour", " per day", " per week", " per month",
                                                       " in total"};
        out += " at most " + std::to_string(rule.cap->occurrences);
        out += periods[static_cast<std::size_t>(rule.cap->period)];
    }
    if (rule.once_per) {
        out += " once per ";
        printing::append_key(out, *rule.once_per);
    }
    if (rule.floor)
        out += " floor " + print_micro(*rule.floor);
    if (rule.ceiling)
        out += " ceiling " + print_micro(*rule.ceiling);
    return out;
}

} // namespace nurture::language
