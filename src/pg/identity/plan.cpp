// The glue of core/identity: what a batch's messages about identity come to, and what of a state is whose.
#include "core/identity/plan.hpp"
#include "core/base/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "pg/border/rows.hpp"
#include "pg/profile/profile_argument.hpp"

using namespace nurture;

namespace {

using Json = nlohmann::json;

std::string text(const Json& object, const char* key) {
    auto const place = object.find(key);
    return place == object.end() || place->is_null() ? std::string() : place->get<std::string>();
}

std::vector<identity::Link> read_links(std::string_view json) {
    std::vector<identity::Link> links;
    for (const Json& one : Json::parse(json)) {
        identity::Link link;
        link.key = text(one, "key");
        link.kind = text(one, "kind");
        link.contact = text(one, "contact");
        link.other = text(one, "other");
        link.of_kind = text(one, "of_kind");
        link.other_contact = text(one, "other_contact");
        link.other_wins = one.value("other_wins", true);
        link.forced = one.value("forced", false);
        link.split = one.value("split", false);
        link.undoable = one.value("undoable", false);
        link.message = one.value("message", std::size_t{0});
        links.push_back(std::move(link));
    }
    return links;
}

std::vector<identity::KnownKey> read_known(std::string_view json) {
    std::vector<identity::KnownKey> known;
    for (const Json& one : Json::parse(json))
        known.push_back({text(one, "contact"), text(one, "key"), text(one, "kind")});
    return known;
}

std::map<std::string, identity::Kind> read_kinds(std::string_view json) {
    std::map<std::string, identity::Kind> kinds;
    for (const Json& one : Json::parse(json)) {
        Json const& most = one.at("max_per_contact");
        kinds[text(one, "kind")] = {one.at("identifying").get<bool>(), one.at("priority").get<int>(),
                                    most.is_null() ? 0 : most.get<std::size_t>()};
    }
    return kinds;
}

void put(border::RowSink& sink, std::string_view what, std::size_t link, std::string_view contact, std::string_view other,
         std::string_view kind) {
    border::Row<5> row;
    row.add_text(what);
    row.add_int(static_cast<std::int32_t>(link + 1));
    row.add_optional(contact);
    row.add_optional(other);
    row.add_optional(kind);
    row.put_into(sink);
}

std::string_view name_of(identity::Finding finding) {
    switch (finding) {
    case identity::Finding::merge:
        return "merge";
    case identity::Finding::split:
        return "split";
    case identity::Finding::conflict:
        return "conflict";
    case identity::Finding::same:
        break;
    }
    return "same";
}

} // namespace

// _plan_merges(links, known keys, kinds), each a JSON array of objects
NURTURE_FUNCTION(nurture_plan_merges) {
    return border::entry([&]() -> Datum {
        identity::Plan plan;
        try {
            plan = identity::plan(read_links(border::bytes_argument(fcinfo, 0)), read_known(border::bytes_argument(fcinfo, 1)),
                                  read_kinds(border::bytes_argument(fcinfo, 2)));
        } catch (const Json::exception& error) {
            throw Error(ErrorKind::invalid_parameter, std::string("invalid plan of merges: ") + error.what());
        }
        border::RowSink sink(fcinfo);
        for (const auto& found : plan.found)
            put(sink, name_of(found.finding), found.link, found.winner, found.loser, found.kind);
        for (const auto& hold : plan.holds)
            put(sink, hold.before ? "hold before" : "hold", hold.link, hold.contact, {}, {});
        return 0;
    });
}

namespace {

// A stream's messages to the one that is told apart again, of which nobody has heard yet: they are addressed to it.
std::vector<profile::PendingContent> still_on_their_way(const profile::Profile& gone, const profile::Profile& stored) {
    std::vector<profile::PendingContent> out;
    for (const auto& pending : gone.pending)
        if (std::find(stored.pending.begin(), stored.pending.end(), pending) != stored.pending.end())
            out.push_back(pending);
    return out;
}

} // namespace

// _remaining(folded, stored, gone): what of a contact remains when another is told apart from it again: features and
// attributes as the log gives them, what was given by hand less what came with the other. `pending`: what goes with the other.
NURTURE_FUNCTION(nurture_remaining) {
    return border::entry([&]() -> Datum {
        profile::Profile folded = border::profile_argument(fcinfo, 0);
        profile::Profile stored = border::profile_argument(fcinfo, 1);
        profile::Profile const gone = border::profile_argument(fcinfo, 2);
        folded.score = std::move(stored.score);
        folded.score.give_adjustments(gone.score);
        folded.score.bands.clear();
        folded.pending = still_on_their_way(gone, stored);
        return border::make_varlena(encode(folded));
    });
}

// _told_apart(folded, before, stored): a contact that was merged, as it begins again: features and attributes as the log
// gives them, the path as it was, without the journeys, which go on where they are.
NURTURE_FUNCTION(nurture_told_apart) {
    return border::entry([&]() -> Datum {
        profile::Profile const folded = border::profile_argument(fcinfo, 0);
        profile::Profile out = border::profile_argument(fcinfo, 1);
        out.pending = still_on_their_way(out, border::profile_argument(fcinfo, 2));
        out.clock = folded.clock;
        out.first_seen = folded.first_seen;
        out.last_seen = folded.last_seen;
        out.features = folded.features;
        out.attributes = folded.attributes;
        out.consents = folded.consents;
        out.journeys.clear();
        out.score.bands.clear();
        return border::make_varlena(encode(out));
    });
}
