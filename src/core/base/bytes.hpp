#pragma once
// Compact, portable bytes: variable-length integers (LEB128, zigzag for signed) and length-prefixed strings. The reader
// trusts nothing: whatever does not add up is ErrorKind::corrupt_data.
#include "core/base/error.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace nurture {

class ByteWriter {
  public:
    void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void number(std::uint64_t value) {
        while (value >= 0x80) {
            byte(static_cast<std::uint8_t>(value | 0x80));
            value >>= 7;
        }
        byte(static_cast<std::uint8_t>(value));
    }
    void integer(std::int64_t value) {
        number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    void wide(__int128 value) {
        auto zigzag = (static_cast<unsigned __int128>(value) << 1) ^ static_cast<unsigned __int128>(value >> 127);
        while (zigzag >= 0x80) {
            byte(static_cast<std::uint8_t>(static_cast<std::uint64_t>(zigzag) | 0x80));
            zigzag >>= 7;
        }
        byte(static_cast<std::uint8_t>(zigzag));
    }
    void fixed64(std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8)
            byte(static_cast<std::uint8_t>(value >> shift));
    }
    void text(std::string_view value) {
        number(value.size());
        out_.append(value);
    }
    void raw(std::string_view value) { out_.append(value); }
    void clear() noexcept { out_.clear(); }
    [[nodiscard]] const std::string& bytes() const noexcept { return out_; }
    [[nodiscard]] std::string take() noexcept { return std::move(out_); }

  private:
    std::string out_;
};

class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) noexcept : next_(bytes.data()), end_(next_ + bytes.size()) {}

    [[nodiscard]] bool at_end() const noexcept { return next_ == end_; }
    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - next_); }
    std::uint8_t byte() {
        if (next_ == end_)
            corrupt("ends too early");
        return static_cast<std::uint8_t>(*next_++);
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            std::uint8_t const b = byte();
            if (shift == 63 && b > 1)
                break;
            value |= static_cast<std::uint64_t>(b & 0x7f) << shift;
            if (b < 0x80)
                return value;
        }
        corrupt("holds a number that is too long");
    }
    std::int64_t integer() {
        std::uint64_t const value = number();
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    __int128 wide() {
        unsigned __int128 value = 0;
        for (int shift = 0; shift < 128; shift += 7) {
            std::uint8_t const b = byte();
            if (shift == 126 && b > 3)
                break;
            value |= static_cast<unsigned __int128>(b & 0x7f) << shift;
            if (b < 0x80)
                return static_cast<__int128>(value >> 1) ^ -static_cast<__int128>(value & 1);
        }
        corrupt("holds a number that is too long");
    }
    std::uint64_t fixed64() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 8)
            value |= static_cast<std::uint64_t>(byte()) << shift;
        return value;
    }
    std::string_view text() { return raw(number()); }
    std::string_view raw(std::uint64_t size) {
        if (size > left())
            corrupt("ends too early");
        std::string_view const value(next_, size);
        next_ += size;
        return value;
    }
    /// A count of things that take at least `each` bytes: bounded by what is left, so that it can be reserved.
    std::size_t count(std::size_t each = 1) {
        std::uint64_t const n = number();
        if (n > left() / each)
            corrupt("promises more than it holds");
        return static_cast<std::size_t>(n);
    }
    [[noreturn]] static void corrupt(const char* how) {
        throw Error(ErrorKind::corrupt_data, std::string("corrupt data: the value ") + how);
    }

  private:
    const char* next_;
    const char* end_;
};

} // namespace nurture
