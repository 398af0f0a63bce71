// Consent: what joins to what, that a join never allows more, that time is exact, and what is said when a message is malformed.
#include "../simulation/world.hpp"

#include "core/consent/message.hpp"
#include "core/language/language.hpp"
#include "core/step/facts.hpp"
#include "core/step/fold.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <random>

namespace nurture::consent {
namespace {

using world::Contact;
using world::Definitions;
using world::Event;
using world::Json;
using world::JsonProperties;

const std::vector<std::string> channels{"", "email", "sms"}, purposes{"", "news", "offers"};

/// What was said, as it was said: the oracle keeps all of it.
struct Said {
    Status what = Status::granted; ///< granted, withdrawn, denied or pending
    Scope scope;
    Stamp stamp;
    Time expires = never;
    friend std::ostream& operator<<(std::ostream& out, const Said& said) {
        return out << name_of(said.what) << " (" << said.scope.channel << ',' << said.scope.purpose << ") at " << said.stamp.at << '.'
                   << said.stamp.tick << " until " << said.expires;
    }
};

rc::Gen<std::vector<Said>> any_history() {
    return rc::gen::container<std::vector<Said>>(rc::gen::exec([] {
        Said said;
        said.what = *rc::gen::weightedElement<Status>({{4, Status::granted}, {2, Status::withdrawn}, {1, Status::denied}, {1, Status::pending}});
        said.scope = {*rc::gen::elementOf(channels), *rc::gen::elementOf(purposes)};
        said.stamp = {*rc::gen::inRange<Time>(0, 12), *rc::gen::inRange<std::int64_t>(1, 3), 1}; // few moments: many ties
        if (said.what == Status::pending || (said.what == Status::granted && *rc::gen::inRange(0, 3) == 0))
            said.expires = said.stamp.at + *rc::gen::inRange<Time>(1, 8);
        return said;
    }));
}

Consents consents_of(const std::vector<Said>& history) {
    Consents out;
    for (const Said& said : history) {
        if (said.what == Status::granted)
            out.grant(said.scope, {said.stamp, said.expires, "consent", "v1", ""});
        else if (said.what == Status::pending)
            out.request(said.scope, {said.stamp, said.expires});
        else
            out.refuse(said.scope, {said.stamp, said.what == Status::denied, ""});
    }
    return out;
}

Consents joined(Consents a, const Consents& b) {
    a.merge(b);
    return a;
}

bool covers(const Scope& wide, const Scope& narrow) {
    return (wide.channel.empty() || wide.channel == narrow.channel) && (wide.purpose.empty() || wide.purpose == narrow.purpose);
}

/// From all that was ever said: is there a grant, the newest of its scope, that no refusal ever said beats?
const Said* standing_grant(const std::vector<Said>& history, const Scope& asked, Time lasting_beyond) {
    for (const Said& grant : history) {
        if (grant.what != Status::granted || !covers(grant.scope, asked) || grant.expires <= lasting_beyond)
            continue;
        bool stands = true;
        for (const Said& other : history) {
            bool const replaced = other.what == Status::granted && other.scope == grant.scope &&
                                  std::tie(other.stamp, other.expires) > std::tie(grant.stamp, grant.expires);
            bool const refused = (other.what == Status::withdrawn || other.what == Status::denied) && covers(other.scope, asked) &&
                                 (other.stamp.at >= grant.stamp.at || (other.scope != grant.scope && covers(grant.scope, other.scope)));
            stands = stands && !replaced && !refused;
        }
        if (stands)
            return &grant;
    }
    return nullptr;
}

bool was_refused(const std::vector<Said>& history, const Scope& asked) {
    return std::any_of(history.begin(), history.end(), [&](const Said& said) {
        return (said.what == Status::withdrawn || said.what == Status::denied) && covers(said.scope, asked);
    });
}

template <class Each>
void each_scope(Each each) {
    for (const char* channel : {"", "email", "sms", "post"}) // post, gifts: nobody ever spoke of them by name
        for (const char* purpose : {"", "news", "offers", "gifts"})
            each(Scope{channel, purpose});
}

TEST(Consent, MergeIsAssociativeCommutativeAndIdempotent) {
    EXPECT_TRUE(rc::check([] {
        auto const a = consents_of(*any_history()), b = consents_of(*any_history()), c = consents_of(*any_history());
        RC_ASSERT(joined(a, b) == joined(b, a));
        RC_ASSERT(joined(joined(a, b), c) == joined(a, joined(b, c)));
        RC_ASSERT(joined(a, a) == a);
    }));
}

TEST(Consent, MergeIsWhatAllOfItSaidInOneGives) {
    EXPECT_TRUE(rc::check([] {
        auto const a = *any_history(), b = *any_history();
        auto both = a;
        both.insert(both.end(), b.begin(), b.end());
        std::shuffle(both.begin(), both.end(), std::mt19937(*rc::gen::inRange(0, 1000)));
        RC_ASSERT(joined(consents_of(a), consents_of(b)) == consents_of(both));
    }));
}

// allowed(a ⊕ b) ⇒ one of them allowed it, by a grant that no refusal of either, as new or newer, speaks against.
TEST(Consent, MergeNeverAllowsMore) {
    EXPECT_TRUE(rc::check([] {
        auto const left = *any_history(), right = *any_history();
        auto const a = consents_of(left), b = consents_of(right), both = joined(a, b);
        Time const at = *rc::gen::inRange<Time>(0, 20);
        each_scope([&](const Scope& scope) {
            if (!both.allows(scope, at))
                return;
            RC_ASSERT(a.allows(scope, at) || b.allows(scope, at));
            auto const verdict = both.verdict(scope, at);
            for (const auto* history : {&left, &right})
                for (const Said& said : *history)
                    if ((said.what == Status::withdrawn || said.what == Status::denied) && covers(said.scope, scope))
                        RC_ASSERT(said.stamp.at < verdict.grant->stamp.at);
        });
    }));
}

TEST(Consent, AgreesWithTheOracle) {
    EXPECT_TRUE(rc::check([] {
        auto const history = *any_history();
        auto const consents = consents_of(history);
        Time const at = *rc::gen::inRange<Time>(0, 20);
        each_scope([&](const Scope& scope) {
            auto const verdict = consents.verdict(scope, at);
            const Said* const granted = standing_grant(history, scope, at);
            const Said* const ever = standing_grant(history, scope, always);
            bool const refused = was_refused(history, scope);
            RC_ASSERT((verdict.status == Status::granted) == (granted != nullptr));
            RC_ASSERT(consents.refuses(scope) == (refused && ever == nullptr));
            if (verdict.status == Status::expired)
                RC_ASSERT(granted == nullptr && ever != nullptr);
            if (verdict.status == Status::withdrawn || verdict.status == Status::denied)
                RC_ASSERT(refused && ever == nullptr);
            if (verdict.status == Status::never_asked)
                RC_ASSERT(!refused && ever == nullptr);
            // Until it says it changes, it does not.
            for (Time later = at; later < 30 && later < verdict.changes; ++later)
                RC_ASSERT(consents.verdict(scope, later).status == verdict.status);
            if (verdict.changes != never)
                RC_ASSERT(consents.verdict(scope, verdict.changes).status != verdict.status);
        });
    }));
}

TEST(Consent, NothingOfAScopeIsRefusedWhenNoScopeInItIs) {
    EXPECT_TRUE(rc::check([] {
        auto const consents = consents_of(*any_history());
        each_scope([&](const Scope& wide) {
            bool any = false;
            each_scope([&](const Scope& narrow) { any = any || (covers(wide, narrow) && consents.refuses(narrow)); });
            RC_ASSERT(consents.refuses_none_of(wide) == !any);
        });
    }));
}

TEST(Consent, BytesAreReadBack) {
    EXPECT_TRUE(rc::check([] {
        profile::Profile profile;
        profile.clock = *rc::gen::inRange<Time>(0, 30);
        profile.consents = consents_of(*any_history());
        auto const bytes = encode(profile);
        RC_ASSERT(profile::decode(bytes).consents == profile.consents);
        RC_ASSERT(static_cast<int>(bytes[0]) == (profile.consents.empty() ? 1 : 2)); // an older library reads what it can
        if (profile.consents.empty())
            return;
        auto const cut = *rc::gen::inRange<std::size_t>(1, bytes.size());
        RC_ASSERT_THROWS_AS(profile::decode(bytes.substr(0, cut)), Error);
    }));
}

TEST(Consent, ASpecificPurposeGoesItsOwnWay) {
    Scope const all{"email", ""}, news{"email", "news"}, offers{"email", "offers"};
    Consents c;
    auto status = [&](const Scope& scope) { return name_of(c.verdict(scope, 100).status); };
    EXPECT_EQ(status(news), "never asked");
    c.grant(all, {{1, 1, 1}, never, "", "", ""});
    EXPECT_EQ(status(news), "granted");
    c.refuse(news, {{2, 1, 1}, false, ""});
    EXPECT_EQ(status(news), "withdrawn");
    EXPECT_EQ(status(offers), "granted");
    EXPECT_EQ(status({"sms", "news"}), "never asked");
    c.grant(all, {{3, 1, 1}, never, "", "", ""}); // who said no by name is not taken back in by the way
    EXPECT_EQ(status(news), "withdrawn");
    c.grant(news, {{4, 1, 1}, never, "", "", ""});
    EXPECT_EQ(status(news), "granted");
    c.refuse(all, {{5, 1, 1}, true, ""});
    EXPECT_EQ(status(news), "denied");
    c.grant(news, {{5, 2, 1}, never, "", "", ""}); // at the same moment the refusal counts
    EXPECT_EQ(status(news), "denied");
    c.grant(news, {{6, 1, 1}, 50, "", "", ""});
    EXPECT_EQ(status(news), "expired");
    EXPECT_EQ(status(offers), "denied");
    c.request(offers, {{7, 1, 1}, 101});
    EXPECT_EQ(status(offers), "pending");
    EXPECT_TRUE(c.refuses(offers)); // to be asked is not to say yes
    EXPECT_FALSE(c.refuses(news));
}

TEST(Consent, SaysWhatIsWrong) {
    Zone const zone = Zone::find("UTC");
    auto const problem = [&](const char* json) { return problem_of(JsonProperties(Json::parse(json)), zone); };
    EXPECT_EQ(problem(R"({"state": "granted"})"), "");
    EXPECT_EQ(problem(R"({"state": "granted", "channel": "email", "purpose": null, "expires": "2 years", "ip_hash": "00"})"), "");
    EXPECT_EQ(problem(R"({"state": "pending", "channel": "email", "expires": "2027-01-01T00:00:00Z"})"), "");
    EXPECT_EQ(problem(R"({})"), "state must be granted, denied, withdrawn or pending");
    EXPECT_EQ(problem(R"({"state": "GRANTED"})"), "state must be granted, denied, withdrawn or pending");
    EXPECT_EQ(problem(R"({"state": true})"), "state must be granted, denied, withdrawn or pending");
    EXPECT_EQ(problem(R"({"state": "granted", "channel": 5})"), "channel must be a text");
    EXPECT_EQ(problem(R"({"state": "granted", "purpose": ""})"), "purpose must not be empty; leave it out");
    EXPECT_EQ(problem_of(JsonProperties({{"state", "denied"}, {"source", std::string(513, 'x')}}), zone), "source is longer than 512 bytes");
    EXPECT_EQ(problem(R"({"state": "withdrawn", "expires": "soon"})"), ""); // a refusal lasts, whatever it says
    EXPECT_EQ(problem(R"({"state": "granted", "expires": "soon"})"), "expires must be a time in ISO 8601, or a duration such as 2 years");
    EXPECT_EQ(problem(R"({"state": "granted", "expires": 5})"), "expires must be a time in ISO 8601, or a duration");
    EXPECT_EQ(problem(R"({"state": "granted", "expires": "20000-01-01T00:00:00Z"})"), "expires must be a time in ISO 8601, or a duration such as 2 years");
}

Event said(Time at, Json properties) {
    Event event;
    event.at = event.received_at = at;
    event.type = "$consent";
    event.properties = std::move(properties);
    return event;
}

constexpr Time day_one = 9'000 * one_day;

// It expires at the very microsecond, whatever the ticks; a segment and a reminder come with it.
TEST(Consent, ExpiresAtTheMicrosecond) {
    Definitions definitions;
    definitions.segment("reachable", "consent(email, news)");
    definitions.segment("runs out", "consent(email, news) expires within next 14 days");
    definitions.segment("lost", "consent(email, news) in ('expired', 'withdrawn')");
    definitions.workflow("renew", "on entering segment 'runs out' send email 'renew' for news as transactional");
    auto const model = definitions.compile();
    Time const end = day_one + 100 * one_day;
    for (int const cut : {0, 1, 2, 3}) {
        Contact contact;
        contact.step(model, {said(day_one, {{"channel", "email"}, {"purpose", "news"}, {"state", "granted"}, {"expires", "100 days"}})},
                     cut == 1 ? std::optional(day_one) : std::nullopt);
        if (cut == 2)
            contact.step(model, {}, end - 14 * one_day - 1);
        if (cut >= 2) {
            contact.step(model, {}, end - 1);
            EXPECT_EQ(contact.due, end);
        }
        contact.step(model, {}, end + one_day);
        std::vector<std::string> lines;
        for (const auto& t : contact.raw_transitions)
            lines.push_back(std::to_string(t.at - day_one) + ' ' + std::string(name_of(t.kind)) + ' ' + t.name + " (" + t.cause + ") " + t.reason);
        auto const at = [](Time t) { return std::to_string(t); };
        std::vector<std::string> const expected{
            "0 consent changed email/news ($consent) {\"channel\":\"email\",\"purpose\":\"news\",\"from\":\"never asked\",\"to\":\"granted\"}",
            "0 segment entered reachable ($consent) ",
            at(86 * one_day) + " segment entered runs out (time) ",
            at(86 * one_day) + " journey started renew (time) ",
            at(86 * one_day) + " journey ended renew (time) completed",
            at(100 * one_day) + " consent changed email/news (time) {\"channel\":\"email\",\"purpose\":\"news\",\"from\":\"granted\",\"to\":\"expired\"}",
            at(100 * one_day) + " segment left reachable (time) ",
            at(100 * one_day) + " segment left runs out (time) ",
            at(100 * one_day) + " segment entered lost (time) "};
        EXPECT_EQ(lines, expected) << "cut " << cut;
        ASSERT_EQ(contact.raw_actions.size(), 1U);
        EXPECT_EQ(contact.raw_actions[0].due, end - 14 * one_day);
        EXPECT_EQ(contact.due, never);
    }
}

// However it is cut into steps: the same state but for ticks, the same transitions, and the fold agrees.
TEST(Consent, StepsInAnyBatchesGiveTheSame) {
    Definitions definitions;
    definitions.segment("news", "consent(email, news)");
    definitions.segment("refused", "consent(email) = 'withdrawn' or consent(sms, offers) = 'denied'");
    definitions.segment("ending", "consent(email, news) expires within next 3 days");
    definitions.rule("+5 while consent(email, news)");
    auto const model = definitions.compile();
    EXPECT_TRUE(rc::check([&] {
        std::vector<Event> events;
        Time now = day_one;
        for (const Said& s : *any_history()) {
            now += *rc::gen::inRange<Time>(0, 3) * one_day;
            Json properties{{"state", name_of(s.what)}};
            if (!s.scope.channel.empty())
                properties["channel"] = s.scope.channel;
            if (!s.scope.purpose.empty())
                properties["purpose"] = s.scope.purpose;
            if (s.expires != never)
                properties["expires"] = std::to_string(s.expires - s.stamp.at) + " days";
            events.push_back(said(now, properties));
            if (*rc::gen::inRange(0, 4) == 0)
                events.back().at -= 2 * one_day; // told late
        }
        Time const end = now + 30 * one_day;
        Contact whole, cut;
        whole.step(model, events, end);
        for (const Event& event : events) {
            if (*rc::gen::arbitrary<bool>())
                cut.step(model, {}, event.received_at - *rc::gen::inRange<Time>(0, 2) * one_day); // may lie behind
            cut.step(model, {event}, std::nullopt);
        }
        cut.step(model, {}, end);
        RC_ASSERT(whole.transitions == cut.transitions);
        RC_ASSERT(whole.due == cut.due || events.empty());

        std::deque<JsonProperties> properties;
        std::vector<step::LoggedEvent> log;
        for (std::size_t i = 0; i < events.size(); ++i)
            log.push_back({"$consent", &properties.emplace_back(events[i].properties), {events[i].at, 1, static_cast<std::int32_t>(i + 1)}});
        std::reverse(log.begin(), log.end());
        RC_ASSERT(step::fold(model, log, end).consents == whole.profile().consents);
    }));
}

TEST(Consent, MalformedMessagesAreSetAside) {
    Definitions definitions;
    definitions.segment("s", "consent(email)");
    auto const model = definitions.compile();
    Contact contact;
    contact.step(model, {said(day_one, {{"state", "yes"}}), said(day_one, {{"state", "granted"}, {"channel", "email"}})}, day_one);
    ASSERT_EQ(contact.rejections.size(), 1U);
    EXPECT_EQ(contact.rejections[0].message, 0);
    EXPECT_EQ(contact.profile().segments.size(), 1U);
    std::vector<Event> many;
    for (std::size_t i = 0; i <= most_scopes; ++i)
        many.push_back(said(day_one, {{"state", "granted"}, {"channel", "c" + std::to_string(i)}}));
    contact.step(model, many, day_one);
    ASSERT_EQ(contact.rejections.size(), 3U); // email was one of them
    EXPECT_EQ(contact.rejections[1].reason, "the contact has consents for 250 channels and purposes already");
    EXPECT_EQ(contact.profile().consents.entries().size(), most_scopes);
}

TEST(Consent, IsWrittenInConditions) {
    for (const char* text : {"consent(email)", "consent(email, newsletter)", "not consent(\"e mail\", \"in\")", "consent(email) = 'withdrawn'",
                             "consent(email, x) not in ('granted', 'pending')", "consent(email) expires within next 30 days",
                             "consent(email, newsletter) expires < 2027-01-01", "consent(sms) expires is not set", "consent = 'x'",
                             "consent(email) and consent.email = true"})
        EXPECT_EQ(language::print(language::parse_condition(text)), text);
    EXPECT_EQ(language::print(language::parse_condition("CONSENT ( Email,News )EXPIRES is in the past")), "consent(Email, News) expires is in the past");
    auto const refused = [](const std::string& condition) {
        Definitions definitions;
        definitions.segment("s", condition);
        try {
            (void)definitions.compile();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("taken");
    };
    EXPECT_NE(refused("consent(email) = 'yes'").find("there is no status 'yes' of a consent"), std::string::npos);
    EXPECT_NE(refused("consent(email) in ('granted', 5)").find("there is no status 5 of a consent"), std::string::npos);
    EXPECT_NE(refused("consent()").find("expected a channel"), std::string::npos) << refused("consent()");
    EXPECT_NE(refused("consent(email, )").find("expected a purpose"), std::string::npos);
    EXPECT_NE(refused("consent(email) expires").find("a comparison"), std::string::npos);
    EXPECT_NE(refused("did e where consent(email)").find("consent cannot be asked inside"), std::string::npos);
    EXPECT_EQ(refused("consent(email) expires more than 3 days ahead"), "taken");
}

} // namespace
} // namespace nurture::consent
