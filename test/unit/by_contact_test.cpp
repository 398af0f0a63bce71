// The aggregates that group by contact themselves, against maps of sets.
#include "core/analytics/attribution_log.hpp"
#include "core/analytics/cohort_log.hpp"
#include "core/analytics/contact_log.hpp"
#include "core/analytics/contact_masks.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>

using namespace nurture;
using namespace nurture::analytics;

namespace {

template <class T>
T pick(T least, T end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(least, end));
}

// Short and long names, some alike in their beginning, the empty one too.
std::string any_name(unsigned contacts) {
    unsigned const i = pick(0U, contacts);
    return i == 0 ? "" : std::string(i % 3 == 0 ? 40 : 1, 'c') + std::to_string(i);
}

auto* const heap = std::pmr::get_default_resource();

// Everything the containers take goes with this.
struct Memory {
    std::pmr::monotonic_buffer_resource resource;
    Budget budget;
    std::pmr::memory_resource* get() noexcept { return &resource; }
};

ErrorKind kind_of_error(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.kind;
    }
    ADD_FAILURE() << "no error";
    return ErrorKind::interrupted;
}

void nothing() {}

} // namespace

TEST(ContactNumbers, NumberInTheOrderOfFirstAppearance) {
    EXPECT_TRUE(rc::check([] {
        Memory memory;
        ContactNumbers numbers(memory.get(), memory.budget);
        std::map<std::string, std::uint32_t> expected;
        std::vector<std::string> order;
        for (int i = pick(0, 400); i > 0; --i) {
            std::string const name = any_name(200);
            auto const [found, fresh] = expected.emplace(name, static_cast<std::uint32_t>(order.size()));
            if (fresh)
                order.push_back(name);
            RC_ASSERT(numbers.number_of(name) == found->second);
        }
        RC_ASSERT(numbers.size() == order.size());
        auto const keys = numbers.keys();
        RC_ASSERT(std::equal(keys.begin(), keys.end(), order.begin(), order.end()));
    }));
}

