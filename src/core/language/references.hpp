#pragma once
// What a definition names outside itself.
#include "core/language/ast.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nurture::language {

enum class ReferenceKind {
    segment, ///< in segment 's', on entering segment 's'
    topic,   ///< score(t)
    list,    ///< on list 'l'
    workflow,///< in journey 'w'
};
/// "segment", "topic", …
[[nodiscard]] constexpr const char* name_of(ReferenceKind kind) noexcept {
    constexpr const char* names[] = {"segment", "topic", "list", "workflow"};
    return names[static_cast<int>(kind)];
}

struct Reference {
    ReferenceKind kind = ReferenceKind::segment;
    std::string name;
    std::uint32_t offset = 0; ///< byte of the name in the text that was parsed
    friend bool operator==(const Reference&, const Reference&) = default;
};

/// Every mention, in the order of the text; a name mentioned twice is there twice.
std::vector<Reference> references(const Condition& condition);
std::vector<Reference> references(const Rule& rule);
std::vector<Reference> references(const Workflow& workflow);

/// The event types a definition looks at: each once, sorted bytewise.
std::vector<std::string> event_types(const Condition& condition);
std::vector<std::string> event_types(const Rule& rule);
std::vector<std::string> event_types(const Workflow& workflow);

} // namespace nurture::language
