#include "pg/inbox/properties.hpp"

#include <cstring>

#include "pg/border/boundary.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
#include "utils/json.h"
}

namespace nurture::border {

using profile::Value;

namespace {

// The functions named print_… are plain PostgreSQL code and own nothing; they are called inside pg_call.

constexpr int most_digits = 1'000; // of a number, on either side of its point
constexpr int kept_digits = 30;

bool is_beyond(Numeric magnitude, int digits) {
    char bound[16];
    snprintf(bound, sizeof bound, "1e%d", digits);
    Datum const power =
        DirectFunctionCall3(numeric_in, CStringGetDatum(bound), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    return DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(magnitude), power));
}

// A few bytes of jsonb may hold a number of 131,072 digits (1e131071). Those of more than a thousand are rounded to thirty
// and written with an exponent, so that no message is ever much larger as text than as jsonb.
char* print_number(Numeric number) {
    // A numeric's first two bytes after its header; this pattern says that weight and scale are below 64 (utils/adt/numeric.c).
    std::uint16_t header = 0;
    memcpy(&header, VARDATA_ANY(number), sizeof header);
    if ((header & 0xC000) != 0x8000) {
        auto* const magnitude = DatumGetNumeric(DirectFunctionCall1(numeric_abs, NumericGetDatum(number)));
        if (DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(number))) > most_digits ||
            is_beyond(magnitude, most_digits))
            return numeric_out_sci(number, kept_digits - 1);
    }
    return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
}

void print_string(StringInfo out, const JsonbValue& v) {
    escape_json(out, pnstrdup(v.val.string.val, static_cast<Size>(v.val.string.len)));
}

void print_scalar(StringInfo out, const JsonbValue& v) {
    switch (v.type) {
    case jbvNull:
        appendStringInfoString(out, "null");
        break;
    case jbvBool:
        appendStringInfoString(out, v.val.boolean ? "true" : "false");
        break;
    case jbvString:
        print_string(out, v);
        break;
    case jbvNumeric:
        appendStringInfoString(out, print_number(v.val.numeric));
        break;
    default:
        elog(ERROR, "unexpected kind of jsonb value: %d", static_cast<int>(v.type));
    }
}

// As jsonb's own output function writes it, except for numbers without measure.
char* print_container(JsonbContainer* container) {
    StringInfoData out;
    initStringInfo(&out);
    JsonbIterator* it = JsonbIteratorInit(container);
    JsonbValue v;
    bool first = true;
    for (JsonbIteratorToken token; (token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE;) {
        bool const ends = token == WJB_END_ARRAY || token == WJB_END_OBJECT;
        if (!first && !ends)
            appendStringInfoString(&out, ", ");
        first = false;
        switch (token) {
        case WJB_BEGIN_ARRAY:
        case WJB_BEGIN_OBJECT:
            appendStringInfoChar(&out, token == WJB_BEGIN_ARRAY ? '[' : '{');
            first = true;
            break;
        case WJB_KEY:
            print_string(&out, v);
            appendStringInfoString(&out, ": ");
            first = true; // its value follows
            break;
        case WJB_END_ARRAY:
        case WJB_END_OBJECT:
            appendStringInfoChar(&out, token == WJB_END_ARRAY ? ']' : '}');
            break;
        default:
            print_scalar(&out, v);
        }
    }
    return out.data;
}

} // namespace

PropertyTexts::~PropertyTexts() {
    if (context_ != nullptr)
        MemoryContextDelete(context_);
}

MemoryContext PropertyTexts::for_reader(const void* reader) {
    if (context_ == nullptr)
        context_ = pg_call(
            [] { return AllocSetContextCreate(CurrentMemoryContext, "nurture properties", ALLOCSET_DEFAULT_SIZES); });
    else if (reader != reader_)
        MemoryContextReset(context_);
    reader_ = reader;
    return context_;
}

namespace {

/// Runs f in the context; f may ereport, after which pg_call has restored the context that was current.
template <class F>
auto call_in(MemoryContext context, F f) {
    return pg_call([context, &f] {
        MemoryContext const old = MemoryContextSwitchTo(context);
        auto const result = f();
        MemoryContextSwitchTo(old);
        return result;
    });
}

Value to_value(const JsonbValue& v, PropertyTexts& texts, const void* reader) {
    switch (v.type) {
    case jbvNull:
        return {Value::Kind::null, false, {}};
    case jbvBool:
        return {Value::Kind::boolean, v.val.boolean, {}};
    case jbvString:
        return {Value::Kind::string, false, {v.val.string.val, static_cast<std::size_t>(v.val.string.len)}};
    case jbvNumeric: {
        Numeric const number = v.val.numeric;
        const char* const text = call_in(texts.for_reader(reader), [number] { return print_number(number); });
        return {Value::Kind::number, false, text};
    }
    case jbvBinary: {
        JsonbContainer* const container = v.val.binary.data;
        const char* const text = call_in(texts.for_reader(reader), [container] { return print_container(container); });
        return {Value::Kind::json, false, text};
    }
    default:
        return {};
    }
}

} // namespace

Value JsonbProperties::get(const language::Path& path) const {
    JsonbContainer* container = &jsonb_->root;
    JsonbValue found;
    for (std::size_t i = 0; i < path.keys.size(); ++i) {
        if (!JsonContainerIsObject(container))
            return {};
        const std::string& key = path.keys[i];
        // Neither allocates nor reports: a binary search in place.
        if (getKeyJsonValueFromContainer(container, key.data(), static_cast<int>(key.size()), &found) == nullptr)
            return {};
        if (i + 1 < path.keys.size()) {
            if (found.type != jbvBinary)
                return {};
            container = found.val.binary.data;
        }
    }
    return to_value(found, texts_, this);
}

void JsonbProperties::each(Visit visit, void* context) const {
    struct Pair {
        const char* key;
        int key_length;
        const char* json;
    };
    struct Pairs {
        Pair* items;
        int count;
    };
    Jsonb* const jsonb = jsonb_;
    // First PostgreSQL's part, into plain memory; then ours.
    Pairs const pairs = call_in(texts_.for_reader(this), [jsonb] {
        Pairs out{static_cast<Pair*>(palloc(sizeof(Pair) * (JB_ROOT_COUNT(jsonb) + 1))), 0};
        JsonbIterator* it = JsonbIteratorInit(&jsonb->root);
        JsonbValue v;
        JsonbIteratorToken token = JsonbIteratorNext(&it, &v, true);
        while ((token = JsonbIteratorNext(&it, &v, true)) == WJB_KEY) {
            Pair& pair = out.items[out.count++];
            pair.key = v.val.string.val;
            pair.key_length = v.val.string.len;
            JsonbIteratorNext(&it, &v, true);
            if (v.type == jbvBinary) {
                pair.json = print_container(v.val.binary.data);
                continue;
            }
            StringInfoData text;
            initStringInfo(&text);
            print_scalar(&text, v);
            pair.json = text.data;
        }
        return out;
    });
    for (int i = 0; i < pairs.count; ++i)
        visit(context, {pairs.items[i].key, static_cast<std::size_t>(pairs.items[i].key_length)}, pairs.items[i].json);
}

} // namespace nurture::border
