#include "core/analytics/experiment.hpp"

#include <algorithm>
#include <cmath>

#include "core/analytics/experiment_tests.hpp"
#include "core/base/varint.hpp"

namespace nurture::analytics {

namespace {

constexpr char format_version = 1;

// Sorts by value and adds up equal ones.
template <class List>
void compact(List& values) {
    std::sort(values.begin(), values.end());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (kept > 0 && values[kept - 1].first == values[i].first)
            values[kept - 1].second += values[i].second;
        else
            values[kept++] = values[i];
    }
    values.resize(kept);
}

} // namespace

Experiment::State& Experiment::arm(std::string_view name) {
    auto const found = arms_.find(name);
    if (found != arms_.end())
        return found->second;
    if (name.empty() || name.size() > max_name_bytes)
        throw Error(ErrorKind::invalid_parameter, "name of an arm is empty or too long",
                    "An arm's name has 1 to " + std::to_string(max_name_bytes) + " bytes.");
    if (arms_.size() == max_arms)
        throw Error(ErrorKind::limit_exceeded, "too many arms",
                    "An experiment has at most " + std::to_string(max_arms) + " arms.");
    return arms_.try_emplace(std::pmr::string(name, arms_.get_allocator())).first->second;
}

void Experiment::add_value(State& state, Micro value, std::int64_t count) {
    state.values.emplace_back(value, count);
    if (state.values.size() < 2 * state.compacted + 1024)
        return;
    compact(state.values);
    state.compacted = state.values.size();
    if (state.compacted > max_values)
        throw Error(ErrorKind::limit_exceeded, "too many distinct values in an arm",
                    "An arm keeps at most " + std::to_string(max_values) + " distinct values.",
                    "Round the values, for instance to whole cents.");
}

void Experiment::add(std::string_view name, bool converted, std::optional<Micro> value) {
    State& state = arm(name);
    ++state.n;
    state.conversions += converted ? 1 : 0;
    if (value)
        add_value(state, *value, 1);
}

void Experiment::merge(const Experiment& other) {
    for (auto const& [name, theirs] : other.arms_) {
        State& state = arm(name);
        state.n += theirs.n;
        state.conversions += theirs.conversions;
        for (auto const& [value, count] : theirs.values)
            add_value(state, value, count);
    }
}

void Experiment::merge(std::string_view bytes) {
    for (auto const& theirs : decode_experiment(bytes)) {
        State& state = arm(theirs.name);
        state.n += theirs.n;
        if (state.n > max_subjects)
            throw Error(ErrorKind::out_of_range, "number of subjects out of range");
        state.conversions += theirs.conversions;
        for (auto const& [value, count] : theirs.values)
            add_value(state, value, count);
    }
}

std::string Experiment::encode() const {
    std::vector<Arm> arms;
    for (auto const& [name, state] : arms_) {
        Arm copy{std::string(name), state.n, state.conversions, {state.values.begin(), state.values.end()}};
        compact(copy.values);
        arms.push_back(std::move(copy));
    }
    return encode_experiment(arms);
}

// version, arms: name, n, conversions, distinct values: the first, then gaps, each with its count.
std::string encode_experiment(const std::vector<Arm>& arms) {
    std::string out(1, format_version);
    put_varint(out, arms.size());
    for (auto const& arm : arms) {
        put_text(out, arm.name);
        put_varint(out, static_cast<std::uint64_t>(arm.n));
        put_varint(out, static_cast<std::uint64_t>(arm.conversions));
        put_varint(out, arm.values.size());
        Wide last = 0;
        for (auto const& [value, count] : arm.values) {
            if (&value == &arm.values.front().first)
                put_signed(out, value);
            else
                put_varint(out, static_cast<UnsignedWide>(value - last));
            put_varint(out, static_cast<std::uint64_t>(count));
            last = value;
        }
    }
    return out;
}

std::vector<Arm> decode_experiment(std::string_view bytes) {
    VarintReader reader(bytes, "experiment summary");
    reader.version(format_version);
    std::size_t const count = reader.count();
    if (count == 0 || count > Experiment::max_arms)
        reader.corrupt("The number of arms is out of range.");
    std::vector<Arm> arms;
    for (std::size_t i = 0; i < count; ++i) {
        Arm arm;
        arm.name = reader.text();
        if (arm.name.empty() || arm.name.size() > Experiment::max_name_bytes ||
            arm.name.find('\0') != std::string::npos)
            reader.corrupt("An arm's name is empty or too long.");
        if (i > 0 && arm.name <= arms.back().name)
            reader.corrupt("The arms are not in order.");
        arm.n = static_cast<std::int64_t>(reader.varint(63));
        arm.conversions = static_cast<std::int64_t>(reader.varint(63));
        if (arm.n == 0 || arm.n > Experiment::max_subjects || arm.conversions > arm.n)
            reader.corrupt("The numbers of an arm are out of range.");
        arm.values.resize(reader.count());
        Wide value = 0;
        Wide sum = 0;
        for (std::size_t k = 0; k < arm.values.size(); ++k) {
            if (k == 0) {
                value = reader.signed_varint(64);
            } else {
                UnsignedWide const gap = reader.varint(64);
                value += static_cast<Wide>(gap);
                if (gap == 0 || value > INT64_MAX)
                    reader.corrupt("The values of an arm are not in order.");
            }
            auto const times = static_cast<std::int64_t>(reader.varint(63));
            sum += times;
            if (times == 0 || sum > arm.n)
                reader.corrupt("An arm has more values than subjects.");
            arm.values[k] = {static_cast<Micro>(value), times};
        }
        arms.push_back(std::move(arm));
    }
    reader.finish();
    return arms;
}

