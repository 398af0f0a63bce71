// Bands of a score in conditions.
#include "core/base/error.hpp"
#include "core/model/builder.hpp"

namespace nurture::model {

Operand Builder::band(const language::Band& band) {
    throw Error(ErrorKind::undefined_name,
                band.topic ? "topic \"" + *band.topic + "\" has no bands" : std::string("the score has no bands"))
        .at(band.offset.byte);
}

} // namespace nurture::model
