#pragma once
// What the parts of a condition's evaluation share.
#include "core/step/facts.hpp"

#include <algorithm>

namespace nurture::step {

/// What an operand holds: a JSON value, a number of 10^-6 or a time; and when that can change by itself.
struct Facts::Reading {
    enum class Kind : std::uint8_t { missing, value, number, time };
    Kind kind = Kind::missing;
    profile::Value value;
    Wide number = 0;
    Time flips = never;
    bool bound = false; ///< there may be more events than those it was read from
};

inline Truth truth(bool b) noexcept { return b ? Truth::yes : Truth::no; }

inline Truth negate(Truth t) noexcept { return t == Truth::unknown ? t : t == Truth::yes ? Truth::no : Truth::yes; }

template <class T>
bool holds(const T& a, language::Comparator comparator, const T& b) {
    switch (comparator) {
    case language::Comparator::equal:
        return a == b;
    case language::Comparator::not_equal:
        return a != b;
    case language::Comparator::less:
        return a < b;
    case language::Comparator::less_equal:
        return a <= b;
    case language::Comparator::greater:
        return a > b;
    case language::Comparator::greater_equal:
        return a >= b;
    }
    return false;
}

inline std::string_view text_of(const profile::Value& value) noexcept {
    if (value.kind == profile::Value::Kind::boolean)
        return value.boolean ? "true" : "false";
    return value.text;
}

/// The earlier of two flips, of which only those after the clock count.
inline void sooner(Time& flips, Time candidate, Time clock) noexcept {
    if (candidate > clock)
        flips = std::min(flips, candidate);
}

} // namespace nurture::step