namespace {

class Report {
public:
    Report(const std::vector<Arm>& arms, const ReportOptions& options) : arms_(arms), options_(options) {
        for (auto const& arm : arms)
            rates_.push_back({arm.conversions, arm.n});
        control_ = find_control();
    }

    std::vector<Finding> make() {
        per_arm();
        overall();
        for (std::size_t i = 0; i < arms_.size(); ++i)
            if (i != control_)
                against_control(i);
        return std::move(findings_);
    }

private:
    const std::vector<Arm>& arms_;
    const ReportOptions& options_;
    std::vector<Proportion> rates_;
    std::size_t control_ = 0;
    std::vector<Finding> findings_;

    std::size_t find_control() const {
        if (!options_.control)
            return 0;
        for (std::size_t i = 0; i < arms_.size(); ++i)
            if (arms_[i].name == *options_.control)
                return i;
        throw Error(ErrorKind::invalid_parameter, "there is no arm \"" + *options_.control + "\"");
    }

    void put(const char* test, std::string arm, std::string versus, const TestResult& result,
             const char* source) {
        Finding finding{test, std::move(arm),   std::move(versus), result.estimate, {},
                        {},   result.statistic, result.df,         result.p_value,  source};
        if (result.bounds) {
            finding.low = result.bounds->low;
            finding.high = result.bounds->high;
        }
        findings_.push_back(std::move(finding));
    }

    void per_arm() {
        auto const best = probability_best(rates_);
        for (std::size_t i = 0; i < arms_.size(); ++i) {
            auto const& arm = arms_[i];
            TestResult rate;
            rate.estimate = rates_[i].rate();
            rate.bounds = wilson_interval(rates_[i], options_.confidence);
            put("rate", arm.name, "", rate, "Wilson (1927)");
            if (!arm.values.empty())
                put("mean", arm.name, "", mean_interval(moments(arm.values), options_.confidence),
                    "Student (1908)");
            TestResult chance;
            chance.estimate = best[i];
            put("probability to be best", arm.name, "", chance,
                "Beta(1, 1) prior; Gelman et al. (2013), 2.4");
        }
    }

    void overall() {
        std::vector<std::int64_t> sizes;
        for (auto const& arm : arms_)
            sizes.push_back(arm.n);
        put("sample ratio mismatch", "", "", sample_ratio(sizes, options_.expected),
            "Pearson (1900); Fabijan et al. (2019)");
        if (arms_.size() > 2)
            put("chi-squared, all arms", "", "", chi_squared(rates_, false), "Pearson (1900)");
    }

    void against_control(std::size_t i) {
        auto const& arm = arms_[i];
        auto const& control = arms_[control_];
        Proportion const a = rates_[i];
        Proportion const c = rates_[control_];
        auto const add = [&](const char* test, const TestResult& result, const char* source) {
            put(test, arm.name, control.name, result, source);
        };
        add("z, pooled", pooled_z(a, c), "Fleiss, Levin, Paik (2003), 3.1");
        add("z, unpooled", unpooled_z(a, c, options_.confidence), "Wald; Agresti (2013), 3.1");
        add("chi-squared", chi_squared({a, c}, false), "Pearson (1900)");
        add("chi-squared, Yates", chi_squared({a, c}, true), "Yates (1934)");
        add("Fisher exact", fisher_exact(a, c), "Fisher (1935)");
        add("relative risk", relative_risk(a, c, options_.confidence), "Katz et al. (1978)");
        add("odds ratio", odds_ratio(a, c, options_.confidence), "Woolf (1955)");
        if (!arm.values.empty() && !control.values.empty()) {
            add("Welch t", welch_t(moments(arm.values), moments(control.values), options_.confidence),
                "Welch (1947)");
            add("Mann-Whitney", mann_whitney(arm.values, control.values), "Mann, Whitney (1947)");
        }
        TestResult effect;
        effect.estimate = minimum_detectable_effect(a, c, options_.confidence, options_.power);
        add("minimum detectable effect", effect, "Fleiss, Levin, Paik (2003), 4.2");
        TestResult size;
        if (auto const subjects = sample_size(a.rate(), c.rate(), options_.confidence, options_.power))
            size.estimate = std::ceil(*subjects);
        add("sample size per arm", size, "Fleiss, Levin, Paik (2003), 4.14");
    }
};

} // namespace

std::vector<Finding> report_experiment(const std::vector<Arm>& arms, const ReportOptions& options) {
    if (!(options.confidence > 0 && options.confidence < 1) || !(options.power > 0 && options.power < 1))
        throw Error(ErrorKind::invalid_parameter, "confidence and power must be between 0 and 1");
    if (!options.expected.empty() && options.expected.size() != arms.size())
        throw Error(ErrorKind::invalid_parameter, "expected shares do not match the arms",
                    "There are " + std::to_string(arms.size()) + " arms, in order of their names.");
    for (double const share : options.expected)
        if (!(share > 0 && share < 1e300))
            throw Error(ErrorKind::invalid_parameter, "expected shares must be positive");
    return Report(arms, options).make();
}

} // namespace nurture::analytics
