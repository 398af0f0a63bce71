#pragma once
// Numbers and strings as the analytic types keep them in bytes: LEB128, seven bits at a time, shortest form
// only, so that equal values are equal bytes.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/decimal.hpp"
#include "core/base/error.hpp"

namespace nurture {

using UnsignedWide = unsigned __int128;

/// Appends an unsigned number. Out is std::string or std::pmr::string.
template <class Out>
void put_varint(Out& out, UnsignedWide value) {
    if (value < 128) {
        out += static_cast<char>(static_cast<unsigned char>(value));
        return;
    }
    if ((value >> 64) == 0) {
        auto small = static_cast<std::uint64_t>(value);
        for (; small >= 128; small >>= 7)
            out += static_cast<char>(static_cast<unsigned char>(small | 128));
        out += static_cast<char>(static_cast<unsigned char>(small));
        return;
    }
    for (; value >= 128; value >>= 7)
        out += static_cast<char>(static_cast<unsigned char>(value | 128));
    out += static_cast<char>(static_cast<unsigned char>(value));
}

/// Appends a signed number; small magnitudes are short.
template <class Out>
void put_signed(Out& out, Wide value) {
    put_varint(out, static_cast<UnsignedWide>(value) << 1 ^ static_cast<UnsignedWide>(value >> 127));
}

/// Appends a length and the bytes.
template <class Out>
void put_text(Out& out, std::string_view text) {
    put_varint(out, text.size());
    out += text;
}

/// Takes numbers from the front of bytes nobody vouches for. Throws corrupt_data for every form that put_*
/// would not have written.
class VarintReader {
public:
    /// `what` names the value in the error: "invalid bytes in <what>".
    VarintReader(std::string_view bytes, const char* what) noexcept : bytes_(bytes), what_(what) {}

    [[noreturn]] void corrupt(const char* detail) const {
        throw Error(ErrorKind::corrupt_data, std::string("invalid bytes in ") + what_, detail);
    }

    /// The version in the first byte must be `newest`; a greater one throws newer_format.
    void version(char newest) {
        if (bytes_.empty())
            corrupt("There are no bytes.");
        auto const found = static_cast<unsigned char>(bytes_[at_++]);
        if (found > static_cast<unsigned char>(newest))
            throw Error(ErrorKind::newer_format,
                        std::string(what_) + " was written by a later version of nurture");
        if (found != static_cast<unsigned char>(newest))
            corrupt("The version is unknown.");
    }

    UnsignedWide varint(int bits) {
        if (at_ < bytes_.size() && static_cast<unsigned char>(bytes_[at_]) < 128) [[likely]] {
            auto const byte = static_cast<unsigned char>(bytes_[at_++]);
            if (bits < 7 && (byte >> bits) != 0)
                corrupt("A number is too large.");
            return byte;
        }
        if (bits <= 64)
            return long_varint<std::uint64_t>(bits);
        return is_short() ? long_varint<std::uint64_t>(63) : long_varint<UnsignedWide>(bits);
    }
    /// Passes over numbers without looking at them.
    void skip(std::size_t numbers) {
        // A number ends with its only byte below 128.
        constexpr std::uint64_t highest_bits = 0x8080'8080'8080'8080;
        for (std::uint64_t word = 0; numbers >= sizeof word && left() >= sizeof word; at_ += sizeof word) {
            std::memcpy(&word, bytes_.data() + at_, sizeof word);
            numbers -= static_cast<std::size_t>(std::popcount(~word & highest_bits));
        }
        for (; numbers > 0; ++at_) {
            if (at_ == bytes_.size())
                corrupt("The bytes end within a number.");
            numbers -= static_cast<unsigned char>(bytes_[at_]) < 128 ? 1 : 0;
        }
    }
    Wide signed_varint(int bits) {
        UnsignedWide const value = varint(bits);
        return static_cast<Wide>(value >> 1) ^ -static_cast<Wide>(value & 1);
    }
    /// A number that counts things of which each takes at least one byte of what is left.
    std::size_t count() {
        UnsignedWide const value = varint(32);
        if (value > left())
            corrupt("A count is larger than the bytes that are left.");
        return static_cast<std::size_t>(value);
    }
    std::string_view text() {
        std::size_t const size = count();
        std::string_view const value = bytes_.substr(at_, size);
        at_ += size;
        return value;
    }
    unsigned char byte() {
        if (at_ == bytes_.size())
            corrupt("The bytes end too early.");
        return static_cast<unsigned char>(bytes_[at_++]);
    }
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }
    [[nodiscard]] std::size_t position() const noexcept { return at_; }
    void finish() const {
        if (left() != 0)
            corrupt("There are bytes left over.");
    }

private:
    std::string_view bytes_;
    const char* what_;
    std::size_t at_ = 0;

    /// Does the number end within nine bytes, so that it has at most 63 bits? Most do.
    [[nodiscard]] bool is_short() const noexcept {
        for (char const byte : bytes_.substr(at_, 9))
            if (static_cast<unsigned char>(byte) < 128)
                return true;
        return false;
    }
    template <class Number>
    Number long_varint(int bits) {
        Number value = 0;
        for (int shift = 0;; shift += 7) {
            if (at_ == bytes_.size())
                corrupt("The bytes end within a number.");
            auto const byte = static_cast<unsigned char>(bytes_[at_++]);
            auto const part = static_cast<Number>(byte & 127);
            if (shift >= bits || (bits - shift < 7 && (part >> (bits - shift)) != 0))
                corrupt("A number is too large.");
            value |= part << shift;
            if (byte < 128) {
                if (byte == 0 && shift > 0)
                    corrupt("A number is longer than needed.");
                return value;
            }
        }
    }
};

} // namespace nurture
