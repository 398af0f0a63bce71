#include "core/profile/profile.hpp"

#include "core/profile/journey_codec.hpp"

#include <algorithm>
#include <tuple>

namespace nurture::profile {

namespace {

auto find_attribute(auto& attributes, std::string_view key) {
    return std::lower_bound(attributes.begin(), attributes.end(), key,
                            [](const Attribute& a, std::string_view k) { return a.key < k; });
}

} // namespace

std::string_view attribute_json(const Profile& profile, std::string_view key) noexcept {
    auto const place = find_attribute(profile.attributes, key);
    return place != profile.attributes.end() && place->key == key ? std::string_view(place->json) : std::string_view();
}

void write_attribute(Profile& profile, std::string_view key, const Stamp& stamp, std::string_view json, std::string_view source) {
    if (json == "null")
        json = {};
    auto const place = find_attribute(profile.attributes, key);
    if (place == profile.attributes.end() || place->key != key) {
        profile.attributes.insert(place, {std::string(key), stamp, std::string(json), std::string(source)});
    } else if (place->stamp < stamp || (place->stamp == stamp && std::tie(place->json, place->source) < std::tie(json, source))) {
        place->stamp = stamp;
        place->json = json;
        place->source = source;
    }
}

// --- bytes: format, clock, then each part with its count. Times are written relative to the clock. ----------------

namespace {

std::uint32_t read_id(ByteReader& in, std::uint32_t base) {
    std::uint64_t const difference = in.number();
    if (difference > UINT32_MAX - base)
        ByteReader::corrupt("holds an id out of range");
    return base + static_cast<std::uint32_t>(difference);
}

std::uint32_t read_ascending(ByteReader& in, std::uint32_t previous, bool first) {
    std::uint32_t const id = read_id(in, previous);
    if (!first && id == previous)
        ByteReader::corrupt("holds an id twice");
    return id;
}

void encode_journey(ByteWriter& out, const Journey& journey, Time base) {
    out.number(journey.workflow);
    out.number(journey.version);
    out.number(journey.instance);
    out.number(journey.at_step);
    write_time(out, journey.started, base);
    write_time(out, journey.since, base);
    write_time(out, journey.wakes, base);
    write_time(out, journey.check, base);
    encode_open(out, journey);
}

Journey decode_journey(ByteReader& in, Time base) {
    Journey journey;
    journey.workflow = read_id(in, 0);
    journey.version = read_id(in, 0);
    journey.instance = read_id(in, 0);
    journey.at_step = read_id(in, 0);
    journey.started = read_time(in, base);
    journey.since = read_time(in, base);
    journey.wakes = read_time(in, base);
    journey.check = read_time(in, base);
    decode_open(in, journey);
    return journey;
}

void encode_attributes(ByteWriter& out, const Profile& profile, const Stamp& base) {
    out.number(profile.attributes.size());
    for (const Attribute& attribute : profile.attributes) {
        out.text(attribute.key);
        write_stamp(out, attribute.stamp, base);
        out.text(attribute.json);
    }
}

void decode_attributes(ByteReader& in, Profile& profile, const Stamp& base) {
    std::size_t const size = in.count(5);
    profile.attributes.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
        Attribute attribute;
        attribute.key = in.text();
        attribute.stamp = read_stamp(in, base);
        attribute.json = in.text();
        if (i > 0 && attribute.key <= profile.attributes.back().key)
            ByteReader::corrupt("holds attributes out of order");
        profile.attributes.push_back(std::move(attribute));
    }
}

// What few contacts have comes last, each part behind a byte that says what it is; `end` closes them, so that a state cut
// short is noticed.
enum class Part : std::uint8_t {
    end = 0,
    pasts = 1,
    completed = 2,
    consents = 3,
    origins = 4,
    sources = 5,
    journeys = 10,
    keys = 11,
    schedules = 12,
    branches = 13,
    pending = 14
};

bool has_origins(const Profile& profile) {
    return std::any_of(profile.journeys.begin(), profile.journeys.end(), [](const auto& j) { return !j.origin.empty(); });
}

void encode_origins(ByteWriter& out, const Profile& profile) {
    if (!has_origins(profile))
        return;
    out.byte(static_cast<std::uint8_t>(Part::origins));
    for (const Journey& journey : profile.journeys)
        out.text(journey.origin);
}

bool has_sources(const Profile& profile) {
    return std::any_of(profile.attributes.begin(), profile.attributes.end(), [](const auto& a) { return !a.source.empty(); });
}

void encode_sources(ByteWriter& out, const Profile& profile) {
    if (!has_sources(profile))
        return;
    out.byte(static_cast<std::uint8_t>(Part::sources));
    for (const Attribute& attribute : profile.attributes)
        out.text(attribute.source);
}

void encode_parts(ByteWriter& out, const Profile& profile, const Stamp& stamp) {
    Time const base = stamp.at;
    std::uint32_t previous = 0;
    if (!profile.pasts.empty()) {
        out.byte(static_cast<std::uint8_t>(Part::pasts));
        out.number(profile.pasts.size());
        for (const SegmentPast& past : profile.pasts) {
            out.number(past.id - previous);
            previous = past.id;
            write_time(out, past.known_from, base);
            out.number(past.changes.size());
            for (const auto& change : past.changes) {
                write_time(out, change.at, base);
                out.byte(change.member ? 1 : 0);
            }
        }
    }
    if (!profile.completed.empty()) {
        out.byte(static_cast<std::uint8_t>(Part::completed));
        out.number(profile.completed.size());
        previous = 0;
        for (std::uint32_t const workflow : profile.completed) {
            out.number(workflow - previous);
            previous = workflow;
        }
    }
    if (!profile.consents.empty()) {
        out.byte(static_cast<std::uint8_t>(Part::consents));
        encode(out, profile.consents, stamp);
    }
    encode_origins(out, profile);
    encode_sources(out, profile);
    if (has_rich_journeys(profile)) {
        out.byte(static_cast<std::uint8_t>(Part::journeys));
        encode_rich_journeys(out, profile);
    }
    if (has_keys(profile)) {
        out.byte(static_cast<std::uint8_t>(Part::keys));
        encode_keys(out, profile);
    }
    if (!profile.schedules.empty()) {
        out.byte(static_cast<std::uint8_t>(Part::schedules));
        encode_schedules(out, profile);
    }
    if (has_branches(profile)) {
        out.byte(static_cast<std::uint8_t>(Part::branches));
        encode_branches(out, profile, base);
    }
    if (!profile.pending.empty()) {
        out.byte(static_cast<std::uint8_t>(Part::pending));
        encode_pending(out, profile);
    }
    out.byte(static_cast<std::uint8_t>(Part::end));
}

void decode_parts(ByteReader& in, Profile& profile, const Stamp& stamp) {
    Time const base = stamp.at;
    int last = 0;
    while (int const part = in.byte()) {
        if (part <= last)
            ByteReader::corrupt("holds its parts out of order");
        last = part;
        std::uint32_t previous = 0;
        switch (static_cast<Part>(part)) {
        case Part::pasts: {
            std::size_t const size = in.count(3);
            for (std::size_t i = 0; i < size; ++i) {
                SegmentPast past;
                past.id = previous = read_ascending(in, previous, i == 0);
                past.known_from = read_time(in, base);
                past.changes.resize(in.count(2));
                for (auto& change : past.changes) {
                    change.at = read_time(in, base);
                    change.member = in.byte() != 0;
                }
                profile.pasts.push_back(std::move(past));
            }
            break;
        }
        case Part::completed: {
            std::size_t const size = in.count(1);
            for (std::size_t i = 0; i < size; ++i) {
                previous = read_ascending(in, previous, i == 0);
                profile.completed.push_back(previous);
            }
            break;
        }
        case Part::consents:
            profile.consents = consent::decode_consents(in, stamp);
            break;
        case Part::origins:
            for (Journey& journey : profile.journeys)
                journey.origin = in.text();
            break;
        case Part::sources:
            for (Attribute& attribute : profile.attributes)
                attribute.source = in.text();
            break;
        case Part::journeys:
            decode_rich_journeys(in, profile);
            break;
        case Part::keys:
            decode_keys(in, profile);
            break;
        case Part::schedules:
            decode_schedules(in, profile);
            break;
        case Part::branches:
            decode_branches(in, profile, base);
            break;
        case Part::pending:
            decode_pending(in, profile);
            break;
        default:
            ByteReader::corrupt("holds an unknown part");
        }
    }
}

} // namespace

