#include "core/language/lexer.hpp"

#include "core/language/utf8.hpp"

#include <algorithm>
#include <array>

namespace nurture::language {

namespace {

struct KeywordEntry {
    std::string_view text;
    bool reserved;
};

constexpr std::array keyword_table{KeywordEntry{"", false},
#define NURTURE_KEYWORD(id, text, reserved) KeywordEntry{text, reserved},
                                   NURTURE_KEYWORDS(NURTURE_KEYWORD)
#undef NURTURE_KEYWORD
};

constexpr std::size_t longest_keyword =
    std::max_element(keyword_table.begin(), keyword_table.end(),
                     [](auto a, auto b) { return a.text.size() < b.text.size(); }) -> text.size();

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Letters of all scripts, but none of the spaces, quotes, dashes and signs that only look like ours.
constexpr bool is_letter(char32_t c) noexcept {
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
    if (c < 0xC0)
        return c == 0xAA || c == 0xB5 || c == 0xBA;
    if (c >= 0x10000)
        return c < 0xE0000;
    bool const sign = c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x303F);
    bool const special = (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE00 && c <= 0xFE0F) || c >= 0xFEFF;
    return !sign && !special;
}

constexpr bool is_space(char32_t c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0xFEFF || (c >= 0x2000 && c <= 0x200B) ||
           c == 0x202F || c == 0x3000;
}

// The end of the word that begins at `at`; `at` itself when none does.
std::size_t word_end(std::string_view text, std::size_t at) noexcept {
    std::size_t i = at;
    while (i < text.size()) {
        auto const c = decode_utf8(text, i);
        if (c.length == 0 || !(is_letter(c.value) || (i > at && c.value < 0x80 && is_digit(text[i]))))
            break;
        i += c.length;
    }
    return i;
}

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Lexed run() {
        lexed_.tokens.reserve(text_.size() / 6 + 2);
        while (skip_space() && at_ < text_.size() && next()) {
        }
        std::size_t const end = lexed_.error ? text_.size() : at_;
        push(TokenKind::end, end, end);
        return std::move(lexed_);
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
    Lexed lexed_;

    [[nodiscard]] bool looking_at(std::string_view what) const noexcept {
        return text_.substr(at_, what.size()) == what;
    }
    [[nodiscard]] bool digit_at(std::size_t i) const noexcept {
        return i < text_.size() && is_digit(text_[i]);
    }

    void push(TokenKind kind, std::size_t from, std::size_t to, Keyword keyword = Keyword::none) {
        lexed_.tokens.push_back(
            {kind, keyword, static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to)});
        at_ = to;
    }

    bool bad(std::size_t from, std::string message, std::string hint = {}) {
        push(TokenKind::bad, from, text_.size());
        lexed_.error = LexicalError{std::move(message), std::move(hint)};
        return false;
    }

