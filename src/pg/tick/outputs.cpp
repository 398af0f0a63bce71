#include "pg/tick/outputs.hpp"

#include "core/base/bytes.hpp"

#include "pg/border/rows.hpp"

namespace nurture::border {

namespace {

void put_uuid(ByteWriter& out, const Uuid& id) { out.raw({reinterpret_cast<const char*>(id.data()), id.size()}); }

Uuid get_uuid(ByteReader& in) {
    Uuid id;
    auto const bytes = in.raw(id.size());
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(id.data()));
    return id;
}

void put(ByteWriter& out, const step::Transition& t) {
    out.integer(t.n);
    out.integer(t.at);
    out.byte(static_cast<std::uint8_t>(t.kind));
    out.text(t.name);
    out.number(t.version);
    out.text(t.step);
    out.text(t.cause);
    out.integer(t.cause_tick);
    out.integer(t.cause_n);
    out.text(t.reason);
    out.number(t.instance);
    out.text(t.via);
    out.text(t.branch);
}
void get(ByteReader& in, step::Transition& t) {
    t.n = static_cast<std::int32_t>(in.integer());
    t.at = in.integer();
    t.kind = static_cast<step::TransitionKind>(in.byte());
    t.name = in.text();
    t.version = static_cast<std::uint32_t>(in.number());
    t.step = in.text();
    t.cause = in.text();
    t.cause_tick = in.integer();
    t.cause_n = static_cast<std::int32_t>(in.integer());
    t.reason = in.text();
    t.instance = static_cast<std::uint32_t>(in.number());
    t.via = in.text();
    t.branch = in.text();
}

void put(ByteWriter& out, const step::Action& a) {
    put_uuid(out, a.id);
    out.text(a.channel);
    out.text(a.template_name);
    out.text(a.purpose);
    out.byte(a.transactional ? 1 : 0);
    out.text(a.payload);
    out.text(a.draws);
    out.integer(a.due);
    out.integer(a.expires);
    out.integer(a.priority);
    out.text(a.workflow);
    out.number(a.version);
    out.number(a.instance);
    out.text(a.step);
}
void get(ByteReader& in, step::Action& a) {
    a.id = get_uuid(in);
    a.channel = in.text();
    a.template_name = in.text();
    a.purpose = in.text();
    a.transactional = in.byte() != 0;
    a.payload = in.text();
    a.draws = in.text();
    a.due = in.integer();
    a.expires = in.integer();
    a.priority = static_cast<std::int32_t>(in.integer());
    a.workflow = in.text();
    a.version = static_cast<std::uint32_t>(in.number());
    a.instance = static_cast<std::uint32_t>(in.number());
    a.step = in.text();
}

void put(ByteWriter& out, const step::Cancellation& c) {
    put_uuid(out, c.id);
    out.integer(c.at);
    out.text(c.reason);
}
void get(ByteReader& in, step::Cancellation& c) {
    c.id = get_uuid(in);
    c.at = in.integer();
    c.reason = in.text();
}

void put(ByteWriter& out, const step::WrittenEvent& w) {
    out.integer(w.n);
    out.integer(w.at);
    out.text(w.type);
    out.text(w.properties);
}
void get(ByteReader& in, step::WrittenEvent& w) {
    w.n = static_cast<std::int32_t>(in.integer());
    w.at = in.integer();
    w.type = in.text();
    w.properties = in.text();
}

void put(ByteWriter& out, const step::MembershipChange& m) {
    out.number(m.segment);
    out.byte(m.member ? 1 : 0);
    out.integer(m.since);
    out.text(m.cause);
}
void get(ByteReader& in, step::MembershipChange& m) {
    m.segment = static_cast<std::uint32_t>(in.number());
    m.member = in.byte() != 0;
    m.since = in.integer();
    m.cause = in.text();
}

void put(ByteWriter& out, const step::Rejection& r) {
    out.integer(r.message);
    out.text(r.reason);
}
void get(ByteReader& in, step::Rejection& r) {
    r.message = static_cast<std::int32_t>(in.integer());
    r.reason = in.text();
}

template <class T>
void put_list(ByteWriter& out, const std::vector<T>& list) {
    out.number(list.size());
    for (const T& item : list)
        put(out, item);
}
template <class T>
void get_list(ByteReader& in, std::vector<T>& list) {
    list.resize(in.count());
    for (T& item : list)
        get(in, item);
}

} // namespace

std::int32_t kinds_of(const step::Result& result) noexcept {
    return (result.transitions.empty() ? 0 : has_transitions) | (result.actions.empty() ? 0 : has_actions) |
           (result.cancellations.empty() ? 0 : has_cancellations) | (result.written.empty() ? 0 : has_written) |
           (result.memberships.empty() ? 0 : has_memberships) | (result.rejections.empty() ? 0 : has_rejections) |
           (result.consents ? has_consents : 0) | (result.finished ? 0 : is_unfinished);
}

namespace {

// Each kind behind its length: whoever wants one of them does not read the others.
template <class T>
void put_kind(ByteWriter& out, const std::vector<T>& list) {
    ByteWriter part;
    if (!list.empty())
        put_list(part, list);
    out.text(part.bytes());
}
template <class T>
void get_kind(ByteReader& in, bool wanted, std::vector<T>& list) {
    ByteReader part(in.text());
    if (!wanted || part.at_end())
        return;
    get_list(part, list);
    if (!part.at_end())
        ByteReader::corrupt("goes on after its end");
}

} // namespace

std::string encode_outputs(const step::Result& result) {
    if (kinds_of(result) == 0)
        return {};
    ByteWriter out;
    put_kind(out, result.transitions);
    put_kind(out, result.actions);
    put_kind(out, result.cancellations);
    put_kind(out, result.written);
    put_kind(out, result.memberships);
    put_kind(out, result.rejections);
    return out.take();
}

