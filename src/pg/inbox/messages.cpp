#include "pg/inbox/messages.hpp"

#include "core/base/bytes.hpp"

#include <algorithm>

#include "pg/border/pg.hpp"

extern "C" {
#include "storage/itemptr.h"
}

namespace nurture::border {

namespace {

// A record: this header, the type's bytes, then at the next multiple of 8 the jsonb with its own header. Written and
// read by the same library within one statement, so it needs no version; the lengths are checked all the same.
struct RecordHeader {
    std::int64_t at;
    std::int64_t received_at;
    std::int64_t place;
    std::uint64_t id_hash;
    std::uint32_t type_length;
    std::uint32_t jsonb_length; // 0: no properties
    std::uint32_t flags;
    std::uint32_t size; // of the whole record
};
constexpr std::uint32_t has_id = 1, is_history = 2;

// An empty jsonb object.
Jsonb* empty_object() noexcept {
    static struct {
        std::int32_t length;
        JsonbContainer root;
    } object = {0, {JB_FOBJECT}};
    SET_VARSIZE(&object, VARHDRSZ + sizeof(std::uint32_t));
    return reinterpret_cast<Jsonb*>(&object);
}

struct Packed {
    RecordHeader header;
    std::string_view type;
    Jsonb* properties;
};

Packed read_record(ByteReader& in) {
    Packed out;
    auto const header = in.raw(sizeof out.header);
    memcpy(&out.header, header.data(), sizeof out.header);
    if (out.header.size < sizeof out.header)
        ByteReader::corrupt("is not a pack of messages");
    std::string_view const rest = in.raw(out.header.size - sizeof out.header);
    std::size_t const properties = MAXALIGN(out.header.type_length);
    if (properties + out.header.jsonb_length > rest.size())
        ByteReader::corrupt("is not a pack of messages");
    out.type = rest.substr(0, out.header.type_length);
    out.properties = out.header.jsonb_length == 0
                         ? empty_object()
                         : reinterpret_cast<Jsonb*>(const_cast<char*>(rest.data() + properties));
    return out;
}

} // namespace

std::string_view packed_argument(FunctionCallInfo fcinfo, int n) {
    if (fcinfo->args[n].isnull)
        return {"\0\0\0\0", 4};
    Datum const datum = fcinfo->args[n].value;
    // With a 4-byte header, so that what lies in it is aligned.
    return bytes_of(pg_call([datum] { return pg_detoast_datum(reinterpret_cast<varlena*>(DatumGetPointer(datum))); }));
}

std::vector<step::LoggedEvent> PackedMessages::logged() const {
    std::vector<step::LoggedEvent> events;
    events.reserve(messages_.size());
    for (std::size_t i = 0; i < messages_.size(); ++i)
        events.push_back({messages_[i].type, messages_[i].properties,
                          {messages_[i].at, places_[i] >> 24, static_cast<std::int32_t>(places_[i] & 0xffffff)}});
    return events;
}

PackedMessages::PackedMessages(std::string_view packed) {
    // Records are laid out at multiples of 8 from the varlena's beginning; its data begin 4 bytes after that.
    constexpr std::size_t skip = MAXALIGN(VARHDRSZ) - VARHDRSZ;
    if (packed.size() < skip)
        ByteReader::corrupt("is not a pack of messages");
    ByteReader in(packed.substr(skip));
    std::vector<Packed> records;
    while (!in.at_end())
        records.push_back(read_record(in));
    auto earlier = [](const Packed& a, const Packed& b) {
        return a.header.received_at != b.header.received_at ? a.header.received_at < b.header.received_at
                                                            : a.header.place < b.header.place;
    };
    if (!std::is_sorted(records.begin(), records.end(), earlier))
        std::sort(records.begin(), records.end(), earlier);
    messages_.reserve(records.size());
    for (const Packed& record : records) {
        step::Message message;
        message.at = record.header.at;
        message.received_at = record.header.received_at;
        message.type = record.type;
        message.properties = &properties_.emplace_back(record.properties, texts_);
        if ((record.header.flags & has_id) != 0)
            message.id_hash = record.header.id_hash;
        message.history = (record.header.flags & is_history) != 0;
        messages_.push_back(message);
        places_.push_back(record.header.place);
    }
}

} // namespace nurture::border

using namespace nurture;