    bool skip_space() {
        while (at_ < text_.size()) {
            auto const c = decode_utf8(text_, at_);
            if (c.length != 0 && is_space(c.value)) {
                at_ += c.length;
            } else if (looking_at("--")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (looking_at("/*")) {
                if (!skip_comment())
                    return false;
            } else {
                break;
            }
        }
        return true;
    }

    bool skip_comment() {
        std::size_t const from = at_;
        int depth = 0; // as in SQL, comments nest
        do {
            if (looking_at("/*")) {
                ++depth;
                at_ += 2;
            } else if (looking_at("*/")) {
                --depth;
                at_ += 2;
            } else if (at_ < text_.size()) {
                ++at_;
            } else {
                return bad(from, "the comment is never closed", "A comment ends with */.");
            }
        } while (depth > 0);
        return true;
    }

    bool next() {
        char const c = text_[at_];
        if (c == '\'' || c == '"')
            return quoted(c);
        if (is_digit(c))
            return number();
        std::size_t const end = word_end(text_, at_);
        if (end > at_)
            return word(end);
        return symbol();
    }

    bool word(std::size_t end) {
        // The two keywords with a hyphen in them.
        for (std::string_view const keyword : {"half-life", "re-enter"}) {
            std::string_view const piece = text_.substr(at_, keyword.size());
            if (at_ + keyword.find('-') == end && piece.size() == keyword.size() &&
                std::equal(piece.begin(), piece.end(), keyword.begin(),
                           [](char a, char b) { return lower(a) == b; }) &&
                word_end(text_, at_ + keyword.find('-') + 1) == at_ + keyword.size()) {
                push(TokenKind::word, at_, at_ + keyword.size(), keyword_of(keyword));
                return true;
            }
        }
        push(TokenKind::word, at_, end, keyword_of(text_.substr(at_, end - at_)));
        return true;
    }

    bool quoted(char quote) {
        std::size_t const from = at_;
        std::size_t i = at_ + 1;
        bool const is_string = quote == '\'';
        while (i < text_.size()) {
            if (text_[i] == quote) {
                if (i + 1 < text_.size() && text_[i + 1] == quote) {
                    i += 2;
                    continue;
                }
                if (!is_string && i == from + 1)
                    return bad(from, "the quoted name is empty", "A text is written in single quotes: ''.");
                push(is_string ? TokenKind::string : TokenKind::name, from, i + 1);
                return true;
            }
            auto const c = decode_utf8(text_, i);
            if (c.length == 0 || c.value == 0)
                return bad(i, "a byte that is not UTF-8");
            i += c.length;
        }
        if (is_string)
            return bad(from, "the string is never closed",
                       "A string ends with a single quote; a single quote inside it is written twice.");
        return bad(from, "the quoted name is never closed",
                   "A name ends with a double quote; a double quote inside it is written twice.");
    }

    [[nodiscard]] std::size_t digits(std::size_t i) const noexcept {
        while (digit_at(i))
            ++i;
        return i;
    }
    [[nodiscard]] bool has_digits(std::size_t i, std::size_t n) const noexcept { return digits(i) == i + n; }

    bool number() {
        if (has_digits(at_, 4) && text_.substr(at_ + 4, 1) == "-" && has_digits(at_ + 5, 2) &&
            text_.substr(at_ + 7, 1) == "-" && has_digits(at_ + 8, 2))
            return moment();
        std::size_t i = digits(at_);
        if (i + 1 < text_.size() && text_[i] == '.' && is_digit(text_[i + 1])) {
            std::size_t const fraction = i + 1;
            i = digits(fraction);
            if (i - fraction > 6)
                return bad(at_, "a number has at most six digits after the point");
        }
        push(TokenKind::number, at_, i);
        return true;
    }

    bool moment() {
        std::size_t i = at_ + 10;
        auto const one_of = [&](char a, char b) {
            return i < text_.size() && (text_[i] == a || text_[i] == b);
        };
        if (one_of('T', 't') && digit_at(i + 1)) {
            ++i;
            if (!has_digits(i, 2) || text_.substr(i + 2, 1) != ":" || !has_digits(i + 3, 2))
                return bad(at_, "the time is not complete", "Write hours and minutes: 2026-01-31T09:30.");
            i += 5;
            if (i < text_.size() && text_[i] == ':' && has_digits(i + 1, 2)) {
                i += 3;
                if (i < text_.size() && text_[i] == '.' && digit_at(i + 1)) {
                    std::size_t const end = digits(i + 1);
                    if (end - i - 1 > 6)
                        return bad(at_, "a time has at most six digits after the point");
                    i = end;
                }
            }
            if (one_of('Z', 'z'))
                ++i;
            else if (one_of('+', '-') && has_digits(i + 1, 2))
                i += i + 3 < text_.size() && text_[i + 3] == ':' && has_digits(i + 4, 2) ? 6 : 3;
        }
        push(TokenKind::moment, at_, i);
        return true;
    }

    bool symbol() {
        static constexpr std::string_view two[] = {"!~", "!=", "<>", "<=", ">=", "==", "&&", "||", "=>", "=<"};
        for (std::string_view const s : two)
            if (looking_at(s)) {
                push(TokenKind::symbol, at_, at_ + 2);
                return true;
            }
        static constexpr std::string_view one = "(),.=<>+-!&|;:*/%~[]{}?@#^\\`";
        if (one.find(text_[at_]) != one.npos) {
            push(TokenKind::symbol, at_, at_ + 1);
            return true;
        }
        return strange();
    }

    bool strange() {
        auto const c = decode_utf8(text_, at_);
        if (c.length == 0 || c.value == 0)
            return bad(at_, "a byte that is not UTF-8");
        if (c.value < 0x20 || c.value == 0x7F)
            return bad(at_, "a control character");
        std::string const shown(text_.substr(at_, c.length));
        std::string hint;
        if (c.value >= 0x2018 && c.value <= 0x201F)
            hint = "Use straight quotes: ' around texts, \" around names.";
        else if ((c.value >= 0x2010 && c.value <= 0x2015) || c.value == 0x2212)
            hint = "Use the plain hyphen \"-\".";
        else if (c.value == 0x2264 || c.value == 0x2265 || c.value == 0x2260)
            hint = c.value == 0x2260   ? "Write \"!=\"."
                   : c.value == 0x2264 ? "Write \"<=\"."
                                       : "Write \">=\".";
        return bad(at_, "the character \"" + shown + "\" cannot be used here", std::move(hint));
    }
};

} // namespace

std::string_view text_of(Keyword keyword) noexcept {
    return keyword_table[static_cast<std::size_t>(keyword)].text;
}

Keyword keyword_of(std::string_view word) noexcept {
    if (word.empty() || word.size() > longest_keyword)
        return Keyword::none;
    std::array<char, longest_keyword> folded{};
    std::transform(word.begin(), word.end(), folded.begin(), lower);
    std::string_view const key(folded.data(), word.size());
    for (std::size_t i = 1; i < keyword_table.size(); ++i)
        if (keyword_table[i].text == key)
            return static_cast<Keyword>(i);
    return Keyword::none;
}

bool is_reserved(Keyword keyword) noexcept {
    return keyword_table[static_cast<std::size_t>(keyword)].reserved;
}

bool is_word(std::string_view text) noexcept {
    return !text.empty() && word_end(text, 0) == text.size();
}

bool is_plain_name(std::string_view name) noexcept {
    return is_word(name) && !is_reserved(keyword_of(name));
}

Lexed tokenize(std::string_view text) {
    return Lexer(text).run();
}

std::string unquote(std::string_view quoted) {
    char const quote = quoted.front();
    std::string value;
    value.reserve(quoted.size());
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        value += quoted[i];
        if (quoted[i] == quote)
            ++i;
    }
    return value;
}

} // namespace nurture::language
