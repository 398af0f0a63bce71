// Input, output and comparison of the definition types, and validate(). Names inside a definition are not
// resolved here: whether a segment exists is a question of the moment, a type's input is not.
#include "core/language/form.hpp"
#include "pg/language/definition.hpp"

#include <string>

extern "C" {
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
}

namespace nurture::language {

namespace {

// The language speaks UTF-8; the database may not. Both give back their argument when nothing is to be
// converted.
std::string_view to_utf8(const char* text, std::size_t size) {
    char* const converted =
        border::pg_call([&] { return pg_server_to_any(text, static_cast<int>(size), PG_UTF8); });
    return {converted, converted == text ? size : std::strlen(converted)};
}

std::string_view to_server(std::string_view text) {
    char* const converted = border::pg_call(
        [&] { return pg_any_to_server(text.data(), static_cast<int>(text.size()), PG_UTF8); });
    return {converted, converted == text.data() ? text.size() : std::strlen(converted)};
}

/// Runs f, which parses; what it has to say is turned into the database's encoding.
template <class F>
Datum with_messages_to_server(F f) {
    if (GetDatabaseEncoding() == PG_UTF8)
        return f();
    try {
        return f();
    } catch (const Error& error) {
        Error converted(error.kind, std::string(to_server(error.what())),
                        std::string(to_server(error.detail)), std::string(to_server(error.hint)));
        throw std::move(converted).at(error.offset);
    }
}

Datum text_datum(std::string_view utf8) {
    std::string_view const text = to_server(utf8);
    return border::pg_call([&] {
        return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
    });
}

Datum input(Form form, const char* text) {
    return with_messages_to_server([&] {
        return make_definition(canonical(form, to_utf8(text, std::strlen(text)), language_limits()));
    });
}

Datum output(Datum value) {
    std::string_view const text = to_server(definition_text(value));
    return CStringGetDatum(border::pg_call([&] { return pnstrdup(text.data(), text.size()); }));
}

// Bytes from elsewhere are trusted no more than typed text.
Datum receive(Form form, StringInfo message) {
    int const size = message->len - message->cursor;
    const char* const bytes = border::pg_call([&] { return pq_getmsgbytes(message, size); });
    std::string_view const text = text_behind_version({bytes, static_cast<std::size_t>(size)});
    return with_messages_to_server([&] {
        std::string const printed = canonical(form, text, language_limits());
        (void)to_server(printed); // what cannot be shown here is refused here
        return make_definition(printed);
    });
}

Datum send(Datum value) {
    std::string_view const text = definition_text(value);
    auto* const out =
        border::pg_call([&] { return static_cast<bytea*>(palloc(VARHDRSZ + 1 + text.size())); });
    SET_VARSIZE(out, VARHDRSZ + 1 + text.size());
    VARDATA(out)[0] = static_cast<char>(definition_format);
    std::memcpy(VARDATA(out) + 1, text.data(), text.size());
    return PointerGetDatum(out);
}

/// A definition's text that gives detoasted memory back: index builds compare a great many.
class Detoasted {
public:
    explicit Detoasted(Datum datum)
        : raw_(reinterpret_cast<struct varlena*>(DatumGetPointer(datum))),
          value_(border::pg_call([&] { return pg_detoast_datum_packed(raw_); })) {}
    Detoasted(const Detoasted&) = delete;
    Detoasted& operator=(const Detoasted&) = delete;
    ~Detoasted() {
        if (value_ != raw_)
            pfree(value_);
    }
    [[nodiscard]] std::string_view text() const { return definition_text(value_); }

private:
    struct varlena* raw_;
    struct varlena* value_;
};

int compare(FunctionCallInfo fcinfo) {
    Detoasted const left(PG_GETARG_DATUM(0));
    Detoasted const right(PG_GETARG_DATUM(1));
    int const order = left.text().compare(right.text()); // char_traits<char> compares as unsigned bytes
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

/// One row of validate().
struct Verdict {
    static constexpr int columns = 7;
    Datum values[columns] = {};
    bool nulls[columns] = {true, true, true, true, true, true, true};

    void set(int column, Datum value) {
        values[column] = value;
        nulls[column] = false;
    }
    void set_text(int column, std::string_view value) {
        if (!value.empty())
            set(column, text_datum(value));
    }
};

void judge(Verdict& verdict, std::string_view text, Form form) {
    verdict.set_text(1, name_of(form));
    try {
        std::string const printed = canonical(form, text, language_limits());
        verdict.set_text(2, printed);
        verdict.set(0, BoolGetDatum(true));
    } catch (const Error& error) {
        if (error.kind == ErrorKind::interrupted)
            throw;
        verdict.set(0, BoolGetDatum(false));
        verdict.set_text(3, error.what());
        if (error.offset >= 0) {
            Position const position = position_of(text, static_cast<std::size_t>(error.offset));
            verdict.set(4, Int32GetDatum(static_cast<int32>(position.line)));
            verdict.set(5, Int32GetDatum(static_cast<int32>(position.column)));
        }
        verdict.set_text(6, error.hint);
    }
}

Form asked_form(FunctionCallInfo fcinfo, std::string_view definition) {
    if (PG_ARGISNULL(1))
        return form_of(definition);
    text* const name = border::pg_call([&] { return PG_GETARG_TEXT_PP(1); });
    std::string_view const asked(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
    if (auto const form = form_named(asked))
        return *form;
    throw Error(ErrorKind::invalid_parameter, "there is no form \"" + std::string(asked) + "\"", {},
                "The forms are rule, condition, workflow, policy and stream.");
}

} // namespace

} // namespace nurture::language

using nurture::language::Form;

NURTURE_FUNCTION(nurture_rule_definition_in) {
    return nurture::border::entry(
        [&]() -> Datum { return nurture::language::input(Form::rule, PG_GETARG_CSTRING(0)); });
}

NURTURE_FUNCTION(nurture_condition_in) {
    return nurture::border::entry(
        [&]() -> Datum { return nurture::language::input(Form::condition, PG_GETARG_CSTRING(0)); });
}

NURTURE_FUNCTION(nurture_workflow_definition_in) {
    return nurture::border::entry(
        [&]() -> Datum { return nurture::language::input(Form::workflow, PG_GETARG_CSTRING(0)); });
}

NURTURE_FUNCTION(nurture_policy_definition_in) {
    return nurture::border::entry(
        [&]() -> Datum { return nurture::language::input(Form::policy, PG_GETARG_CSTRING(0)); });
}

NURTURE_FUNCTION(nurture_policy_definition_recv) {
    return nurture::border::entry([&]() -> Datum {
        return nurture::language::receive(Form::policy, reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
    });
}

NURTURE_FUNCTION(nurture_stream_definition_in) {
    return nurture::border::entry(
        [&]() -> Datum { return nurture::language::input(Form::stream, PG_GETARG_CSTRING(0)); });
}

NURTURE_FUNCTION(nurture_stream_definition_recv) {
    return nurture::border::entry([&]() -> Datum {
        return nurture::language::receive(Form::stream, reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
    });
}

NURTURE_FUNCTION(nurture_definition_out) {
    return nurture::border::entry([&]() -> Datum { return nurture::language::output(PG_GETARG_DATUM(0)); });
}

NURTURE_FUNCTION(nurture_rule_definition_recv) {
    return nurture::border::entry([&]() -> Datum {
        return nurture::language::receive(Form::rule, reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
    });
}

NURTURE_FUNCTION(nurture_condition_recv) {
    return nurture::border::entry([&]() -> Datum {
        return nurture::language::receive(Form::condition,
                                          reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
    });
}

NURTURE_FUNCTION(nurture_workflow_definition_recv) {
    return nurture::border::entry([&]() -> Datum {
        return nurture::language::receive(Form::workflow, reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
    });
}

NURTURE_FUNCTION(nurture_definition_send) {
    return nurture::border::entry([&]() -> Datum { return nurture::language::send(PG_GETARG_DATUM(0)); });
}

NURTURE_FUNCTION(nurture_definition_cmp) {
    return nurture::border::entry(
        [&]() -> Datum { return Int32GetDatum(nurture::language::compare(fcinfo)); });
}

NURTURE_FUNCTION(nurture_definition_eq) {
    return nurture::border::entry(
        [&]() -> Datum { return BoolGetDatum(nurture::language::compare(fcinfo) == 0); });
}

NURTURE_FUNCTION(nurture_definition_ne) {
    return nurture::border::entry(
        [&]() -> Datum { return BoolGetDatum(nurture::language::compare(fcinfo) != 0); });
}

NURTURE_FUNCTION(nurture_definition_lt) {
    return nurture::border::entry(
        [&]() -> Datum { return BoolGetDatum(nurture::language::compare(fcinfo) < 0); });
}

NURTURE_FUNCTION(nurture_definition_le) {
    return nurture::border::entry(
        [&]() -> Datum { return BoolGetDatum(nurture::language::compare(fcinfo) <= 0); });
}

NURTURE_FUNCTION(nurture_definition_gt) {
    return nurture::border::entry(
        [&]() -> Datum { return BoolGetDatum(nurture::language::compare(fcinfo) > 0); });
}

NURTURE_FUNCTION(nurture_definition_ge) {
    return nurture::border::entry(
        [&]() -> Datum { return BoolGetDatum(nurture::language::compare(fcinfo) >= 0); });
}

NURTURE_FUNCTION(nurture_definition_hash) {
    return nurture::border::entry([&]() -> Datum {
        nurture::language::Detoasted const value(PG_GETARG_DATUM(0));
        std::string_view const bytes = value.text();
        return UInt32GetDatum(
            hash_bytes(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size())));
    });
}

NURTURE_FUNCTION(nurture_definition_hash_extended) {
    return nurture::border::entry([&]() -> Datum {
        nurture::language::Detoasted const value(PG_GETARG_DATUM(0));
        std::string_view const bytes = value.text();
        return UInt64GetDatum(hash_bytes_extended(reinterpret_cast<const unsigned char*>(bytes.data()),
                                                  static_cast<int>(bytes.size()),
                                                  static_cast<uint64>(PG_GETARG_INT64(1))));
    });
}

NURTURE_FUNCTION(nurture_validate) {
    return nurture::border::entry([&]() -> Datum {
        namespace language = nurture::language;
        namespace border = nurture::border;
        language::Verdict verdict;
        if (PG_ARGISNULL(0)) {
            verdict.set(0, BoolGetDatum(false));
            verdict.set_text(3, "there is no definition");
        } else {
            text* const raw = border::pg_call([&] { return PG_GETARG_TEXT_PP(0); });
            std::string_view const definition = language::to_utf8(VARDATA_ANY(raw), VARSIZE_ANY_EXHDR(raw));
            language::judge(verdict, definition, language::asked_form(fcinfo, definition));
        }
        return border::pg_call([&] {
            TupleDesc descriptor = nullptr;
            if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
                elog(ERROR, "validate must return a row");
            return HeapTupleGetDatum(
                heap_form_tuple(BlessTupleDesc(descriptor), verdict.values, verdict.nulls));
        });
    });
}
