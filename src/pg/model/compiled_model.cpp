#include "pg/model/compiled_model.hpp"

#include "core/base/bytes.hpp"


#include <algorithm>
#include <deque>

#include "pg/border/rows.hpp"

namespace nurture::border {

namespace {

constexpr std::uint8_t format = 1;
constexpr std::size_t header = 9;

std::string pack(const model::Source& source) {
    std::string const json = print(source);
    ByteWriter out;
    out.byte(format);
    out.fixed64(hash64(json));
    out.raw(json);
    return out.take();
}

std::string_view json_of(std::string_view bytes) {
    if (bytes.size() < header || bytes[0] == 0)
        ByteReader::corrupt("is not a compiled model");
    if (static_cast<std::uint8_t>(bytes[0]) > format)
        throw Error(ErrorKind::newer_format, "the model was written by a later version of nurture", {},
                    "Install the newer library on this server.");
    return bytes.substr(header);
}

// The backend's cache. Compiling takes milliseconds, a tick of one event less: it must not be done per statement.
struct Cached {
    std::string key; // format and content hash
    std::string stored; // as it came: where it lies out of line, or compressed
    std::shared_ptr<const model::Model> model;
};
using Cache = std::deque<Cached>;
constexpr std::size_t cached_models = 4;

// Made on first use and never destroyed: nothing of ours runs in exit().
Cache& cache() {
    static Cache* const held = new Cache;
    return *held;
}

std::shared_ptr<const model::Model> to_front(Cache& models, Cache::iterator found) {
    if (found != models.begin())
        std::rotate(models.begin(), found, found + 1);
    return models.front().model;
}

} // namespace

std::shared_ptr<const model::Model> model_argument(FunctionCallInfo fcinfo, int n) {
    auto* const value = reinterpret_cast<varlena*>(DatumGetPointer(fcinfo->args[n].value));
    Cache& models = cache();
    // A value out of line is known by its place, a compressed one by its bytes: no need to fetch and unpack it again for
    // every row.
    std::string_view stored;
    if (VARATT_IS_EXTERNAL_ONDISK(value) || VARATT_IS_COMPRESSED(value)) {
        stored = {reinterpret_cast<const char*>(value), VARSIZE_ANY(value)};
        for (auto at = models.begin(); at != models.end(); ++at)
            if (at->stored == stored)
                return to_front(models, at);
    }
    std::string_view const bytes = bytes_argument(fcinfo, n);
    std::string_view const json = json_of(bytes);
    std::string_view const key = bytes.substr(0, header);
    for (auto at = models.begin(); at != models.end(); ++at)
        if (at->key == key) {
            at->stored = stored;
            return to_front(models, at);
        }
    auto compiled = std::make_shared<const model::Model>(compile(model::parse_source(json)));
    if (models.size() == cached_models)
        models.pop_back();
    models.push_front({std::string(key), std::string(stored), std::move(compiled)});
    return models.front().model;
}

} // namespace nurture::border

using namespace nurture; // the entry points below only join the border to the core

NURTURE_FUNCTION(nurture_compiled_model_in) {
    return border::entry([&]() -> Datum {
        model::Source source = model::parse_source(PG_GETARG_CSTRING(0));
        [[maybe_unused]] auto const model = compile(source); // throws for what step() could not run
        return border::make_varlena(border::pack(source));
    });
}

NURTURE_FUNCTION(nurture_compiled_model_out) {
    return border::entry([&]() -> Datum {
        std::string_view const json = border::json_of(border::bytes_argument(fcinfo, 0));
        return border::pg_call([json] { return CStringGetDatum(pnstrdup(json.data(), json.size())); });
    });
}

NURTURE_FUNCTION(nurture_compiled_model_recv) {
    return border::entry([&]() -> Datum {
        auto* const buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
        int length = 0;
        const char* const bytes = border::pg_call([&] {
            length = buffer->len - buffer->cursor;
            return pq_getmsgbytes(buffer, length);
        });
        model::Source source =
            model::parse_source(border::json_of({bytes, static_cast<std::size_t>(length)}));
        [[maybe_unused]] auto const model = compile(source);
        return border::make_varlena(border::pack(source));
    });
}

NURTURE_FUNCTION(nurture_compiled_model_send) {
    return border::entry([&]() -> Datum { return border::make_varlena(border::bytes_argument(fcinfo, 0)); });
}

// The canonical texts of the features that a source needs.
NURTURE_FUNCTION(nurture_required_features) {
    return border::entry([&]() -> Datum {
        auto const features = model::required_features(model::parse_source(border::bytes_argument(fcinfo, 0)));
        border::RowSink sink(fcinfo);
        std::int32_t ordinal = 0;
        for (const std::string& definition : features) {
            border::Row<2> row;
            row.add_int(++ordinal);
            row.add_text(definition);
            row.put_into(sink);
        }
        return 0;
    });
}
