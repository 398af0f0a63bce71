#include "core/analytics/next_node.hpp"

#include "core/analytics/events.hpp"
#include "core/base/error.hpp"

#include <string>

namespace nurture::analytics {

Direction parse_direction(std::string_view text) {
    if (text == "forward")
        return Direction::forward;
    if (text == "backward")
        return Direction::backward;
    throw Error(ErrorKind::invalid_parameter, "unknown direction \"" + std::string(text) + "\"", "",
                "Directions are forward and backward.");
}

Base parse_base(std::string_view text) {
    constexpr std::string_view names[] = {"head", "tail", "first_match", "last_match"};
    for (std::size_t i = 0; i < std::size(names); ++i)
        if (text == names[i])
            return static_cast<Base>(i);
    throw Error(ErrorKind::invalid_parameter, "unknown base \"" + std::string(text) + "\"", "",
                "Bases are head, tail, first_match and last_match.");
}

bool before(const Node& a, const Node& b) noexcept {
    if (a.at != b.at)
        return a.at < b.at;
    if (a.value != b.value)
        return a.value && (!b.value || *a.value < *b.value);
    return a.mask != b.mask ? a.mask < b.mask : a.base < b.base;
}

std::optional<std::size_t> next_node(std::span<const Node> nodes, unsigned steps, Direction direction,
                                     Base base) noexcept {
    bool const forward = direction == Direction::forward;
    auto const begins_at = [&](std::size_t start) {
        if (!nodes[start].base || (forward ? nodes.size() - start : start + 1) < steps)
            return false;
        for (unsigned step = 0; step < steps; ++step)
            if ((nodes[forward ? start + step : start - step].mask & bit(step)) == 0)
                return false;
        return true;
    };
    std::optional<std::size_t> start;
    for (std::size_t i = 0; i < nodes.size() && !start; ++i) {
        // head and tail look at one row, the matches walk from their end of the sequence.
        std::size_t const candidate =
            base == Base::tail || base == Base::last_match ? nodes.size() - 1 - i : i;
        if (begins_at(candidate))
            start = candidate;
        if (base == Base::head || base == Base::tail)
            break;
    }
    if (!start || (forward ? *start + steps == nodes.size() : *start + 1 == steps))
        return std::nullopt;
    return forward ? *start + steps : *start - steps;
}

} // namespace nurture::analytics
