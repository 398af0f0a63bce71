#pragma once
// Why a contact is in a segment or not: the condition, node by node, with what it found.
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"

#include <string>
#include <vector>

namespace nurture::report {

struct WhyLine {
    std::int32_t depth = 0; ///< of the node in its condition, from 0
    std::string condition;  ///< canonical text
    bool leaf = true;
    std::string value;      ///< true, false, unknown
    std::string actual;     ///< what the left side holds; empty where there is none
    Time flips = never;     ///< when it may change by time alone
    bool bound = false;     ///< the value is a bound: the window had more events than are kept
};

/// The segment's condition from the top down. Error(undefined_name) for a segment that does not exist.
[[nodiscard]] std::vector<WhyLine> why(const model::Model& model, const profile::Profile& profile,
                                       std::string_view segment, Time at, std::string_view key = {});

/// The leaves that keep the contact out; none when it is in.
[[nodiscard]] std::vector<WhyLine> why_not(const model::Model& model, const profile::Profile& profile,
                                           std::string_view segment, Time at, std::string_view key = {});

} // namespace nurture::report
