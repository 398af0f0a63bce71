#pragma once
// What the aggregates share that group by contact themselves. Their last arguments are VARIADIC "any", so
// that no array is made for each row; their states lie in the aggregate's memory context altogether.
#include "core/analytics/contact_numbers.hpp"
#include "core/analytics/wire.hpp"

#include "pg/analytics/event_state.hpp"
#include "pg/analytics/settings.hpp"
#include "pg/border/memory.hpp"

extern "C" {
#include "utils/uuid.h"
}

namespace nurture::analytics {

enum class KeyType : std::uint8_t { text, int2, int4, int8, uuid };

/// What the arguments of one call in a query are: found out once.
struct CallSite {
    KeyType key;
    bool array; ///< called with VARIADIC array
    std::uint8_t conditions;
};

/// Finds it out at the first row. `first` is the first condition's argument, 0 when there are none.
const CallSite& call_site(FunctionCallInfo fcinfo, int contact, int first);

/// A contact's key: its bytes, in the argument or here.
class ContactKey {
public:
    ContactKey(FunctionCallInfo fcinfo, int argument, KeyType type) {
        Datum const value = PG_GETARG_DATUM(argument);
        switch (type) {
        case KeyType::text: {
            const text* const found = DatumGetTextPP(value);
            bytes_ = {VARDATA_ANY(found), VARSIZE_ANY_EXHDR(found)};
            return;
        }
        case KeyType::int2:
            integer_ = DatumGetInt16(value);
            break;
        case KeyType::int4:
            integer_ = DatumGetInt32(value);
            break;
        case KeyType::int8:
            integer_ = DatumGetInt64(value);
            break;
        case KeyType::uuid:
            bytes_ = {reinterpret_cast<const char*>(DatumGetUUIDP(value)->data), UUID_LEN};
            return;
        }
        bytes_ = {reinterpret_cast<const char*>(&integer_), sizeof integer_};
    }
    ContactKey(const ContactKey&) = delete;
    ContactKey& operator=(const ContactKey&) = delete;
    operator std::string_view() const noexcept { return bytes_; }

private:
    std::int64_t integer_ = 0;
    std::string_view bytes_;
};

/// Which conditions hold; sets how many there are.
std::uint32_t read_mask(FunctionCallInfo fcinfo, const CallSite& site, int first, unsigned& conditions);

/// What all these states begin with. `packed` is what another process sent: it is read when it is combined.
struct ByContact {
    explicit ByContact(MemoryContext context)
        : memory(context), budget(static_cast<std::size_t>(aggregate_memory) * 1024) {}
    border::ContextResource memory;
    Budget budget;
    std::string_view packed;
};

/// Makes a state that owns nothing outside of its context: its destructor need not run.
template <class State, class... Arguments>
State* make_by(MemoryContext context, Arguments&&... arguments) {
    void* const place = MemoryContextAllocExtended(context, sizeof(State), MCXT_ALLOC_NO_OOM);
    if (place == nullptr)
        throw std::bad_alloc();
    return new (place) State(context, std::forward<Arguments>(arguments)...);
}

template <class State>
State* state_of(FunctionCallInfo fcinfo, int argument) {
    return PG_ARGISNULL(argument) ? nullptr : reinterpret_cast<State*>(PG_GETARG_POINTER(argument));
}

/// A text that lives as long as the context.
const text* copy_of(MemoryContext context, std::string_view source);

inline std::string_view view_of(const text* value) noexcept {
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/// The first byte of what processes send each other.
inline constexpr std::uint8_t state_version = 1;

inline void expect_version(ByteReader& reader) {
    if (reader.byte() != state_version)
        ByteReader::fail("the format is not known");
}


/// bigint[] of at most 32 counts.
Datum counts_array(const std::vector<std::int64_t>& counts);

inline Datum null_result(FunctionCallInfo fcinfo) {
    fcinfo->isnull = true;
    return Datum{0};
}

} // namespace nurture::analytics
