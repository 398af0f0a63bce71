#pragma once
// What reading scores and finding their crossings share.
#include "core/step/facts.hpp"

#include <boost/container/small_vector.hpp>

namespace nurture::step {

/// The facts as they were when a score was frozen.
struct Facts::Frozen {
    Frozen(const Model& m, std::string_view bytes, std::string_view key, Time when)
        : profile(decode(bytes)), facts(m, profile, key), at(when) {}
    // A state may come from anywhere: nothing in it is frozen again.
    static profile::Profile decode(std::string_view bytes) {
        profile::Profile out = profile::decode(bytes);
        out.score.frozen_by = {never, 0, 0};
        return out;
    }
    profile::Profile profile;
    Facts facts;
    Time at;
};

struct Facts::Fall {
    double rate = 0;    ///< at most so many 10^-6 per microsecond, evenly
    Time step = never;  ///< the first moment at which points go at a stroke
    double slack = 0;   ///< how far the roundings can be off, 10^-6
};

/// A score at a moment: each rule's occurrences as two sums that only fall as time passes.
struct Sides {
    Wide score = 0;
    bool settled = true; ///< nothing of it wears off any more
    bool may_rise = false; ///< something of it that lowers the score wears off
    boost::container::small_vector<std::pair<Wide, Wide>, 8> parts; ///< by the topic's rules: positive, negative
};

class Facts::Crossing {
  public:
    Crossing(const Facts& facts, Index topic, Wide bound, Time from)
        : facts_(facts), topic_(topic), threshold_(bound), from_(from) {}
    /// The first moment after `from`, and before `horizon`, on the other side of the bound; never; or, its budget spent,
    /// how far there is none. It is known that there is none for as long as `certain`; looked at first is a stretch of `first`.
    [[nodiscard]] Time search(Span certain, Span first, Time horizon) const;
    /// How long, from `from` on, there certainly is none, by half-lives alone; empty: something wears off otherwise.
    [[nodiscard]] std::optional<Span> safe() const;

  private:
    const Facts& facts_;
    Index topic_;
    Wide threshold_;
    Time from_;
    [[nodiscard]] Time search_falling(Span certain, Span first, Time horizon) const;
    [[nodiscard]] Sides sides_at(Time t) const;
    [[nodiscard]] Wide score_at(Time t) const;
    template <class Of>
    [[nodiscard]] Wide combine(Time at, Of of) const;
    [[nodiscard]] Wide bound(const Sides& from, const Sides& to, bool least) const;
};

} // namespace nurture::step