TEST(ContactNumbers, ManyContactsAndTheBudget) {
    Memory memory;
    ContactNumbers numbers(memory.get(), memory.budget);
    for (std::uint32_t i = 0; i < 100'000; ++i)
        ASSERT_EQ(numbers.number_of(std::to_string(i) + (i % 5 == 0 ? " with a long name behind it" : "")),
                  i);
    for (std::uint32_t i = 0; i < 100'000; ++i)
        ASSERT_EQ(numbers.number_of(std::to_string(i) + (i % 5 == 0 ? " with a long name behind it" : "")),
                  i);

    Budget small(100'000);
    ContactNumbers limited(memory.get(), small);
    EXPECT_EQ(kind_of_error([&] {
                  for (int i = 0; i < 10'000; ++i)
                      limited.number_of(std::to_string(i));
              }),
              ErrorKind::limit_exceeded);
    EXPECT_GT(limited.size(), 1'000U);
}

namespace {

using Expected = std::map<std::string, std::vector<Event>>;

Expected read_log(ContactLog& log, const std::vector<std::string>& names) {
    Expected found;
    std::size_t i = 0;
    log.for_each_contact(
        [&](std::span<const Event> events) { found[names[i++]].assign(events.begin(), events.end()); });
    return found;
}

} // namespace

TEST(ContactLog, GivesEachContactItsEventsInOrderHoweverItWasPutTogether) {
    EXPECT_TRUE(rc::check([] {
        Memory memory;
        std::size_t const parts = pick<std::size_t>(1, 4);
        std::vector<std::unique_ptr<ContactLog>> logs;
        for (std::size_t i = 0; i < parts; ++i)
            logs.push_back(std::make_unique<ContactLog>(memory.get(), memory.budget));
        Expected expected;
        std::vector<std::vector<std::string>> order(parts);
        for (int i = pick(0, 60); i > 0; --i) {
            std::size_t const part = pick<std::size_t>(0, parts);
            std::string const name = any_name(8);
            Event const event{pick<Time>(-5, 5), pick(1U, 8U)};
            logs[part]->add(name, event.at, event.mask);
            expected[name].push_back(event);
            if (std::find(order[part].begin(), order[part].end(), name) == order[part].end())
                order[part].push_back(name);
        }
        for (auto& [name, events] : expected)
            std::sort(events.begin(), events.end());
        auto& sum = *logs[0];
        for (std::size_t i = 1; i < parts; ++i) {
            if (pick(0, 2) == 0) {
                sum.merge(*logs[i]);
            } else {
                std::string bytes;
                logs[i]->encode_to(bytes);
                sum.merge(bytes, std::identity{});
            }
            for (auto const& name : order[i])
                if (std::find(order[0].begin(), order[0].end(), name) == order[0].end())
                    order[0].push_back(name);
        }
        RC_ASSERT(read_log(sum, order[0]) == expected);
    }));
}

TEST(ContactLog, HostileBytesAreRefused) {
    EXPECT_TRUE(rc::check([] {
        Memory memory;
        ContactLog log(memory.get(), memory.budget), other(memory.get(), memory.budget);
        for (int i = pick(1, 10); i > 0; --i)
            log.add(any_name(5), pick<Time>(-5, 5), pick(1U, 8U));
        std::string bytes;
        log.encode_to(bytes);
        if (pick(0, 2) == 0)
            bytes.resize(pick<std::size_t>(0, bytes.size()));
        else
            bytes[pick<std::size_t>(0, bytes.size())] = static_cast<char>(pick(0, 256));
        try {
            other.merge(bytes, std::identity{});
            other.for_each_contact([](std::span<const Event> events) { RC_ASSERT(!events.empty()); });
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data);
        }
    }));
}

TEST(ContactMasks, CountWhoEverDid) {
    EXPECT_TRUE(rc::check([] {
        Memory memory;
        ContactMasks masks(memory.get(), memory.budget), copied(memory.get(), memory.budget),
            merged(memory.get(), memory.budget);
        std::map<std::string, std::uint32_t> expected;
        for (int i = pick(0, 50); i > 0; --i) {
            std::string const name = any_name(10);
            std::uint32_t const mask = pick(0U, 16U);
            masks.add(name, mask);
            expected[name] |= mask;
        }
        std::vector<std::int64_t> counts(4, 0);
        for (auto const& [name, mask] : expected)
            for (unsigned i = 0; i < 4; ++i)
                counts[i] += (mask & 1) != 0 && (mask >> i & 1) != 0 ? 1 : 0;
        RC_ASSERT(masks.retained(4) == counts);
        std::string bytes;
        masks.encode_to(bytes);
        copied.merge(bytes);
        copied.merge(bytes); // those of one contact are united, not added
        merged.merge(masks);
        merged.merge(copied);
        RC_ASSERT(copied.retained(4) == counts);
        RC_ASSERT(merged.retained(4) == counts);
    }));
}

TEST(CohortLog, IsTheSumOfItsContactsSummaries) {
    EXPECT_TRUE(rc::check([] {
        Memory memory;
        Period const period = pick(0, 2) == 0 ? Period{1, 0} : Period{0, 7 * one_day};
        Time const scale = pick(0, 2) == 0 ? one_day : 3000 * one_day; // within the table, and beyond it
        std::vector<std::unique_ptr<CohortLog>> logs;
        for (int i = 0; i < 2; ++i)
            logs.push_back(std::make_unique<CohortLog>(period, memory.get(), memory.budget));
        std::map<std::string, std::set<std::int64_t>> active;
        for (int i = pick(0, 50); i > 0; --i) {
            std::string const name = any_name(6);
            Time const at = pick<Time>(-100, 100) * scale;
            logs[pick<std::size_t>(0, 2)]->add(name, at);
            active[name].insert(period_of(period, at));
        }
        CohortSummary expected;
        expected.period = period;
        CohortSummary encoded = expected;
        for (auto const& [name, periods] : active) {
            std::vector<std::int64_t> const numbers(periods.begin(), periods.end());
            auto const one = summarize_contact(period, numbers.front(), numbers);
            RC_ASSERT(encode_contact(period, numbers.front(), numbers) == encode(one));
            expected.add(one);
            encoded.add(encode(one));
        }
        std::string bytes;
        logs[1]->encode_to(bytes);
        if (pick(0, 2) == 0)
            logs[0]->merge(bytes);
        else
            logs[0]->merge(*logs[1]);
        RC_ASSERT(logs[0]->summary(nothing) == expected);
        RC_ASSERT(encoded == expected);
    }));
}

TEST(CohortLog, BeginningAfterSomeActivityIsEncodedAlike) {
    EXPECT_TRUE(rc::check([] {
        Period const period{0, one_day};
        std::set<std::int64_t> chosen;
        for (int i = pick(0, 10); i > 0; --i)
            chosen.insert(pick<std::int64_t>(-5, 15));
        std::vector<std::int64_t> const periods(chosen.begin(), chosen.end());
        std::int64_t const first = pick<std::int64_t>(-6, 16);
        RC_ASSERT(encode_contact(period, first, periods) ==
                  encode(summarize_contact(period, first, periods)));
    }));
}

TEST(CohortLog, InfiniteTimesAreRefused) {
    Memory memory;
    CohortLog log({1, 0}, memory.get(), memory.budget);
    EXPECT_EQ(kind_of_error([&] { log.add("a", never); }), ErrorKind::out_of_range);
}

namespace {

const char* const channels[] = {"direct", "email", "search"};

struct Row {
    std::string contact;
    Time at;
    std::string channel; // empty: none
    std::int64_t conversions;
    Wide value;
};

// Paths cut by hand: rows sorted by time, touches before conversions.
std::string cut_paths(const std::vector<Row>& rows, Span span) {
    Attribution attribution(heap);
    std::set<std::string> contacts;
    for (auto const& row : rows)
        contacts.insert(row.contact);
    for (auto const& contact : contacts) {
        std::map<Time, Outcome> conversions;
        for (auto const& row : rows)
            if (row.contact == contact && row.conversions > 0)
                conversions[row.at].add({row.conversions, 0, row.value});
        Time after = always;
        auto const path_until = [&](Time until, bool windowed) {
            Path path;
            for (auto const& row : rows)
                if (row.contact == contact && !row.channel.empty() && row.at > after && row.at <= until &&
                    (!windowed || span == never || until - row.at < span))
                    path.push_back({row.at, row.channel});
            canonicalize(path);
            after = until;
            return path;
        };
        for (auto const& [at, outcome] : conversions)
            attribution.add(path_until(at, true), outcome);
        if (Path const rest = path_until(never, false); !rest.empty())
            attribution.add(rest, {0, 1, 0});
    }
    return attribution.encode();
}

} // namespace

TEST(AttributionLog, CutsPathsAtConversions) {
    EXPECT_TRUE(rc::check([] {
        Memory memory;
        Span const span = pick(0, 2) == 0 ? never : pick<Span>(1, 6);
        std::vector<std::unique_ptr<AttributionLog>> logs;
        for (int i = 0; i < 2; ++i)
            logs.push_back(std::make_unique<AttributionLog>(span, memory.get(), memory.budget));
        std::vector<Row> rows(static_cast<std::size_t>(pick(0, 40)));
        for (auto& row : rows) {
            row = {any_name(4), pick<Time>(0, 8), "", 0, 0};
            auto& log = *logs[pick<std::size_t>(0, 2)];
            if (int const what = pick(0, 4); what > 0) {
                row.channel = channels[what - 1];
                log.add_touch(row.contact, row.at, row.channel);
            } else {
                row.conversions = pick<std::int64_t>(1, 3);
                row.value = pick<std::int64_t>(-100, 1'000'000);
                log.add_conversion(row.contact, row.at, row.conversions, row.value);
            }
        }
        std::string bytes;
        logs[1]->encode_to(bytes);
        if (pick(0, 2) == 0)
            logs[0]->merge(bytes);
        else
            logs[0]->merge(*logs[1]);
        RC_ASSERT(logs[0]->summary(nothing) == cut_paths(rows, span));
    }));
}

TEST(AttributionLog, HostileBytesAreRefused) {
    EXPECT_TRUE(rc::check([] {
        Memory memory;
        AttributionLog log(never, memory.get(), memory.budget), other(never, memory.get(), memory.budget);
        for (int i = pick(1, 10); i > 0; --i) {
            log.add_touch(any_name(4), pick<Time>(0, 8), channels[pick(0, 3)]);
            log.add_conversion(any_name(4), pick<Time>(0, 8), 1, 5);
        }
        std::string bytes;
        log.encode_to(bytes);
        if (pick(0, 2) == 0)
            bytes.resize(pick<std::size_t>(0, bytes.size()));
        else
            bytes[pick<std::size_t>(0, bytes.size())] = static_cast<char>(pick(0, 256));
        try {
            other.merge(bytes);
            (void)decode_attribution(other.summary(nothing));
        } catch (const Error& error) {
            RC_ASSERT(error.kind == ErrorKind::corrupt_data || error.kind == ErrorKind::invalid_parameter ||
                      error.kind == ErrorKind::out_of_range);
        }
    }));
}
