#pragma once
// Which definition needs which features.
#include "core/model/model.hpp"

#include <map>

namespace nurture::model {

/// The slots each definition asked for itself, not through the segments and scores it reads.
struct Usage {
    std::vector<std::vector<Index>> rules, workflows, streams; ///< in the order of the source's rows
    std::map<std::uint32_t, std::vector<Index>> segments; ///< by id
};

/// Compiles a source whose features need not be registered.
[[nodiscard]] Model analyse(const Source& source, Usage& usage);

} // namespace nurture::model
