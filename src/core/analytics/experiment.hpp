#pragma once
// Experiments with arms: what happened in each, and the statistical tests over it.
#include <cstdint>
#include <map>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/decimal.hpp"

namespace nurture::analytics {

/// One arm of an experiment. `values` are the distinct measured values and how often each was seen,
/// ascending.
struct Arm {
    std::string name;
    std::int64_t n = 0;
    std::int64_t conversions = 0;
    std::vector<std::pair<Micro, std::int64_t>> values;
};

/// Collects subjects in any order; the bytes depend on the set of subjects alone.
class Experiment {
public:
    static constexpr std::size_t max_arms = 100;
    static constexpr std::size_t max_name_bytes = 512;
    static constexpr std::size_t max_values = 16'000'000;
    static constexpr std::int64_t max_subjects = 1'000'000'000'000; // keeps the sums of the exact test finite

    explicit Experiment(std::pmr::memory_resource* memory) : arms_(memory) {}
    Experiment(const Experiment&) = delete;
    Experiment& operator=(const Experiment&) = delete;

    /// Adds a subject. Throws limit_exceeded beyond max_arms or max_values distinct values.
    void add(std::string_view arm, bool converted, std::optional<Micro> value);
    void merge(const Experiment& other);
    /// Adds an encoded summary; throws corrupt_data for anything encode does not write.
    void merge(std::string_view bytes);
    [[nodiscard]] std::string encode() const;

private:
    using Values = std::pmr::vector<std::pair<Micro, std::int64_t>>;
    struct State {
        using allocator_type = std::pmr::polymorphic_allocator<char>;
        explicit State(const allocator_type& memory) : values(memory) {}
        std::int64_t n = 0;
        std::int64_t conversions = 0;
        Values values;             // in any order, values may repeat
        std::size_t compacted = 0; // their number when they were last sorted and merged
    };
    std::pmr::map<std::pmr::string, State, std::less<>> arms_;

    State& arm(std::string_view name);
    static void add_value(State& state, Micro value, std::int64_t count);
};

[[nodiscard]] std::string encode_experiment(const std::vector<Arm>& arms);
/// The validator of encoded summaries: arms in byte order of their names.
[[nodiscard]] std::vector<Arm> decode_experiment(std::string_view bytes);

/// One line of a report. What a test does not have is empty.
struct Finding {
    std::string test;
    std::string arm;
    std::string versus;
    std::optional<double> estimate;
    std::optional<double> low;
    std::optional<double> high;
    std::optional<double> statistic;
    std::optional<double> df;
    std::optional<double> p_value;
    std::string source;
};

struct ReportOptions {
    std::optional<std::string> control; ///< the first arm by name when empty
    double confidence = 0.95;
    double power = 0.8;
    std::vector<double> expected; ///< planned shares of the arms, in order of their names; equal when empty
};

/// All tests over the arms. Throws invalid_parameter for impossible options.
[[nodiscard]] std::vector<Finding> report_experiment(const std::vector<Arm>& arms,
                                                     const ReportOptions& options);

} // namespace nurture::analytics
