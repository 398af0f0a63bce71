#include "core/identity/plan.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

namespace nurture::identity {

namespace {

/// A contact while the plan is made, with the keys it has by kind.
struct Person {
    std::string name;
    std::map<std::string, std::set<std::string>> keys;
    std::size_t won_first = none; ///< the first link of the message by which it first won
    bool held = false;

    static constexpr std::size_t none = SIZE_MAX;
};

class Planner {
  public:
    Planner(const std::vector<Link>& links, const std::vector<KnownKey>& known, const std::map<std::string, Kind>& kinds)
        : links_(links), kinds_(kinds) {
        for (const auto& key : known) {
            people_[person(key.contact)].keys[key.kind].insert(key.key);
            if (key.key == key.contact)
                kind_of_name_[key.key] = key.kind;
        }
        for (const Link& link : links_) {
            name(link.key, link.kind, link.contact);
            if (!link.split)
                name(link.other, link.of_kind, link.other_contact);
        }
    }

    Plan run() {
        find_components();
        for (std::size_t i = 0; i < links_.size();) {
            std::size_t end = i + 1;
            while (end < links_.size() && links_[i].message != 0 && links_[end].message == links_[i].message)
                ++end;
            take(i, end);
            i = end;
        }
        return std::move(plan_);
    }

  private:
    std::size_t person(const std::string& name) {
        auto const [place, made] = number_.emplace(name, people_.size());
        if (made) {
            people_.push_back({name, {}, Person::none, false});
            became_.push_back(people_.size() - 1);
            component_.push_back(people_.size() - 1);
        }
        return place->second;
    }

    // A contact that nobody has told a kind of is the application's own.
    void name(const std::string& key, const std::string& kind, const std::string& contact) {
        std::size_t const who = person(contact);
        if (key == contact)
            kind_of_name_.emplace(key, kind);
        auto const own = kind_of_name_.find(contact);
        people_[who].keys[own == kind_of_name_.end() ? "user" : own->second].insert(contact);
    }

    static std::size_t find(std::vector<std::size_t>& parents, std::size_t i) {
        while (parents[i] != i)
            i = parents[i] = parents[parents[i]];
        return i;
    }

    // All that hang together by whatever link: what one of them waits for, the others may have to wait for, too.
    void find_components() {
        for (const Link& link : links_) {
            std::size_t const a = person(link.contact), b = link.split ? a : person(link.other_contact);
            component_[find(component_, a)] = find(component_, b);
        }
    }

    void hold(std::size_t who, std::size_t link, bool before) {
        if (people_[who].held)
            return;
        people_[who].held = true;
        plan_.holds.push_back({people_[who].name, link, before});
    }

    [[nodiscard]] Kind kind(const std::string& name) const {
        auto const place = kinds_.find(name);
        return place == kinds_.end() ? Kind{false, 0, 0} : place->second;
    }

    [[nodiscard]] std::string kind_of_name(const Person& person) const {
        auto const place = kind_of_name_.find(person.name);
        return place == kind_of_name_.end() ? "user" : place->second;
    }

    // The kind of which both together would have too many, while neither alone has as many.
    [[nodiscard]] std::optional<std::string> conflict(const Person& a, const Person& b) const {
        for (const auto& [name, theirs] : b.keys) {
            std::size_t const at_most = kind(name).at_most;
            auto const place = a.keys.find(name);
            if (at_most == 0 || place == a.keys.end())
                continue;
            std::set<std::string> both = place->second;
            both.insert(theirs.begin(), theirs.end());
            if (both.size() > at_most && both.size() > std::max(place->second.size(), theirs.size()))
                return name;
        }
        return std::nullopt;
    }

    [[nodiscard]] bool first_wins(const Person& a, const Person& b, const Link& link) const {
        Kind const x = kind(kind_of_name(a)), y = kind(kind_of_name(b));
        if (x.identifying != y.identifying)
            return x.identifying;
        if (x.priority != y.priority)
            return x.priority > y.priority;
        return !link.other_wins;
    }

    // Those whom a link names, as they were when the batch began.
    [[nodiscard]] std::size_t first_of(std::size_t link) { return person(links_[link].contact); }
    [[nodiscard]] std::size_t second_of(std::size_t link) {
        return person(links_[link].split ? links_[link].contact : links_[link].other_contact);
    }

