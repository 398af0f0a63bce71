// How large states become: the benchmark's events (test/bench/generate.sql: long-tailed contacts, eleven kinds in 87 days)
// under its 20 rules and 20 segments, ten of them windowed and two sequences.
#include "random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace nurture::world {
namespace {

Definitions bench_definitions() {
    Definitions out;
    for (const char* rule :
         {"+1 on page_view topic engagement half-life 14 days", "+2 on email_open topic newsletter half-life 14 days",
          "+5 on email_click topic newsletter half-life 14 days", "+10 on form_submit topic engagement half-life 30 days",
          "+1 on login topic product half-life 7 days", "+7 on download topic product half-life 30 days",
          "+50 on purchase topic value half-life 90 days", "+0.1 per amount on purchase topic value half-life 90 days",
          "+5 on page_view where path like '/pricing/%' topic pricing half-life 14 days",
          "+2 on page_view where path like '/docs/%' topic docs half-life 14 days",
          "+1 on page_view where path like '/blog/%' topic blog half-life 14 days",
          "+2 on page_view where path like '/p/1%' topic product half-life 14 days",
          "+2 on page_view where path like '/p/2%' topic product half-life 14 days",
          "+10 on form_submit where form like 'whitepaper%' topic docs half-life 30 days",
          "+20 on form_submit where form like 'contact%' topic pricing half-life 30 days",
          "+5 on form_submit where form like 'newsletter%' topic newsletter half-life 30 days",
          "+1 on email_open where template like 't1%' topic pricing half-life 14 days",
          "+3 on email_click where template like 't1%' topic pricing half-life 14 days",
          "+5 on page_view where path like '/pricing/4%' topic value half-life 14 days",
          "+3 on download where template like 't2%' topic docs half-life 30 days"})
        out.rule(rule);
    for (const char* condition :
         {"score >= 50 and score(pricing) >= 20 and not did purchase", "count(page_view where path like '/pricing/%' within 7 days) >= 3",
          "count(email_open within 14 days) >= 2", "did login and not did login within 30 days",
          "sum(amount of purchase within 30 days) >= 150", "distinct(path of page_view within 1 day) >= 3", "did purchase",
          "score(newsletter) >= 10", "score(value) >= 60", "score(docs) >= 10 and score(pricing) >= 10",
          "did (page_view where path like '/pricing/%' then not form_submit within 1 day) within 7 days",
          "did (email_open then email_click within 1 day with same template) within 14 days",
          "count(login within 7 days) increased by 50 percent", "did login in at least 3 of the last 4 weeks",
          "days(page_view within 30 days) >= 5", "avg(amount of purchase within 30 days) > 100",
          "count(download between 30 days ago and 7 days ago) >= 2", "did purchase since 2026-02-01", "max(amount of purchase) > 150",
          "days since last(login) >= 14"})
        out.segment("s" + std::to_string(out.source.segments.size()), condition);
    return out;
}

TEST(Size, StatesStaySmall) {
    auto definitions = bench_definitions();
    auto const model = definitions.compile();
    Random r(42);
    static const std::vector<std::string> types{"page_view", "page_view", "page_view", "page_view", "page_view", "email_open",
                                                "email_click", "form_submit", "login", "download", "purchase"};
    constexpr double contacts = 500'000, rows = 5'000'000;
    std::vector<std::size_t> sizes;
    for (int sampled = 0; sampled < 1'500; ++sampled) {
        auto const place = static_cast<double>(r.below(500'000));
        double const expected = rows * (std::sqrt((place + 1) / contacts) - std::sqrt(place / contacts));
        auto const count = static_cast<std::int64_t>(expected + 2 * std::sqrt(expected) * (static_cast<double>(r.below(1'000)) / 1'000 - 0.5) + 0.5);
        std::vector<Event> events;
        for (std::int64_t i = 0; i < count; ++i) {
            Event event;
            event.at = 9'497 * one_day + r.below(87 * one_day);
            event.type = r.pick(types);
            if (event.type == "page_view")
                event.properties = {{"path", r.pick<std::string>({"/pricing/", "/docs/", "/blog/", "/p/"}) + std::to_string(r.below(51))}, {"seconds", r.below(121)}};
            else if (event.type == "purchase")
                event.properties = {{"amount", static_cast<double>(r.below(20'001)) / 100}};
            else if (event.type == "form_submit")
                event.properties = {{"form", r.pick<std::string>({"whitepaper", "contact", "newsletter"})}};
            else
                event.properties = {{"template", "t" + std::to_string(r.below(21))}};
            events.push_back(event);
        }
        std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
        for (Event& event : events)
            event.received_at = event.at;
        Contact contact;
        if (!events.empty())
            contact.step(model, events, std::nullopt);
        if (!contact.state.empty())
            sizes.push_back(contact.state.size());
    }
    std::sort(sizes.begin(), sizes.end());
    auto const median = sizes[sizes.size() / 2];
    auto const p99 = sizes[sizes.size() * 99 / 100];
    RecordProperty("median", static_cast<int>(median));
    RecordProperty("p99", static_cast<int>(p99));
    std::cout << "states: median " << median << " B, p99 " << p99 << " B, largest " << sizes.back() << " B\n";
    EXPECT_LT(median, 500U);
    EXPECT_LT(p99, 2'000U);
}

} // namespace
} // namespace nurture::world