std::string encode(const Profile& profile) {
    ByteWriter out;
    bool const plain = std::none_of(profile.features.begin(), profile.features.end(),
                                    [](const auto& f) { return needs_format_2(f.value); });
    Time const base = profile.clock == always ? 0 : profile.clock;
    Stamp const stamp{base, 0, 0};
    ByteWriter last;
    encode_parts(last, profile, stamp);
    std::string const parts = last.take();
    bool const modern = !plain || profile.score != ScoreState{} || parts.size() > 1; // more than their end
    out.byte(modern ? 2 : 1);
    out.number(profile.model);
    write_time(out, profile.clock, 0);
    write_time(out, profile.first_seen, base);
    write_time(out, profile.last_seen, base);

    auto const stored = std::count_if(profile.features.begin(), profile.features.end(),
                                      [](const auto& f) { return f.value.index() != 0; });
    out.number(static_cast<std::uint64_t>(stored));
    std::uint32_t previous = 0;
    for (const StoredFeature& feature : profile.features) {
        if (feature.value.index() == 0)
            continue;
        out.number(feature.id - previous);
        encode(out, feature.value, stamp);
        previous = feature.id;
    }
    encode_attributes(out, profile, stamp);

    out.number(profile.segments.size());
    previous = 0;
    for (const SegmentState& segment : profile.segments) {
        out.number(segment.id - previous);
        out.byte(segment.member ? 1 : 0);
        if (segment.member)
            write_time(out, segment.since, base);
        write_time(out, segment.flips, base);
        previous = segment.id;
    }
    out.number(profile.journeys.size());
    for (const Journey& journey : profile.journeys)
        encode_journey(out, journey, base);
    out.number(profile.workflows.size());
    previous = 0;
    for (const WorkflowMemory& memory : profile.workflows) {
        out.number(memory.workflow - previous);
        out.number(memory.entries);
        write_time(out, memory.last_start, base);
        previous = memory.workflow;
    }
    out.number(profile.seen.size());
    for (const SeenMessage& message : profile.seen) {
        write_time(out, message.received_at, base);
        out.fixed64(message.hash);
    }
    if (modern) {
        encode(out, profile.score, stamp);
        out.raw(parts);
    }
    return out.take();
}

