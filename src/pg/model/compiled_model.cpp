#include "pg/model/compiled_model.hpp"

#include "core/base/bytes.hpp"

#include <list>
#include <unordered_map>

#include "pg/border/rows.hpp"
#include "pg/border/settings.hpp"

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

// The backend's cache. Compiling takes milliseconds, a tick of one event less: it must not be done per statement. Whoever
// walks through all models there were, contact by contact, asks for more room (settings::model_cache_bytes).
class Cache {
  public:
    using Pointer = std::shared_ptr<const model::Model>;

    /// By the content's hash or, where the value lies out of line or compressed, as it is stored; empty: not held.
    [[nodiscard]] Pointer find(std::string_view name) {
        auto const found = by_name_.find(name);
        if (found == by_name_.end())
            return {};
        held_.splice(held_.begin(), held_, found->second); // the one used last comes first
        return held_.front().model;
    }
    /// A second name of the one used last.
    void name(std::string_view stored) {
        Held& last = held_.front();
        if (stored.empty() || last.stored == stored)
            return;
        by_name_.erase(last.stored);
        last.stored = stored;
        by_name_.emplace(last.stored, held_.begin());
    }
    void add(std::string_view key, std::size_t bytes, Pointer model) {
        held_.push_front({std::string(key), {}, bytes, std::move(model)});
        by_name_.emplace(held_.front().key, held_.begin());
        bytes_ += bytes;
        while (held_.size() > always_held && bytes_ > settings::model_cache_bytes())
            drop_last();
    }

  private:
    static constexpr std::size_t always_held = 4;
    struct Held {
        std::string key; // format and content hash
        std::string stored;
        std::size_t bytes; // of its source
        Pointer model;
    };
    void drop_last() {
        Held const& last = held_.back();
        by_name_.erase(last.key);
        by_name_.erase(last.stored);
        bytes_ -= last.bytes;
        held_.pop_back();
    }
    std::list<Held> held_;
    std::unordered_map<std::string_view, std::list<Held>::iterator> by_name_; // views of what is held
    std::size_t bytes_ = 0;
};

// Made on first use and never destroyed: nothing of ours runs in exit().
Cache& cache() {
    static Cache* const held = new Cache;
    return *held;
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
        if (auto held = models.find(stored))
            return held;
    }
    std::string_view const bytes = bytes_argument(fcinfo, n);
    std::string_view const json = json_of(bytes);
    std::string_view const key = bytes.substr(0, header);
    auto model = models.find(key);
    if (!model) {
        model = std::make_shared<const model::Model>(compile(model::parse_source(json)));
        models.add(key, bytes.size(), model);
    }
    models.name(stored);
    return model;
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
