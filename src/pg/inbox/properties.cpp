#include "pg/inbox/properties.hpp"

#include "pg/border/pg.hpp"

extern "C" {
#include "utils/json.h"
}

namespace nurture::border {

using profile::Value;

namespace {

Value to_value(const JsonbValue& v) {
    switch (v.type) {
    case jbvNull:
        return {Value::Kind::null, false, {}};
    case jbvBool:
        return {Value::Kind::boolean, v.val.boolean, {}};
    case jbvString:
        return {Value::Kind::string, false, {v.val.string.val, static_cast<std::size_t>(v.val.string.len)}};
    case jbvNumeric: {
        Numeric const number = v.val.numeric;
        const char* const text =
            pg_call([number] { return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))); });
        return {Value::Kind::number, false, text};
    }
    case jbvBinary: {
        JsonbContainer* const container = v.val.binary.data;
        int const length = v.val.binary.len;
        const char* const text = pg_call([=] { return JsonbToCString(nullptr, container, length); });
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
    return to_value(found);
}

void JsonbProperties::each(Visit visit, void* context) const {
    struct Pair {
        const char* key;
        int key_length;
        const char* json;
        int json_length;
    };
    Jsonb* const jsonb = jsonb_;
    // First PostgreSQL's part, into plain memory; then ours.
    int count = 0;
    Pair* const pairs = pg_call([jsonb, &count] {
        auto* const out = static_cast<Pair*>(palloc(sizeof(Pair) * (JB_ROOT_COUNT(jsonb) + 1)));
        JsonbIterator* it = JsonbIteratorInit(&jsonb->root);
        JsonbValue v;
        JsonbIteratorToken token = JsonbIteratorNext(&it, &v, true);
        while ((token = JsonbIteratorNext(&it, &v, true)) == WJB_KEY) {
            Pair& pair = out[count++];
            pair.key = v.val.string.val;
            pair.key_length = v.val.string.len;
            JsonbIteratorNext(&it, &v, true);
            StringInfoData text;
            initStringInfo(&text);
            switch (v.type) {
            case jbvNull:
                appendStringInfoString(&text, "null");
                break;
            case jbvBool:
                appendStringInfoString(&text, v.val.boolean ? "true" : "false");
                break;
            case jbvString:
                escape_json(&text, pnstrdup(v.val.string.val, v.val.string.len));
                break;
            case jbvNumeric:
                appendStringInfoString(
                    &text, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v.val.numeric))));
                break;
            default:
                JsonbToCString(&text, v.val.binary.data, v.val.binary.len);
            }
            pair.json = text.data;
            pair.json_length = text.len;
        }
        return out;
    });
    for (int i = 0; i < count; ++i)
        visit(context, {pairs[i].key, static_cast<std::size_t>(pairs[i].key_length)},
              {pairs[i].json, static_cast<std::size_t>(pairs[i].json_length)});
}

} // namespace nurture::border