namespace {

// The format, the times and the features.
std::uint8_t decode_beginning(ByteReader& in, Profile& profile, Stamp& stamp) {
    std::uint8_t const format = in.byte();
    if (format > profile_format)
        throw Error(ErrorKind::newer_format, "the profile was written by a later version of nurture",
                    "Its format is " + std::to_string(format) + "; this library reads up to " +
                        std::to_string(profile_format) + ".",
                    "Install the newer library on this server.");
    if (format == 0)
        ByteReader::corrupt("is not a profile");
    profile.model = read_id(in, 0);
    profile.clock = read_time(in, 0);
    Time const base = profile.clock == always ? 0 : profile.clock;
    stamp = {base, 0, 0};
    profile.first_seen = read_time(in, base);
    profile.last_seen = read_time(in, base);

    std::size_t const size = in.count(3);
    profile.features.reserve(size);
    std::uint32_t previous = 0;
    for (std::size_t i = 0; i < size; ++i) {
        previous = read_ascending(in, previous, i == 0);
        profile.features.push_back({previous, decode_feature(in, stamp)});
    }
    return format;
}

} // namespace

Profile decode_for_score(std::string_view bytes, bool with_attributes) {
    if (!bytes.empty() && bytes.front() == profile_format)
        return decode(bytes);
    ByteReader in(bytes);
    Profile profile;
    Stamp stamp;
    (void)decode_beginning(in, profile, stamp);
    if (with_attributes)
        decode_attributes(in, profile, stamp);
    return profile;
}

Profile decode(std::string_view bytes) {
    ByteReader in(bytes);
    Profile profile;
    Stamp stamp;
    std::uint8_t const format = decode_beginning(in, profile, stamp);
    Time const base = stamp.at;
    decode_attributes(in, profile, stamp);

    std::size_t size = in.count(3);
    profile.segments.reserve(size);
    std::uint32_t previous = 0;
    for (std::size_t i = 0; i < size; ++i) {
        SegmentState segment;
        segment.id = previous = read_ascending(in, previous, i == 0);
        segment.member = in.byte() != 0;
        if (segment.member)
            segment.since = read_time(in, base);
        segment.flips = read_time(in, base);
        profile.segments.push_back(segment);
    }
    size = in.count(9);
    profile.journeys.reserve(size);
    for (std::size_t i = 0; i < size; ++i)
        profile.journeys.push_back(decode_journey(in, base));
    size = in.count(3);
    previous = 0;
    for (std::size_t i = 0; i < size; ++i) {
        WorkflowMemory memory;
        memory.workflow = previous = read_ascending(in, previous, i == 0);
        memory.entries = read_id(in, 0);
        memory.last_start = read_time(in, base);
        profile.workflows.push_back(memory);
    }
    size = in.count(9);
    profile.seen.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
        Time const received_at = read_time(in, base);
        profile.seen.push_back({received_at, in.fixed64()});
    }
    if (format >= 2) {
        profile.score = decode_score_state(in, stamp);
        decode_parts(in, profile, stamp);
    }
    if (!in.at_end())
        ByteReader::corrupt("goes on after its end");
    return profile;
}

} // namespace nurture::profile
