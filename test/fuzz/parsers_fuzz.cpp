// Feeds the parsers whatever libFuzzer finds: no crash, and what parses has a canonical text that stands for
// the same.
//   clang++ -std=gnu++20 -O1 -g -fsanitize=fuzzer,address,undefined -Isrc test/fuzz/parsers_fuzz.cpp \
//       src/core/base/*.cpp src/core/language/*.cpp -licuuc -ldate-tz -o build/parsers_fuzz && build/parsers_fuzz
//       -max_total_time=60
#include "core/base/error.hpp"
#include "core/language/form.hpp"
#include "core/language/references.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

namespace language = nurture::language;

template <class Parse>
void attempt(Parse parse, std::string_view text) {
    try {
        auto const definition = parse(text, language::Limits{});
        (void)language::references(definition);
        (void)language::event_types(definition);
        std::string const printed = language::print(definition);
        auto const again = parse(printed, language::Limits{});
        if (!(again == definition) || language::print(again) != printed)
            std::abort();
    } catch (const nurture::Error& error) {
        bool const expected =
            error.kind == nurture::ErrorKind::syntax || error.kind == nurture::ErrorKind::limit_exceeded;
        if (!expected || error.offset > static_cast<std::int64_t>(text.size()))
            std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<const char*>(data), size);
    attempt(language::parse_rule, text);
    attempt(language::parse_condition, text);
    attempt(language::parse_workflow, text);
    (void)language::form_of(text);
    return 0;
}
