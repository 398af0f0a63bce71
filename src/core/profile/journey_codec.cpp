#include "core/profile/journey_codec.hpp"

#include <algorithm>

namespace nurture::profile {

namespace {

constexpr std::uint8_t is_paused = 1, is_held = 2, has_moved = 4, something_came = 8;

std::uint32_t small(ByteReader& in) {
    std::uint64_t const n = in.number();
    if (n > UINT32_MAX)
        ByteReader::corrupt("holds a number out of range");
    return static_cast<std::uint32_t>(n);
}

void encode_counts(ByteWriter& out, const std::vector<StepCount>& counts) {
    out.number(counts.size());
    for (const StepCount& count : counts) {
        out.number(count.at);
        out.number(count.count);
    }
}

void decode_counts(ByteReader& in, std::vector<StepCount>& counts) {
    counts.resize(in.count(2));
    for (StepCount& count : counts) {
        count.at = small(in);
        count.count = small(in);
    }
}

// The place in a list whose members are told ascending, each once.
std::size_t next_place(ByteReader& in, std::size_t previous, bool first, std::size_t size) {
    std::uint64_t const step = in.number();
    if ((!first && step == 0) || step > size || previous + step >= size)
        ByteReader::corrupt("holds more than there is");
    return previous + static_cast<std::size_t>(step);
}

} // namespace

bool has_rich_journeys(const Profile& profile) noexcept {
    return std::any_of(profile.journeys.begin(), profile.journeys.end(), [](const Journey& j) { return !j.is_plain(); });
}

void encode_rich_journeys(ByteWriter& out, const Profile& profile) {
    auto const rich = std::count_if(profile.journeys.begin(), profile.journeys.end(),
                                    [](const Journey& journey) { return !journey.is_plain(); });
    out.number(static_cast<std::uint64_t>(rich));
    std::size_t previous = 0;
    for (std::size_t i = 0; i < profile.journeys.size(); ++i) {
        const Journey& journey = profile.journeys[i];
        if (journey.is_plain())
            continue;
        out.number(i - previous);
        previous = i;
        out.byte(static_cast<std::uint8_t>((journey.paused ? is_paused : 0) | (journey.held ? is_held : 0) |
                                           (journey.moved ? has_moved : 0) | (journey.came != 0 ? something_came : 0)));
        if (journey.came != 0)
            out.number(journey.came);
        out.number(journey.goals);
        out.fixed64(journey.key);
        out.number(journey.context.size());
        for (auto const& [path, json] : journey.context) {
            out.text(path);
            out.text(json);
        }
        encode_counts(out, journey.loops);
        encode_counts(out, journey.retries);
    }
}

void decode_rich_journeys(ByteReader& in, Profile& profile) {
    std::size_t const size = in.count(14);
    std::size_t place = 0;
    for (std::size_t i = 0; i < size; ++i) {
        place = next_place(in, place, i == 0, profile.journeys.size());
        Journey& journey = profile.journeys[place];
        std::uint8_t const flags = in.byte();
        if (flags > (is_paused | is_held | has_moved | something_came))
            ByteReader::corrupt("holds an unknown mark of a journey");
        journey.came = (flags & something_came) != 0 ? small(in) : 0;
        journey.paused = (flags & is_paused) != 0;
        journey.held = (flags & is_held) != 0;
        journey.moved = (flags & has_moved) != 0;
        journey.goals = small(in);
        journey.key = in.fixed64();
        journey.context.resize(in.count(2));
        for (auto& [path, json] : journey.context) {
            path = in.text();
            json = in.text();
        }
        decode_counts(in, journey.loops);
        decode_counts(in, journey.retries);
    }
}

namespace {

void write_uuid(ByteWriter& out, const Uuid& id) { out.raw({reinterpret_cast<const char*>(id.data()), id.size()}); }

void read_uuid(ByteReader& in, Uuid& id) {
    auto const bytes = in.raw(id.size());
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(id.data()));
}

} // namespace

void encode_open(ByteWriter& out, const Strand& strand) {
    out.number(strand.open.size());
    for (const Uuid& id : strand.open)
        write_uuid(out, id);
}

void decode_open(ByteReader& in, Strand& strand) {
    strand.open.resize(in.count(sizeof(Uuid)));
    for (Uuid& id : strand.open)
        read_uuid(in, id);
}

