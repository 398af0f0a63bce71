#pragma once
// A schedule by itself: fields as in crontab(5), and the time zone whose clock they mean.
#include "core/base/cron.hpp"

#include <string>
#include <string_view>

namespace nurture::language {

struct Schedule {
    Cron cron;
    Zone zone;
    std::string text; ///< canonical: the five fields and the zone, apart by one blank

    /// The first moment after `t`, or never. Throws Error(out_of_range) for a `t` beyond the years 1 to 9999.
    [[nodiscard]] Time next(Time t) const;
};

/// "0 9 * * mon-fri Europe/Rome"; without a zone it is in UTC. Throws Error(syntax) with the place.
[[nodiscard]] Schedule parse_schedule(std::string_view text);

} // namespace nurture::language
