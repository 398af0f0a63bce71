// What all pictures refuse.
#include "core/report/plots.hpp"

#include "core/base/error.hpp"

#include <cmath>

namespace nurture::report {

void check_lengths(std::string_view first, std::size_t n, std::string_view second, std::size_t m) {
    if (n == 0)
        throw Error(ErrorKind::invalid_parameter, "there is nothing to draw: " + std::string(first) + " is empty");
    if (n != m)
        throw Error(ErrorKind::invalid_parameter,
                    std::string(first) + " and " + std::string(second) + " must have the same length",
                    "They have " + std::to_string(n) + " and " + std::to_string(m) + " elements.",
                    "Make both with array_agg over the same rows, in the same ORDER BY.");
}

void check_finite(std::string_view name, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
            throw Error(ErrorKind::invalid_parameter, std::string(name) + " must be finite numbers",
                        "Element " + std::to_string(i + 1) + " is " +
                            (std::isnan(values[i]) ? "not a number." : "infinite."));
}

void check_counts(std::string_view name, std::span<const std::int64_t> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] < 0)
            throw Error(ErrorKind::invalid_parameter, std::string(name) + " must not be negative",
                        "Element " + std::to_string(i + 1) + " is " + std::to_string(values[i]) + ".");
}

void check_limit(std::string_view name, std::size_t n, std::size_t limit, std::string_view hint) {
    if (n > limit)
        throw Error(ErrorKind::limit_exceeded, "too many " + std::string(name) + " for one picture",
                    "There are " + std::to_string(n) + ", at most " + std::to_string(limit) + " can be drawn.",
                    std::string(hint));
}

} // namespace nurture::report