namespace {

constexpr std::uint8_t branch_held = 1, branch_arrived = 2, something_came_to_branch = 4;

void encode_strands(ByteWriter& out, const std::vector<Strand>& strands, Time base) {
    out.number(strands.size());
    for (const Strand& strand : strands) {
        out.byte(static_cast<std::uint8_t>((strand.held ? branch_held : 0) | (strand.arrived ? branch_arrived : 0) |
                                           (strand.came != 0 ? something_came_to_branch : 0)));
        if (strand.came != 0)
            out.number(strand.came);
        out.number(strand.at_step);
        write_time(out, strand.since, base);
        write_time(out, strand.wakes, base);
        write_time(out, strand.check, base);
        encode_open(out, strand);
        encode_counts(out, strand.loops);
        encode_strands(out, strand.branches, base);
    }
}

void decode_strands(ByteReader& in, std::vector<Strand>& strands, Time base, int depth) {
    std::size_t const size = in.count(8);
    if (size != 0 && depth == branches_deep)
        ByteReader::corrupt("holds branches that nest too deep");
    strands.resize(size);
    for (Strand& strand : strands) {
        std::uint8_t const flags = in.byte();
        if (flags > (branch_held | branch_arrived | something_came_to_branch))
            ByteReader::corrupt("holds an unknown mark of a branch");
        strand.came = (flags & something_came_to_branch) != 0 ? small(in) : 0;
        strand.held = (flags & branch_held) != 0;
        strand.arrived = (flags & branch_arrived) != 0;
        strand.at_step = small(in);
        strand.since = read_time(in, base);
        strand.wakes = read_time(in, base);
        strand.check = read_time(in, base);
        decode_open(in, strand);
        decode_counts(in, strand.loops);
        decode_strands(in, strand.branches, base, depth + 1);
    }
}

} // namespace

bool has_branches(const Profile& profile) noexcept {
    return std::any_of(profile.journeys.begin(), profile.journeys.end(), [](const Journey& j) { return !j.branches.empty(); });
}

void encode_branches(ByteWriter& out, const Profile& profile, Time base) {
    auto const with = std::count_if(profile.journeys.begin(), profile.journeys.end(),
                                    [](const Journey& journey) { return !journey.branches.empty(); });
    out.number(static_cast<std::uint64_t>(with));
    std::size_t previous = 0;
    for (std::size_t i = 0; i < profile.journeys.size(); ++i) {
        const Journey& journey = profile.journeys[i];
        if (journey.branches.empty())
            continue;
        out.number(i - previous);
        previous = i;
        encode_strands(out, journey.branches, base);
    }
}

void decode_branches(ByteReader& in, Profile& profile, Time base) {
    std::size_t const size = in.count(2);
    std::size_t place = 0;
    for (std::size_t i = 0; i < size; ++i) {
        place = next_place(in, place, i == 0, profile.journeys.size());
        decode_strands(in, profile.journeys[place].branches, base, 0);
    }
}

bool has_keys(const Profile& profile) noexcept {
    return std::any_of(profile.workflows.begin(), profile.workflows.end(), [](const auto& m) { return !m.keys.empty(); });
}

void encode_keys(ByteWriter& out, const Profile& profile) {
    auto const with = std::count_if(profile.workflows.begin(), profile.workflows.end(), [](const auto& m) { return !m.keys.empty(); });
    out.number(static_cast<std::uint64_t>(with));
    std::size_t previous = 0;
    for (std::size_t i = 0; i < profile.workflows.size(); ++i) {
        const auto& keys = profile.workflows[i].keys;
        if (keys.empty())
            continue;
        out.number(i - previous);
        previous = i;
        out.number(keys.size());
        for (std::uint64_t const key : keys)
            out.fixed64(key);
    }
}

void decode_keys(ByteReader& in, Profile& profile) {
    std::size_t const size = in.count(10);
    std::size_t place = 0;
    for (std::size_t i = 0; i < size; ++i) {
        place = next_place(in, place, i == 0, profile.workflows.size());
        auto& keys = profile.workflows[place].keys;
        keys.resize(in.count(8));
        for (std::uint64_t& key : keys)
            key = in.fixed64();
    }
}

void encode_schedules(ByteWriter& out, const Profile& profile) {
    out.number(profile.schedules.size());
    std::uint32_t previous = 0;
    for (const ScheduleMemory& memory : profile.schedules) {
        out.number(memory.id - previous);
        previous = memory.id;
        out.integer(memory.local);
    }
}

void decode_schedules(ByteReader& in, Profile& profile) {
    profile.schedules.resize(in.count(2));
    std::uint32_t previous = 0;
    for (ScheduleMemory& memory : profile.schedules) {
        std::uint64_t const step = in.number();
        if (step > UINT32_MAX - previous || (step == 0 && &memory != profile.schedules.data()))
            ByteReader::corrupt("holds schedules out of order");
        previous += static_cast<std::uint32_t>(step);
        memory.id = previous;
        memory.local = in.integer();
    }
}

void encode_pending(ByteWriter& out, const Profile& profile) {
    out.number(profile.pending.size());
    for (const PendingContent& pending : profile.pending) {
        out.fixed64(pending.content);
        write_uuid(out, pending.action);
        out.byte(pending.next ? 1 : 0);
    }
}

void decode_pending(ByteReader& in, Profile& profile) {
    profile.pending.resize(in.count(9 + sizeof(Uuid)));
    for (PendingContent& pending : profile.pending) {
        pending.content = in.fixed64();
        read_uuid(in, pending.action);
        pending.next = in.byte() != 0;
    }
}

} // namespace nurture::profile
