#pragma once
// What a definition names outside itself.
#include "core/language/ast_workflow.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nurture::language {

enum class ReferenceKind {
    segment, ///< in segment 's', on entering segment 's'
    topic,   ///< score(t)
    list,    ///< on list 'l'
    workflow,///< in journey 'w'
    coupon_pool, ///< coupon('p')
    stream,  ///< send next of stream 's', stream 's' is exhausted
    rota,    ///< assign owner from 'r'
};

struct Reference {
    ReferenceKind kind = ReferenceKind::segment;
    std::string name;
    std::uint32_t offset = 0; ///< byte of the name in the text that was parsed
    friend bool operator==(const Reference&, const Reference&) = default;
};

/// "segment", "topic", "list", "workflow", …: the kinds of definitions, which are tables' names.
[[nodiscard]] std::string_view name_of(ReferenceKind kind) noexcept;

/// Every mention, in the order of the text; a name mentioned twice is there twice.
std::vector<Reference> references(const Condition& condition);
std::vector<Reference> references(const Rule& rule);
std::vector<Reference> references(const Workflow& workflow);

/// The event types a definition looks at: each once, sorted bytewise.
std::vector<std::string> event_types(const Condition& condition);
std::vector<std::string> event_types(const Rule& rule);
std::vector<std::string> event_types(const Workflow& workflow);

/// Something a definition reads, starts on, sends or writes. `kind`: event, attribute, segment, topic, score (the whole
/// of it), template, channel, purpose.
struct Use {
    std::string kind, name;
    friend auto operator<=>(const Use&, const Use&) = default;
};

/// All a definition uses: each once, sorted bytewise by kind and name.
std::vector<Use> uses(const Condition& condition);
std::vector<Use> uses(const Rule& rule);
std::vector<Use> uses(const Workflow& workflow);

} // namespace nurture::language