step::Result decode_outputs(std::string_view bytes, OutputKinds wanted) {
    step::Result result;
    ByteReader in(bytes);
    get_kind(in, wanted == has_transitions, result.transitions);
    get_kind(in, wanted == has_actions, result.actions);
    get_kind(in, wanted == has_cancellations, result.cancellations);
    get_kind(in, wanted == has_written, result.written);
    get_kind(in, wanted == has_memberships, result.memberships);
    get_kind(in, wanted == has_rejections, result.rejections);
    return result;
}

} // namespace nurture::border

using namespace nurture;
using border::Row;
using border::RowSink;

namespace {

/// With the instance of a journey and its way, or without: as version 0.1 had it.
template <int Columns>
Datum put_transitions(FunctionCallInfo fcinfo) {
    auto const outputs = border::decode_outputs(border::bytes_argument(fcinfo, 0), border::has_transitions);
    RowSink sink(fcinfo);
    for (const auto& t : outputs.transitions) {
        Row<Columns> row;
        row.add_int(t.n);
        row.add_time(t.at);
        row.add_text(name_of(t.kind));
        row.add_text(t.name);
        t.version == 0 ? row.add_null() : row.add_int(static_cast<std::int32_t>(t.version));
        row.add_optional(t.step);
        row.add_text(t.cause);
        t.cause_n == 0 ? row.add_null() : row.add_bigint(t.cause_tick);
        t.cause_n == 0 ? row.add_null() : row.add_int(t.cause_n);
        row.add_optional(t.reason);
        if constexpr (Columns > 10) {
            t.instance == 0 ? row.add_null() : row.add_int(static_cast<std::int32_t>(t.instance));
            row.add_optional(t.via);
            row.add_optional(t.branch);
        }
        row.put_into(sink);
    }
    return 0;
}

} // namespace

NURTURE_FUNCTION(nurture_path_transitions) {
    return border::entry([&]() -> Datum { return put_transitions<13>(fcinfo); });
}
NURTURE_FUNCTION(nurture_transitions) { // 0.1: until ALTER EXTENSION the old tick calls the new library
    return border::entry([&]() -> Datum { return put_transitions<10>(fcinfo); });
}

namespace {

/// With what is drawn when it is claimed, or without: as version 0.1 had it.
template <int Columns>
Datum put_actions(FunctionCallInfo fcinfo) {
    auto const outputs = border::decode_outputs(border::bytes_argument(fcinfo, 0), border::has_actions);
    RowSink sink(fcinfo);
    for (const auto& a : outputs.actions) {
        Row<Columns> row;
        row.add(border::make_uuid(a.id));
        row.add_text(a.channel);
        row.add_optional(a.template_name);
        row.add_optional(a.purpose);
        row.add_bool(a.transactional);
        row.add(border::make_jsonb(a.payload));
        row.add_time(a.due);
        row.add_time(a.expires);
        row.add_int(a.priority);
        row.add_text(a.workflow);
        row.add_int(static_cast<std::int32_t>(a.version));
        row.add_text(std::to_string(a.instance));
        row.add_text(a.step);
        if constexpr (Columns > 13)
            a.draws.empty() ? row.add_null() : row.add(border::make_jsonb(a.draws));
        row.put_into(sink);
    }
    return 0;
}

} // namespace

NURTURE_FUNCTION(nurture_planned_actions) {
    return border::entry([&]() -> Datum { return put_actions<14>(fcinfo); });
}
NURTURE_FUNCTION(nurture_actions) { // 0.1: until ALTER EXTENSION the old tick calls the new library
    return border::entry([&]() -> Datum { return put_actions<13>(fcinfo); });
}

NURTURE_FUNCTION(nurture_cancellations) {
    return border::entry([&]() -> Datum {
        auto const outputs = border::decode_outputs(border::bytes_argument(fcinfo, 0), border::has_cancellations);
        RowSink sink(fcinfo);
        for (const auto& c : outputs.cancellations) {
            Row<3> row;
            row.add(border::make_uuid(c.id));
            row.add_time(c.at);
            row.add_text(c.reason);
            row.put_into(sink);
        }
        return 0;
    });
}

NURTURE_FUNCTION(nurture_written) {
    return border::entry([&]() -> Datum {
        auto const outputs = border::decode_outputs(border::bytes_argument(fcinfo, 0), border::has_written);
        RowSink sink(fcinfo);
        for (const auto& w : outputs.written) {
            Row<4> row;
            row.add_int(w.n);
            row.add_time(w.at);
            row.add_text(w.type);
            row.add(border::make_jsonb(w.properties));
            row.put_into(sink);
        }
        return 0;
    });
}

NURTURE_FUNCTION(nurture_memberships) {
    return border::entry([&]() -> Datum {
        auto const outputs = border::decode_outputs(border::bytes_argument(fcinfo, 0), border::has_memberships);
        RowSink sink(fcinfo);
        for (const auto& m : outputs.memberships) {
            Row<4> row;
            row.add_int(static_cast<std::int32_t>(m.segment));
            row.add_bool(m.member);
            row.add_time(m.since);
            row.add_optional(m.cause);
            row.put_into(sink);
        }
        return 0;
    });
}

NURTURE_FUNCTION(nurture_rejections) {
    return border::entry([&]() -> Datum {
        auto const outputs = border::decode_outputs(border::bytes_argument(fcinfo, 0), border::has_rejections);
        RowSink sink(fcinfo);
        for (const auto& r : outputs.rejections) {
            Row<2> row;
            row.add_int(r.message + 1);
            row.add_text(r.reason);
            row.put_into(sink);
        }
        return 0;
    });
}
