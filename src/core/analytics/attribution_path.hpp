#pragma once
// The path of one contact: when it was touched by which channel.
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace nurture::analytics {

/// One touch; `channel` points into whatever the path was read from.
struct Touch {
    Time at;
    std::string_view channel;
};

inline constexpr std::size_t max_channel_bytes = 512;
inline constexpr std::size_t max_touches = 100'000;

/// A path in its canonical order: by time, at equal times by the bytes of the channel's name. Never empty.
using Path = std::vector<Touch>;

/// Throws invalid_parameter for a name that is empty or too long.
void check_channel(std::string_view channel);

/// Brings touches into the canonical order. Throws limit_exceeded beyond max_touches, invalid_parameter for a
/// name that is empty or too long.
void canonicalize(Path& path);

/// The canonical bytes of a canonical path: version, names, touches.
[[nodiscard]] std::string encode_path(const Path& path);
/// The touches of an encoded path; throws corrupt_data for what encode_path does not write.
[[nodiscard]] Path decode_path(std::string_view bytes);

/// `[["2026-01-31T12:00:00Z","email"],…]`, exact and independent of any setting.
[[nodiscard]] std::string print_path(const Path& path);
/// Reads what print_path writes (and JSON arrays like it); the names are kept in `names`.
[[nodiscard]] Path parse_path(std::string_view text, std::pmr::memory_resource* names);

/// The touches at or before `until`, less than `span` earlier (a span of `never` takes all).
[[nodiscard]] Path lookback(const Path& path, Time until, Span span);

/// Collects touches in any order: one flat buffer, small while the path is short.
class PathBuilder {
public:
    explicit PathBuilder(std::pmr::memory_resource* memory) : bytes_(memory) {}

    void add(Time at, std::string_view channel);
    void merge(const PathBuilder& other);
    /// What was added, canonical; the names point into this builder.
    [[nodiscard]] Path path() const;
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    /// The buffer, for another process of the same server.
    [[nodiscard]] std::string_view raw() const noexcept { return bytes_; }
    /// Takes over another's buffer; throws corrupt_data when it is none.
    void add_raw(std::string_view raw);

private:
    std::size_t count_ = 0;
    std::pmr::string bytes_; // time (8), length (2), name, again and again
};

} // namespace nurture::analytics
