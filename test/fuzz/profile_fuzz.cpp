// Feeds the profile's decoder whatever libFuzzer finds: an error of ours, or a profile whose bytes come back for good,
// which the conditions of a model with every kind of feature can be asked about. `make fuzz`.
#include "core/base/error.hpp"
#include "core/model/model.hpp"
#include "core/profile/profile.hpp"
#include "core/step/step.hpp"

#include <cstdint>
#include <cstdlib>
#include <map>

namespace {

namespace model = nurture::model;
namespace profile = nurture::profile;

// Ids from 1 in the order of the features, as a fuzzer comes upon them.
model::Model every_kind() {
    model::Source source;
    source.id = 1;
    source.rules.push_back({1, "r", "+1 on e half-life 1 day at most 2 per day"});
    source.rules.push_back({2, "s", "+1 on e half-life 1 day"});
    std::uint32_t id = 0;
    for (const char* condition :
         {"count(e) > 1 and sum(p of e) > 1 and avg(p of e) > 1 and min(p of e) > 1 and max(p of e) > 1",
          "count(e within 1 day) > 1 and sum(p of e within 1 day) > 1 and distinct(p of e within 1 day) > 1",
          "count(e between 7 days ago and 1 day ago) > 1 and distinct(p of e before 1 day ago) > 1 and did e before 1 day ago",
          "first(p of e) = 1 and last(p of e) = 1 and first(p of e within 1 month) = 1 and days since last(e) > 2",
          "days(e) > 1 and days(e within 7 days) > 1 and did e in at least 2 of the last 4 weeks",
          "sessions(e within 7 days) > 1 and longest session(e) > 5 and entry(p of e) = 1 and exit(p of e) = 1",
          "did (e then f within 1 day without g with same p within one session within 2 days overall) within 7 days",
          "did (e then not f within 1 month) and count(e within 1 day) increased by 10 percent", "a = 1 and score > 3"})
        source.segments.push_back({++id, "s" + std::to_string(id), condition});
    std::uint32_t feature = 0;
    for (const std::string& text : model::required_features(source))
        source.features.push_back({++feature, text, 0});
    return model::compile(source);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const model::Model all = every_kind();
    std::string_view const bytes(reinterpret_cast<const char*>(data), size);
    try {
        profile::Profile decoded = profile::decode(bytes);
        std::string const once = profile::encode(decoded);
        if (profile::encode(profile::decode(once)) != once)
            std::abort();
        decoded.journeys.clear();
        nurture::step::Input input;
        input.contact = "c";
        input.profile = std::move(decoded);
        input.profile.model = 0; // adopts: every condition is asked
        input.tick = 1;
        (void)nurture::step::step(all, std::move(input));
    } catch (const nurture::Error&) {
        // corrupt_data or newer_format
    } catch (const std::bad_variant_access&) {
        std::abort();
    }
    return 0;
}
