#include "core/analytics/attribution_path.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "core/base/iso_time.hpp"
#include "core/base/varint.hpp"

namespace nurture::analytics {

namespace {

constexpr char format_version = 1;

bool before(const Touch& a, const Touch& b) noexcept {
    return a.at != b.at ? a.at < b.at : a.channel < b.channel;
}

[[noreturn]] void too_long() {
    throw Error(
        ErrorKind::limit_exceeded, "path is too long",
        "A path has at most " + std::to_string(max_touches) + " touches.",
        "Leave out what is no marketing touch (crawlers, page views), or aggregate a shorter span of time.");
}

std::vector<std::string_view> names_of(const Path& path) {
    std::vector<std::string_view> names;
    names.reserve(path.size());
    for (auto const& touch : path)
        names.push_back(touch.channel);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

void print_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (char const c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 32) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", c);
            out += escape;
        } else {
            out += c;
        }
    }
    out += '"';
}

// The little of JSON that a path's text needs.
class TextReader {
public:
    explicit TextReader(std::string_view text) noexcept : text_(text) {}

    void expect(char c) {
        if (!take(c))
            fail(std::string("Expected \"") + c + "\"");
    }
    bool take(char c) noexcept {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }
    std::string string() {
        expect('"');
        std::string out;
        for (;;) {
            if (at_ == text_.size())
                fail("Expected the end of a string");
            char const c = text_[at_++];
            if (c == '"')
                return out;
            out += c == '\\' ? escaped() : c;
        }
    }
    void end() {
        skip_blanks();
        if (at_ != text_.size())
            fail("Expected the end");
    }
    [[noreturn]] void fail(const std::string& expectation) const {
        throw Error(ErrorKind::syntax, "invalid text of path",
                    expectation + " at byte " + std::to_string(at_ + 1) + ".",
                    "A path looks like "
                    "[[\"2026-01-31T12:00:00Z\",\"email\"],[\"2026-02-01T08:30:00Z\",\"search\"]].");
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;

    void skip_blanks() noexcept {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
            ++at_;
    }
    char escaped() {
        if (at_ == text_.size())
            fail("Expected an escaped character");
        char const c = text_[at_++];
        switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'u':
            return control();
        case '"':
        case '\\':
        case '/':
            return c;
        default:
            fail("Expected an escape of JSON");
        }
    }
    // \u00XX below 32 alone: other characters stand for themselves.
    char control() {
        auto const digits = text_.substr(at_, 4);
        int value = 0;
        if (digits.size() != 4 || digits.substr(0, 2) != "00")
            fail("Expected a control character (write others as they are)");
        for (char const c : digits.substr(2)) {
            int const digit = c >= '0' && c <= '9'   ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : 99;
            value = value * 16 + digit;
        }
        if (value < 1 || value > 31)
            fail("Expected a control character (write others as they are)");
        at_ += 4;
        return static_cast<char>(value);
    }
};

} // namespace

void check_channel(std::string_view channel) {
    if (channel.empty() || channel.size() > max_channel_bytes)
        throw Error(ErrorKind::invalid_parameter, "name of a channel is empty or too long",
                    "A channel's name has 1 to " + std::to_string(max_channel_bytes) + " bytes.");
}

void canonicalize(Path& path) {
    if (path.size() > max_touches)
        too_long();
    for (auto const& touch : path)
        check_channel(touch.channel);
    std::sort(path.begin(), path.end(), before);
}

// version, number of names, names in byte order, number of touches, first time, then per touch: name, gap to
// the last.
std::string encode_path(const Path& path) {
    auto const names = names_of(path);
    std::string out;
    out.reserve(16 + 16 * names.size() + 8 * path.size());
    out += format_version;
    put_varint(out, names.size());
    for (auto const& name : names)
        put_text(out, name);
    put_varint(out, path.size());
    Time last = path.front().at;
    put_signed(out, last);
    for (auto const& touch : path) {
        auto const name = std::lower_bound(names.begin(), names.end(), touch.channel) - names.begin();
        put_varint(out, static_cast<std::uint64_t>(name));
        put_varint(out, static_cast<std::uint64_t>(touch.at) - static_cast<std::uint64_t>(last));
        last = touch.at;
    }
    return out;
}

