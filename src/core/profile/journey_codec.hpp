#pragma once
// The bytes of what few journeys have: parts behind the rest of a profile.
#include "core/base/varint.hpp"
#include "core/profile/profile.hpp"

namespace nurture::profile {

[[nodiscard]] bool has_rich_journeys(const Profile& profile) noexcept;
void encode_rich_journeys(ByteWriter& out, const Profile& profile);
void decode_rich_journeys(ByteReader& in, Profile& profile);

[[nodiscard]] bool has_keys(const Profile& profile) noexcept;
void encode_keys(ByteWriter& out, const Profile& profile);
void decode_keys(ByteReader& in, Profile& profile);

/// The identities of actions whose outcome is not known.
void encode_open(ByteWriter& out, const Strand& strand);
void decode_open(ByteReader& in, Strand& strand);

[[nodiscard]] bool has_branches(const Profile& profile) noexcept;
void encode_branches(ByteWriter& out, const Profile& profile, Time base);
void decode_branches(ByteReader& in, Profile& profile, Time base);

void encode_schedules(ByteWriter& out, const Profile& profile);
void decode_schedules(ByteReader& in, Profile& profile);
void encode_pending(ByteWriter& out, const Profile& profile);
void decode_pending(ByteReader& in, Profile& profile);

} // namespace nurture::profile
