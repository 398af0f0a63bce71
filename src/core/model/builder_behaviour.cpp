// Behaviour conditions to nodes.
#include "core/base/error.hpp"
#include "core/model/builder.hpp"

namespace nurture::model {

using namespace language;

Index Builder::compile(const Regularly&, Scope) {
    throw Error(ErrorKind::invalid_definition, "this behaviour cannot be evaluated yet");
}
Index Builder::compile(const Trend&, Scope) {
    throw Error(ErrorKind::invalid_definition, "this behaviour cannot be evaluated yet");
}
Index Builder::compile(const Sequence&, Scope) {
    throw Error(ErrorKind::invalid_definition, "this behaviour cannot be evaluated yet");
}

} // namespace nurture::model
