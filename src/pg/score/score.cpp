// What people ask of a score beside its value: its entries, its bands, why a contact is in a segment. The core answers;
// here are only datums.
#include "core/report/ledger.hpp"
#include "core/report/report.hpp"
#include "core/report/why.hpp"

#include "pg/border/rows.hpp"
#include "pg/inbox/messages.hpp"
#include "pg/model/compiled_model.hpp"
#include "pg/profile/profile_argument.hpp"

using namespace nurture;

namespace {

void put_lines(FunctionCallInfo fcinfo, const std::vector<report::WhyLine>& lines) {
    border::RowSink sink(fcinfo);
    std::int32_t n = 0;
    for (const auto& line : lines) {
        border::Row<8> row;
        row.add_int(++n);
        row.add_int(line.depth);
        row.add_text(line.condition);
        row.add_bool(line.leaf);
        row.add_text(line.value);
        row.add_optional(line.actual);
        row.add_time(line.flips);
        row.add_bool(line.bound);
        row.put_into(sink);
    }
}

} // namespace

// _why(model, state, segment, at, contact)
NURTURE_FUNCTION(nurture_why) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        put_lines(fcinfo, report::why(*model, border::profile_argument(fcinfo, 1), border::bytes_argument(fcinfo, 2),
                                      border::time_of(PG_GETARG_DATUM(3)), border::bytes_argument(fcinfo, 4)));
        return 0;
    });
}

NURTURE_FUNCTION(nurture_why_not) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        put_lines(fcinfo, report::why_not(*model, border::profile_argument(fcinfo, 1), border::bytes_argument(fcinfo, 2),
                                          border::time_of(PG_GETARG_DATUM(3)), border::bytes_argument(fcinfo, 4)));
        return 0;
    });
}

NURTURE_FUNCTION(nurture_bands) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        return border::make_jsonb(report::bands_json(*model, border::profile_argument(fcinfo, 1)));
    });
}

// _ledger(model, state, messages packed with place = tick·2^24 + n, at, contact)
NURTURE_FUNCTION(nurture_ledger) {
    return border::entry([&]() -> Datum {
        auto const model = border::model_argument(fcinfo, 0);
        border::PackedMessages const messages(border::packed_argument(fcinfo, 2));
        auto const entries =
            report::ledger(*model, border::profile_argument(fcinfo, 1), messages.logged(), border::time_of(PG_GETARG_DATUM(3)),
                           border::bytes_argument(fcinfo, 4));
        border::RowSink sink(fcinfo);
        for (const auto& entry : entries) {
            border::Row<10> row;
            entry.stamp ? row.add_time(entry.stamp->at) : row.add_null();
            entry.stamp ? row.add_bigint(entry.stamp->tick) : row.add_null();
            entry.stamp ? row.add_int(entry.stamp->n) : row.add_null();
            row.add_optional(entry.event);
            row.add_text(entry.rule);
            row.add_optional(entry.topic);
            entry.points ? row.add(border::make_numeric(*entry.points)) : row.add_null();
            entry.amount ? row.add(border::make_numeric(*entry.amount)) : row.add_null();
            row.add(border::make_numeric(entry.value));
            row.add_optional(entry.reason);
            row.put_into(sink);
        }
        return 0;
    });
}
