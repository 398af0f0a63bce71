#pragma once
// Two contacts become one: how the parts of a state join that belong to no definition, and what travels from one contact
// to the other. Features join by ⊕ (core/profile/feature.hpp); the step (core/step/join.cpp) puts it all together.
#include "core/profile/profile.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::identity {

/// Whether messages of this type carry a state; only the engine writes them.
[[nodiscard]] constexpr bool carries_state(std::string_view type) noexcept { return type == "$merge" || type == "$split"; }

/// The state that a $merge or $split carries, as hexadecimal digits in the property `state`. Throws Error(corrupt_data).
[[nodiscard]] profile::Profile mailed_state(const profile::Properties& properties);

/// a := a ⊕ b: the last write of each key.
void join_attributes(std::vector<profile::Attribute>& a, const std::vector<profile::Attribute>& b);
/// Message ids that either has taken, the newest.
void join_seen(std::vector<profile::SeenMessage>& a, const std::vector<profile::SeenMessage>& b);
/// Entries add up, the last start is the later: "never again" holds for what either has been through.
void join_memories(std::vector<profile::WorkflowMemory>& a, const std::vector<profile::WorkflowMemory>& b);
void join_completed(std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b);
/// Whoever was a member under either name was one. Known since both pasts are.
void join_past(profile::SegmentPast& a, const profile::SegmentPast& b);

/// How two values of an attribute become one.
enum class Survivorship : std::uint8_t {
    newest, ///< the last write, whoever's: what ⊕ gives by itself
    oldest,
    least, ///< numbers by value, all else by text
    greatest,
    sum,    ///< of numbers; else as newest
    unite,  ///< of lists, each item once; a single value is a list of one
    winner, ///< that of the contact whose name remains: of the better kind of key
};
[[nodiscard]] std::optional<Survivorship> survivorship_of(std::string_view name) noexcept;

/// The value by the rule as JSON text, where it differs from the newest.
[[nodiscard]] std::optional<std::string> survivor(Survivorship rule, const profile::Attribute& winner,
                                                  const profile::Attribute& loser);

/// Of two values the one whose source stands first among `sources`; of equal ones, and of what none of them told, the newest.
[[nodiscard]] const profile::Attribute& of_better_source(const profile::Attribute& a, const profile::Attribute& b,
                                                         const std::vector<std::string>& sources);
[[nodiscard]] const profile::Attribute& newest(const profile::Attribute& a, const profile::Attribute& b);

} // namespace nurture::identity