namespace {

/// The aggregate's state: the result as it grows, header and all, so that the final function copies nothing.
struct PackState {
    varlena* buffer;
    std::size_t used, size;
};

// Both run plain PostgreSQL code and own nothing; they are called inside pg_call.
char* reserve(PackState* state, MemoryContext context, std::size_t bytes) {
    if (state->used + bytes > state->size) {
        std::size_t size = state->size == 0 ? 256 : state->size;
        while (size < state->used + bytes + MAXALIGN(VARHDRSZ))
            size *= 2;
        size = std::min<std::size_t>(size, MaxAllocSize);
        if (size < state->used + bytes + MAXALIGN(VARHDRSZ))
            ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                            errmsg("the messages of one contact in one batch take more than 1 GB"),
                            errhint("Lower nurture.batch_bytes.")));
        if (state->buffer == nullptr)
            state->buffer = static_cast<varlena*>(MemoryContextAlloc(context, size));
        else
            state->buffer = static_cast<varlena*>(repalloc(state->buffer, size));
        if (state->used == 0)
            state->used = MAXALIGN(VARHDRSZ);
        state->size = size;
    }
    char* const place = reinterpret_cast<char*>(state->buffer) + state->used;
    state->used += bytes;
    return place;
}

void append(PackState* state, MemoryContext context, FunctionCallInfo fcinfo) {
    text* const type = PG_GETARG_TEXT_PP(1);
    Jsonb* const props = PG_ARGISNULL(4) ? nullptr : PG_GETARG_JSONB_P(4);
    border::RecordHeader header{};
    header.at = PG_GETARG_TIMESTAMPTZ(2);
    header.received_at = PG_GETARG_TIMESTAMPTZ(3);
    header.place = PG_GETARG_INT64(6);
    header.type_length = VARSIZE_ANY_EXHDR(type);
    header.jsonb_length = props == nullptr ? 0 : VARSIZE(props);
    if (!PG_ARGISNULL(5)) {
        text* const id = PG_GETARG_TEXT_PP(5);
        header.id_hash = hash64({VARDATA_ANY(id), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(id))});
        header.flags |= border::has_id;
    }
    if (PG_GETARG_BOOL(7))
        header.flags |= border::is_history;
    std::size_t const size = sizeof header + MAXALIGN(header.type_length) + MAXALIGN(header.jsonb_length);
    header.size = static_cast<std::uint32_t>(size);
    char* at = reserve(state, context, size);
    memcpy(at, &header, sizeof header);
    at += sizeof header;
    memcpy(at, VARDATA_ANY(type), header.type_length);
    at += MAXALIGN(header.type_length);
    if (props != nullptr)
        memcpy(at, props, header.jsonb_length);
}

} // namespace

// _pack(type, at, received_at, props, message_id, place, history): see PackedMessages.
NURTURE_FUNCTION(nurture_pack_transition) {
    return border::entry([&]() -> Datum {
        return border::pg_call([&] {
            MemoryContext context;
            if (!AggCheckCallContext(fcinfo, &context))
                elog(ERROR, "nurture._pack called outside an aggregate");
            auto* state = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<PackState*>(PG_GETARG_POINTER(0));
            if (state == nullptr)
                state = static_cast<PackState*>(MemoryContextAllocZero(context, sizeof(PackState)));
            append(state, context, fcinfo);
            return PointerGetDatum(state);
        });
    });
}

NURTURE_FUNCTION(nurture_pack_final) {
    return border::entry([&]() -> Datum {
        if (PG_ARGISNULL(0)) {
            fcinfo->isnull = true;
            return 0;
        }
        auto* const state = reinterpret_cast<PackState*>(PG_GETARG_POINTER(0));
        SET_VARSIZE(state->buffer, state->used);
        return PointerGetDatum(state->buffer);
    });
}

NURTURE_FUNCTION(nurture_block) {
    auto* const place = reinterpret_cast<ItemPointer>(PG_GETARG_POINTER(0));
    return Int64GetDatum(ItemPointerGetBlockNumberNoCheck(place));
}

NURTURE_FUNCTION(nurture_place) {
    auto* const place = reinterpret_cast<ItemPointer>(PG_GETARG_POINTER(0));
    return Int64GetDatum(static_cast<std::int64_t>(ItemPointerGetBlockNumberNoCheck(place)) << 16 |
                         ItemPointerGetOffsetNumberNoCheck(place));
}

NURTURE_FUNCTION(nurture_first_of) {
    return border::entry([&]() -> Datum {
        std::int64_t const block = PG_GETARG_INT64(0);
        if (block < 0 || block > MaxBlockNumber)
            throw Error(ErrorKind::out_of_range, "no such block");
        return border::pg_call([block] {
            auto* const place = static_cast<ItemPointer>(palloc(sizeof(ItemPointerData)));
            ItemPointerSet(place, static_cast<BlockNumber>(block), 0);
            return PointerGetDatum(place);
        });
    });
}