Path decode_path(std::string_view bytes) {
    VarintReader reader(bytes, "path");
    reader.version(format_version);
    std::size_t const count = reader.count();
    // Few names are the rule: they need no allocation.
    std::array<std::byte, 1024> local;
    std::pmr::monotonic_buffer_resource memory(local.data(), local.size());
    std::pmr::vector<std::string_view> names(count, &memory);
    std::pmr::vector<char> used(count, 0, &memory);
    for (std::size_t i = 0; i < count; ++i) {
        names[i] = reader.text();
        if (names[i].empty() || names[i].size() > max_channel_bytes ||
            names[i].find('\0') != std::string_view::npos)
            reader.corrupt("A channel's name is empty or too long.");
        if (i > 0 && names[i] <= names[i - 1])
            reader.corrupt("The channels are not in order.");
    }
    Path path(reader.count());
    if (path.empty() || path.size() > max_touches)
        reader.corrupt("The number of touches is out of range.");
    Wide at = reader.signed_varint(64);
    std::size_t last = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        auto const name = static_cast<std::size_t>(reader.varint(32));
        auto const gap = reader.varint(64);
        at += static_cast<Wide>(gap);
        if (name >= count || at >= never || at <= always || (i == 0 && gap != 0))
            reader.corrupt("A touch is out of range.");
        if (i > 0 && gap == 0 && name < last)
            reader.corrupt("The touches are not in order.");
        path[i] = {static_cast<Time>(at), names[name]};
        used[name] = 1;
        last = name;
    }
    if (std::find(used.begin(), used.end(), 0) != used.end())
        reader.corrupt("A channel has no touch.");
    reader.finish();
    return path;
}

std::string print_path(const Path& path) {
    std::string out = "[";
    for (auto const& touch : path) {
        out += out.size() > 1 ? ",[\"" : "[\"";
        out += print_iso_time(touch.at);
        out += "\",";
        print_json_string(out, touch.channel);
        out += ']';
    }
    return out + ']';
}

Path parse_path(std::string_view text, std::pmr::memory_resource* names) {
    TextReader reader(text);
    Path path;
    reader.expect('[');
    do {
        reader.expect('[');
        auto const at = parse_iso_time(reader.string());
        if (!at || *at == never || *at == always)
            reader.fail("Expected a time such as 2026-01-31T12:00:00Z before the string ending");
        reader.expect(',');
        std::string const channel = reader.string();
        reader.expect(']');
        auto* const kept = static_cast<char*>(names->allocate(channel.size() + 1, 1));
        std::memcpy(kept, channel.data(), channel.size());
        path.push_back({*at, {kept, channel.size()}});
        if (path.size() > max_touches)
            too_long();
    } while (reader.take(','));
    reader.expect(']');
    reader.end();
    canonicalize(path);
    return path;
}

Path lookback(const Path& path, Time until, Span span) {
    Path out;
    for (auto const& touch : path)
        if (touch.at <= until && (span == never || static_cast<Wide>(until) - touch.at < span))
            out.push_back(touch);
    return out;
}

void PathBuilder::add(Time at, std::string_view channel) {
    if (count_ == max_touches)
        too_long();
    check_channel(channel);
    constexpr std::size_t first_chunk = 127; // some touches of short names, and what the allocator rounds to
    if (count_ == 0)
        bytes_.reserve(first_chunk);
    auto const size = static_cast<std::uint16_t>(channel.size());
    char head[10];
    std::memcpy(head, &at, 8);
    std::memcpy(head + 8, &size, 2);
    bytes_.append(head, sizeof head);
    bytes_.append(channel);
    ++count_;
}

void PathBuilder::merge(const PathBuilder& other) {
    if (count_ + other.count_ > max_touches)
        too_long();
    count_ += other.count_;
    bytes_.append(other.bytes_);
}

Path PathBuilder::path() const {
    Path path;
    path.reserve(count_);
    for (std::size_t i = 0; i < bytes_.size();) {
        Time at = 0;
        std::uint16_t size = 0;
        std::memcpy(&at, bytes_.data() + i, 8);
        std::memcpy(&size, bytes_.data() + i + 8, 2);
        path.push_back({at, std::string_view(bytes_).substr(i + 10, size)});
        i += 10 + size;
    }
    canonicalize(path);
    return path;
}

void PathBuilder::add_raw(std::string_view raw) {
    while (!raw.empty()) {
        Time at = 0;
        std::uint16_t size = 0;
        if (raw.size() >= 10) {
            std::memcpy(&at, raw.data(), 8);
            std::memcpy(&size, raw.data() + 8, 2);
        }
        if (raw.size() < std::size_t{10} + size || size == 0)
            throw Error(ErrorKind::corrupt_data, "invalid bytes in the state of a path");
        add(at, raw.substr(10, size));
        raw.remove_prefix(std::size_t{10} + size);
    }
}

} // namespace nurture::analytics
