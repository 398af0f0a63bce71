// A session's plans are made for the tables as they were: joined to what was empty, reading all of it for each row looks best, and
// is kept when there are millions. So when a table has outgrown its plans all are made anew.
#include <algorithm>
#include <map>

#include "pg/border/elements.hpp"

extern "C" {
#include "access/relation.h"
#include "storage/bufmgr.h"
#include "utils/plancache.h"
#include "utils/rel.h"
}

using namespace nurture;

namespace {

/// By this factor a table outgrows its plans: until then reading all of it is dear, but not out of proportion.
constexpr BlockNumber growth = 8;

/// The blocks that each table had when plans were last made for it, or before.
std::map<Oid, BlockNumber>& planned_for() {
    static auto* const held = new std::map<Oid, BlockNumber>; // never destroyed: nothing of ours runs in exit()
    return *held;
}

BlockNumber blocks_of(Oid table) {
    return border::pg_call([table] {
        Relation const relation = relation_open(table, AccessShareLock);
        BlockNumber const blocks = RelationGetNumberOfBlocks(relation);
        relation_close(relation, NoLock);
        return blocks;
    });
}

} // namespace

// _replan_grown(tables)
NURTURE_FUNCTION(nurture_replan_grown) {
    return border::entry([&]() -> Datum {
        border::Elements const tables(fcinfo, 0, REGCLASSOID);
        auto& known = planned_for();
        bool grown = false;
        for (std::size_t i = 0; i < tables.size(); ++i) {
            Oid const table = DatumGetObjectId(tables.datum(i));
            BlockNumber const blocks = blocks_of(table);
            auto const [place, is_new] = known.try_emplace(table, blocks);
            if (blocks / growth > place->second || (place->second == 0 && blocks > 0)) {
                place->second = blocks;
                grown = true;
            }
        }
        if (grown)
            border::pg_call([] { ResetPlanCache(); });
        return BoolGetDatum(grown);
    });
}