    // The links of one message: all of them, or none in this round.
    void take(std::size_t begin, std::size_t end) {
        std::size_t const component = find(component_, first_of(begin));
        made_.clear();
        std::size_t const found = plan_.found.size(), holds = plan_.holds.size();
        bool passed = stopped_.count(component) == 0;
        for (std::size_t i = begin; passed && i < end; ++i)
            passed = links_[i].split ? split(i, component) : connect(i, begin);
        if (passed) {
            if (!made_.empty())
                merged_.insert(component);
            return;
        }
        undo(found, holds);
        stopped_.insert(component);
        for (std::size_t i = begin; i < end; ++i) {
            hold(first_of(i), i, true);
            hold(second_of(i), i, true);
        }
    }

    // False: it has to wait. Everybody who hangs together with it stands before it then.
    bool split(std::size_t i, std::size_t component) {
        std::size_t const first = first_of(i), whose = became_[first];
        if (whose == first && !links_[i].undoable) {
            plan_.found.push_back({i, Finding::same, people_[whose].name, {}, {}});
            return true;
        }
        // What stands before it must be settled: a conflict that waits would be none after it.
        if (merged_.count(component) != 0)
            return false;
        stopped_.insert(component);
        plan_.found.push_back({i, Finding::split, people_[whose].name, {}, {}});
        hold(whose, i, false);
        return true;
    }

    // False: it has to wait.
    bool connect(std::size_t i, std::size_t message) {
        const Link& link = links_[i];
        std::size_t const a = became_[first_of(i)], b = became_[second_of(i)];
        if (a == b) {
            plan_.found.push_back({i, Finding::same, people_[a].name, {}, {}});
            return true;
        }
        if (auto const kind = link.forced ? std::nullopt : conflict(people_[a], people_[b])) {
            plan_.found.push_back({i, Finding::conflict, people_[a].name, people_[b].name, *kind});
            return true;
        }
        bool const first_is_winner = first_wins(people_[a], people_[b], link);
        std::size_t const winner = first_is_winner ? a : b, loser = first_is_winner ? b : a;
        if (people_[loser].won_first != Person::none && people_[loser].won_first != message)
            return false;
        merge(winner, loser, i, message);
        return true;
    }

    void merge(std::size_t winner, std::size_t loser, std::size_t i, std::size_t message) {
        // Whom the loser has won by this message goes straight to the winner.
        for (Made& made : made_)
            if (made.winner == loser) {
                made.winner = winner;
                plan_.found[made.found].winner = people_[winner].name;
                became_[made.loser] = winner;
            }
        made_.push_back({plan_.found.size(), loser, winner, winner, people_[winner].won_first == Person::none, {}});
        plan_.found.push_back({i, Finding::merge, people_[winner].name, people_[loser].name, {}});
        hold(loser, i, false);
        hold(winner, i, false);
        if (people_[winner].won_first == Person::none)
            people_[winner].won_first = message;
        for (auto& [kind, keys] : people_[loser].keys)
            for (const auto& key : keys)
                if (people_[winner].keys[kind].insert(key).second)
                    made_.back().keys.emplace_back(winner, kind, key);
        became_[loser] = winner;
    }

    // As before the message.
    void undo(std::size_t found, std::size_t holds) {
        for (; !made_.empty(); made_.pop_back()) {
            const Made& made = made_.back();
            for (const auto& [who, kind, key] : made.keys)
                people_[who].keys[kind].erase(key);
            if (made.first_win)
                people_[made.winner_then].won_first = Person::none;
            became_[made.loser] = made.loser;
        }
        for (std::size_t i = holds; i < plan_.holds.size(); ++i)
            people_[person(plan_.holds[i].contact)].held = false;
        plan_.holds.resize(holds);
        plan_.found.resize(found);
    }

    /// A merge by the message at hand.
    struct Made {
        std::size_t found, loser, winner, winner_then; ///< who has won, and who had before others of its links
        bool first_win;
        std::vector<std::tuple<std::size_t, std::string, std::string>> keys; ///< that a contact got
    };

    const std::vector<Link>& links_;
    const std::map<std::string, Kind>& kinds_;
    std::unordered_map<std::string, std::size_t> number_;
    std::vector<Person> people_;
    std::vector<std::size_t> became_, component_;
    std::unordered_map<std::string, std::string> kind_of_name_;
    std::set<std::size_t> stopped_, merged_; // components: nobody passes any more; somebody has merged
    std::vector<Made> made_;
    Plan plan_;
};

} // namespace

Plan plan(const std::vector<Link>& links, const std::vector<KnownKey>& known, const std::map<std::string, Kind>& kinds) {
    return Planner(links, known, kinds).run();
}

} // namespace nurture::identity
