#pragma once
// The part of time that a behaviour looks at, and sessions.
#include "core/step/reading.hpp"

namespace nurture::step {

/// A part of time at a clock.
class Range {
  public:
    Range(const Zone& zone, Time clock) : zone_(zone), clock_(clock) {}

    bool known = true; ///< false: it ends at an attribute that is no time
    Time from = always, to = never;
    const Duration* from_ago = nullptr;
    const Duration* to_ago = nullptr;

    /// It is over for an event of that time, and for all before.
    [[nodiscard]] bool left(Time at) const {
        return at < from || (from_ago != nullptr && profile::becomes_old(at, *from_ago, zone_) <= clock_);
    }
    /// It has not come yet.
    [[nodiscard]] bool ahead(Time at) const {
        return at >= to || (to_ago != nullptr && clock_ < profile::becomes_old(at, *to_ago, zone_));
    }
    [[nodiscard]] bool inside(Time at) const { return !left(at) && !ahead(at); }
    /// When an event of that time leaves.
    [[nodiscard]] Time leaves(Time at) const {
        return from_ago == nullptr ? never : profile::becomes_old(at, *from_ago, zone_);
    }
    /// The next moment after the clock at which the event comes in or leaves.
    [[nodiscard]] Time changes(Time at) const;
    /// What has left once stays so for everything older: without months a window's end moves over events in order.
    [[nodiscard]] bool in_order() const noexcept { return from_ago == nullptr || from_ago->months == 0; }
    /// All of it lies before an end that stands still or is now: nothing comes in by the passing of time.
    [[nodiscard]] bool only_loses() const noexcept { return to_ago == nullptr; }
    [[nodiscard]] Time clock() const noexcept { return clock_; }
    [[nodiscard]] const Zone& zone() const noexcept { return zone_; }

  private:
    const Zone& zone_;
    Time clock_;
};

/// A stretch of time in which events follow each other with no gap longer than the limit.
struct Session {
    Time first = 0, last = 0;
};
/// Oldest first.
[[nodiscard]] std::vector<Session> sessions_of(const profile::FeatureValue& value, Span gap);

} // namespace nurture::step
