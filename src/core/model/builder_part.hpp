#pragma once
// The part of time that a behaviour looks at, as the builder takes it apart.
#include "core/model/builder.hpp"

namespace nurture::model {

/// A window taken apart. What is fixed is a matter of the feature, which then remembers nothing else; what moves with
/// the clock or with an attribute is a matter of reading it.
struct Builder::Part {
    static bool moves(const RangeEnd& bound) {
        return bound.kind == RangeEnd::Kind::attribute || bound.kind == RangeEnd::Kind::ago;
    }

    TimeRange span;
    Time from = always, until = never; ///< the fixed ends
    [[nodiscard]] bool fixed() const { return !moves(span.from) && !moves(span.to); }
    /// The newest events decide: the end is now.
    [[nodiscard]] bool newest_decide() const { return !moves(span.to); }
    /// The oldest events decide: the beginning is fixed.
    [[nodiscard]] bool oldest_decide() const { return !moves(span.from); }
    void narrow(profile::FeatureDefinition& definition) const {
        definition.from = from;
        definition.until = until;
        if (span.from.kind == RangeEnd::Kind::ago)
            definition.window = span.from.ago;
    }
};

} // namespace nurture::model
