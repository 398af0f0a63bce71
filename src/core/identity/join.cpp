#include "core/identity/join.hpp"

#include "core/base/error.hpp"
#include "core/base/hex.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace nurture::identity {

using profile::Attribute;
using profile::SegmentPast;

namespace {

constexpr std::size_t remembered_messages = 1'000; // as the step keeps them

} // namespace

profile::Profile mailed_state(const profile::Properties& properties) {
    auto const bytes = from_hex(properties.get({{"state"}}).text);
    if (!bytes || bytes->empty())
        throw Error(ErrorKind::corrupt_data, "corrupt data: the message carries no state");
    return profile::decode(*bytes);
}

const Attribute& newest(const Attribute& a, const Attribute& b) {
    return std::tie(a.stamp, a.json, a.source) < std::tie(b.stamp, b.json, b.source) ? b : a;
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
            bool const other = &newest(*left, *right) == &*right;
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

namespace {

// Both have been in under their keys; of too many the first of the one that goes on are forgotten, as when they are too many
// for one contact.
void join_keys(std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
    for (std::uint64_t const key : b)
        if (std::find(a.begin(), a.end(), key) == a.end())
            a.push_back(key);
    if (a.size() > profile::keys_limit)
        a.erase(a.begin(), a.end() - static_cast<std::ptrdiff_t>(profile::keys_limit));
}

} // namespace

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
        join_keys(place->keys, memory.keys);
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
    const Attribute& latest = newest(winner, loser);
    const Attribute& oldest = &latest == &winner ? loser : winner;
    if (winner.json.empty() || loser.json.empty()) // removed: there is but one value
        return std::nullopt;
    std::string chosen = latest.json;
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
        chosen = sum_of(winner, loser, latest.json);
        break;
    case Survivorship::unite:
        chosen = united(ours, theirs);
        break;
    case Survivorship::winner:
        chosen = winner.json;
        break;
    }
    if (chosen == latest.json)
        return std::nullopt;
    return chosen;
}

const Attribute& of_better_source(const Attribute& a, const Attribute& b, const std::vector<std::string>& sources) {
    auto const left = std::find(sources.begin(), sources.end(), a.source), right = std::find(sources.begin(), sources.end(), b.source);
    if (left == right || a.json.empty() || b.json.empty()) // removed: there is but one value
        return newest(a, b);
    return left < right ? a : b;
}

} // namespace nurture::identity
