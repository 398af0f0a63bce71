#pragma once
// Bytes out and in for the stored forms of the aggregates: big-endian words, minimal variable-length integers
// (LEB128). The reader trusts nothing: each read checks what is left and that there is one way only to write
// a value.
#include "core/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace nurture::analytics {

/// Appends integers to a string.
class ByteWriter {
public:
    explicit ByteWriter(std::string& out) noexcept : out_(out) {}
    void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void word(std::uint64_t value) {
        for (int shift = 56; shift >= 0; shift -= 8)
            byte(static_cast<std::uint8_t>(value >> shift));
    }
    void varint(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            byte(static_cast<std::uint8_t>(value | 0x80));
        byte(static_cast<std::uint8_t>(value));
    }
    void text(std::string_view value) {
        varint(value.size());
        out_.append(value);
    }

private:
    std::string& out_;
};

/// Reads what ByteWriter wrote; throws Error(corrupt_data) on anything else.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }
    [[nodiscard]] std::uint8_t byte() {
        if (left() == 0)
            fail("the bytes end too early");
        return static_cast<std::uint8_t>(bytes_[at_++]);
    }
    [[nodiscard]] std::uint64_t word() {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i)
            value = value << 8 | byte();
        return value;
    }
    [[nodiscard]] std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            std::uint8_t const next = byte();
            if (shift == 63 && next > 1)
                fail("an integer has more than 64 bits");
            value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            if ((next & 0x80) == 0) {
                if (next == 0 && shift != 0)
                    fail("an integer is not written in its shortest form");
                return value;
            }
        }
    }
    [[nodiscard]] std::string_view text() {
        std::uint64_t const size = varint();
        if (size > left())
            fail("a text is longer than the bytes");
        std::string_view const value = bytes_.substr(at_, size);
        at_ += size;
        return value;
    }
    /// How many entries follow; each takes at least `least` bytes, so a forged count cannot make us allocate
    /// much.
    [[nodiscard]] std::size_t count(std::size_t least) {
        std::uint64_t const n = varint();
        if (n > left() / least)
            fail("more entries are announced than there are bytes");
        return static_cast<std::size_t>(n);
    }
    void end() const {
        if (left() != 0)
            fail("there are bytes after the end");
    }
    [[noreturn]] static void fail(const char* why) {
        throw Error(ErrorKind::corrupt_data, "invalid summary or aggregate state",
                    std::string("Reason: ") + why + ".");
    }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
};

} // namespace nurture::analytics
