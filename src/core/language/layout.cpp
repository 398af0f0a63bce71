#include "core/language/layout.hpp"

#include "core/language/form.hpp"
#include "core/language/lexer.hpp"

#include <algorithm>
#include <cstdint>

namespace nurture::language {

namespace {

/// Decides before which tokens a line breaks. It looks at words alone, so that what the language learns later stays
/// in one piece rather than being lost.
class Layout {
  public:
    explicit Layout(std::string_view text) : text_(text), tokens_(tokenize(text).tokens) {}

    std::vector<std::string> run() {
        std::vector<std::string> lines;
        std::size_t from = 0;
        std::size_t indent = 0;
        for (at_ = 0; at_ < tokens_.size(); ++at_) {
            const Token& token = tokens_[at_];
            if (at_ > 0 && breaks_before(token)) {
                lines.push_back(cut(indent, from, token.from));
                from = token.from;
                indent = 2 * open_.size();
            }
            follow(token);
        }
        lines.push_back(cut(indent, from, text_.size()));
        return lines;
    }

  private:
    std::string_view text_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    std::vector<bool> open_; // brackets: whether they group conditions
    int between_ = 0;        // "between" whose "and" has not come yet
    bool name_next_ = false; // the token at hand is a name, whatever it looks like

    [[nodiscard]] std::string cut(std::size_t indent, std::size_t from, std::size_t to) const {
        while (to > from && text_[to - 1] == ' ')
            --to;
        return std::string(indent, ' ').append(text_.substr(from, to - from));
    }

    [[nodiscard]] bool is_symbol(const Token& token, char c) const {
        return token.kind == TokenKind::symbol && token.to - token.from == 1 && text_[token.from] == c;
    }

    /// True when a word behind this one is a name.
    [[nodiscard]] bool announces_name(const Token& token) const {
        switch (token.keyword) {
        case Keyword::on:
        case Keyword::topic:
        case Keyword::per:
        case Keyword::by:
        case Keyword::without:
        case Keyword::where:
        case Keyword::did:
        case Keyword::and_:
        case Keyword::or_:
            return true;
        default:
            return is_symbol(token, '.') || is_symbol(token, '(') || is_symbol(token, ',');
        }
    }

    [[nodiscard]] bool breaks_before(const Token& token) const {
        if (name_next_ || std::find(open_.begin(), open_.end(), false) != open_.end())
            return false; // the latter: inside count(…), in (…)
        if (token.keyword == Keyword::and_)
            return between_ == 0;
        if (token.keyword == Keyword::or_)
            return true;
        if (!open_.empty() || !is_rule())
            return false;
        switch (token.keyword) {
        case Keyword::where:
        case Keyword::topic:
        case Keyword::half_life:
        case Keyword::while_:
        case Keyword::fading:
        case Keyword::losing:
        case Keyword::expires:
        case Keyword::starting:
        case Keyword::once:
        case Keyword::floor:
        case Keyword::ceiling:
            return true;
        case Keyword::at: // not one that closes a condition
            return tokens_[at_ + 1].keyword == Keyword::most;
        default:
            return false;
        }
    }

    [[nodiscard]] bool is_rule() const { return is_symbol(tokens_.front(), '+') || is_symbol(tokens_.front(), '-'); }

    void follow(const Token& token) {
        bool const is_name = name_next_;
        name_next_ = !is_name && announces_name(token);
        if (is_name && token.kind != TokenKind::symbol)
            return;
        if (token.keyword == Keyword::between)
            ++between_;
        else if (token.keyword == Keyword::and_ && between_ > 0)
            --between_;
        else if (is_symbol(token, '('))
            open_.push_back(groups());
        else if (is_symbol(token, ')') && !open_.empty())
            open_.pop_back();
    }

    /// Whether the bracket at hand groups conditions: then an operator, or nothing, is before it.
    [[nodiscard]] bool groups() const {
        if (at_ == 0)
            return true;
        const Token& before = tokens_[at_ - 1];
        return before.keyword == Keyword::and_ || before.keyword == Keyword::or_ || before.keyword == Keyword::not_ ||
               before.keyword == Keyword::where || is_symbol(before, '(');
    }
};

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t from = 0;;) {
        std::size_t const end = text.find('\n', from);
        lines.emplace_back(text.substr(from, end - from));
        if (end == std::string_view::npos)
            return lines;
        from = end + 1;
    }
}

constexpr std::size_t largest_table = 4'000'000;

using Lines = std::vector<std::string>;

// The longest common subsequence by dynamic programming (Wagner and Fischer 1974), walked from the front.
void align(const Lines& a, std::size_t a_from, std::size_t a_to, const Lines& b, std::size_t b_from, std::size_t b_to,
           std::vector<DiffLine>& out) {
    std::size_t const n = a_to - a_from, m = b_to - b_from;
    std::vector<std::uint32_t> common;
    bool const aligned = n == 0 || m == 0 || n <= largest_table / m;
    auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return common[i * (m + 1) + j]; };
    if (aligned) {
        common.assign((n + 1) * (m + 1), 0);
        for (std::size_t i = n; i-- > 0;)
            for (std::size_t j = m; j-- > 0;)
                at(i, j) = a[a_from + i] == b[b_from + j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    }
    std::size_t i = 0, j = 0;
    while (i < n || j < m) {
        if (aligned && i < n && j < m && a[a_from + i] == b[b_from + j]) {
            out.push_back({DiffLine::Change::same, a[a_from + i]});
            ++i;
            ++j;
        } else if (i < n && (!aligned || j == m || at(i + 1, j) >= at(i, j + 1))) {
            out.push_back({DiffLine::Change::removed, a[a_from + i++]});
        } else {
            out.push_back({DiffLine::Change::added, b[b_from + j++]});
        }
    }
}

} // namespace

std::vector<std::string> lines_of(std::string_view canonical) {
    if (canonical.empty())
        return {};
    Form const form = form_of(canonical);
    return form == Form::workflow || form == Form::policy ? split(canonical) : Layout(canonical).run();
}

std::vector<DiffLine> diff(const Lines& before, const Lines& after) {
    std::vector<DiffLine> out;
    std::size_t head = 0, tail = 0;
    std::size_t const shorter = std::min(before.size(), after.size());
    while (head < shorter && before[head] == after[head])
        out.push_back({DiffLine::Change::same, before[head++]});
    while (tail < shorter - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail])
        ++tail;
    align(before, head, before.size() - tail, after, head, after.size() - tail, out);
    for (std::size_t i = before.size() - tail; i < before.size(); ++i)
        out.push_back({DiffLine::Change::same, before[i]});
    return out;
}

} // namespace nurture::language
