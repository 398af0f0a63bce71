#include "core/identity/join.hpp"

#include "core/base/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nurture::identity {

using profile::Attribute;
using profile::SegmentPast;

namespace {

constexpr std::size_t remembered_messages = 1'000; // as the step keeps them

int digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

} // namespace

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (char const c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

profile::Profile mailed_state(const profile::Properties& properties) {
    std::string_view const text = properties.get({{"state"}}).text;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        int const high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0)
            break;
        bytes += static_cast<char>(high << 4 | low);
    }
    if (bytes.empty() || bytes.size() * 2 != text.size())
        throw Error(ErrorKind::corrupt_data, "corrupt data: the message carries no state");
    return profile::decode(bytes);
}

void join_attributes(std::vector<Attribute>& a, const std::vector<Attribute>& b) {
    std::vector<Attribute> out;
    out.reserve(a.size() + b.size());
    auto left = a.begin();
    auto right = b.begin();
    while (left != a.end() || right != b.end()) {
        if (right == b.end() || (left != a.end() && left->key < right->key)) {
            out.push_back(std::move(*left++));
        } else if (left == a.end() || right->key < left->key) {
            out.push_back(*right++);
        } else {
            bool const other = left->stamp != right->stamp ? left->stamp < right->stamp : left->json < right->json;
            out.push_back(other ? *right : std::move(*left));
            ++left;
            ++right;
        }
    }
    a = std::move(out);
}

void join_seen(std::vector<profile::SeenMessage>& a, const std::vector<profile::SeenMessage>& b) {
    for (const auto& message : b)
        if (std::find(a.begin(), a.end(), message) == a.end())
            a.push_back(message);
    std::sort(a.begin(), a.end(), [](const auto& x, const auto& y) {
        return x.received_at != y.received_at ? x.received_at < y.received_at : x.hash < y.hash;
    });
    if (a.size() > remembered_messages)
        a.erase(a.begin(), a.end() - static_cast<std::ptrdiff_t>(remembered_messages));
}

void join_memories(std::vector<profile::WorkflowMemory>& a, const std::vector<profile::WorkflowMemory>& b) {
    for (const auto& memory : b) {
        auto const place = std::lower_bound(a.begin(), a.end(), memory.workflow,
                                            [](const auto& m, std::uint32_t id) { return m.workflow < id; });
        if (place == a.end() || place->workflow != memory.workflow) {
            a.insert(place, memory);
            continue;
        }
        place->entries = memory.entries > UINT32_MAX - place->entries ? UINT32_MAX : place->entries + memory.entries;
        place->last_start = std::max(place->last_start, memory.last_start);
    }
}

void join_completed(std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
    std::vector<std::uint32_t> out;
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
    a = std::move(out);
}

void join_past(SegmentPast& a, const SegmentPast& b) {
    std::vector<SegmentPast::Change> out;
    bool in_a = false, in_b = false, was = false;
    auto left = a.changes.begin();
    auto right = b.changes.begin();
    while (left != a.changes.end() || right != b.changes.end()) {
        bool const first = right == b.changes.end() || (left != a.changes.end() && left->at <= right->at);
        Time const at = first ? left->at : right->at;
        (first ? in_a : in_b) = first ? left->member : right->member;
        first ? (void)++left : (void)++right;
        if (bool const member = in_a || in_b; member != was) {
            was = member;
            out.push_back({at, member});
        }
    }
    a.changes = std::move(out);
    a.known_from = std::max(a.known_from, b.known_from);
    if (a.changes.size() > profile::past_limit) {
        a.changes.erase(a.changes.begin(), a.changes.end() - static_cast<std::ptrdiff_t>(profile::past_limit));
        a.known_from = std::max(a.known_from, a.changes.front().at);
    }
}

std::optional<Survivorship> survivorship_of(std::string_view name) noexcept {
    static constexpr std::pair<std::string_view, Survivorship> names[] = {
        {"newest", Survivorship::newest},     {"oldest", Survivorship::oldest}, {"min", Survivorship::least},
        {"max", Survivorship::greatest},      {"sum", Survivorship::sum},       {"union", Survivorship::unite},
        {"winner", Survivorship::winner},
    };
    for (const auto& [of, rule] : names)
        if (of == name)
            return rule;
    return std::nullopt;
}

namespace {

using Json = nlohmann::json;

bool less(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number())
        return a < b;
    auto const text = [](const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); };
    return text(a) < text(b);
}

std::string sum_of(const Attribute& a, const Attribute& b, const std::string& newest) {
    profile::Value const x{profile::Value::Kind::number, false, a.json}, y{profile::Value::Kind::number, false, b.json};
    auto const left = number_of(x), right = number_of(y);
    Micro sum = 0;
    if (!left || !right || __builtin_add_overflow(*left, *right, &sum))
        return newest;
    return print_micro(sum);
}

std::string united(const Json& a, const Json& b) {
    Json out = Json::array();
    for (const Json* list : {&a, &b})
        for (const Json& item : list->is_array() ? *list : Json::array({*list}))
            if (std::find(out.begin(), out.end(), item) == out.end())
                out.push_back(item);
    return out.dump();
}

} // namespace

std::optional<std::string> survivor(Survivorship rule, const Attribute& winner, const Attribute& loser) {
    bool const later = winner.stamp != loser.stamp ? winner.stamp < loser.stamp : winner.json < loser.json;
    const Attribute& newest = later ? loser : winner;
    const Attribute& oldest = later ? winner : loser;
    if (winner.json.empty() || loser.json.empty()) // removed: there is but one value
        return std::nullopt;
    std::string chosen = newest.json;
    Json const ours = Json::parse(winner.json, nullptr, false), theirs = Json::parse(loser.json, nullptr, false);
    switch (rule) {
    case Survivorship::newest:
        break;
    case Survivorship::oldest:
        chosen = oldest.json;
        break;
    case Survivorship::least:
        chosen = less(theirs, ours) ? loser.json : winner.json;
        break;
    case Survivorship::greatest:
        chosen = less(ours, theirs) ? loser.json : winner.json;
        break;
    case Survivorship::sum:
        chosen = sum_of(winner, loser, newest.json);
        break;
    case Survivorship::unite:
        chosen = united(ours, theirs);
        break;
    case Survivorship::winner:
        chosen = winner.json;
        break;
    }
    if (chosen == newest.json)
        return std::nullopt;
    return chosen;
}

} // namespace nurture::identity
