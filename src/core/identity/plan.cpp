#include "core/identity/plan.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

namespace nurture::identity {

namespace {

/// A contact while the plan is made, with the keys it has by kind.
struct Person {
    std::string name;
    std::map<std::string, std::set<std::string>> keys;
    bool has_won = false;
    bool held = false;
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
        for (std::size_t i = 0; i < links_.size(); ++i)
            take(i);
        return std::move(plan_);
    }

  private:
    std::size_t person(const std::string& name) {
        auto const [place, made] = number_.emplace(name, people_.size());
        if (made) {
            people_.push_back({name, {}, false, false});
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

    // Everybody who hangs together with a barrier that cannot be passed in this round stands before it.
    void stop(std::size_t component, std::size_t link) { stopped_.emplace(component, link); }

    void take(std::size_t i) {
        const Link& link = links_[i];
        std::size_t const first = person(link.contact), second = link.split ? first : person(link.other_contact);
        std::size_t const component = find(component_, first);
        if (stopped_.count(component) != 0) {
            hold(first, i, true);
            hold(second, i, true);
            return;
        }
        std::size_t const a = find(became_, first), b = find(became_, second);
        if (link.split) {
            stop(component, i);
            if (people_[a].has_won || a != first) {
                hold(first, i, true);
                return;
            }
            plan_.found.push_back({i, Finding::split, people_[a].name, {}, {}});
            hold(a, i, false);
            return;
        }
        if (a == b) {
            plan_.found.push_back({i, Finding::same, people_[a].name, {}, {}});
            return;
        }
        if (auto const kind = link.forced ? std::nullopt : conflict(people_[a], people_[b])) {
            plan_.found.push_back({i, Finding::conflict, people_[a].name, people_[b].name, *kind});
            return;
        }
        bool const first_is_winner = first_wins(people_[a], people_[b], link);
        std::size_t const winner = first_is_winner ? a : b, loser = first_is_winner ? b : a;
        if (people_[loser].has_won) {
            stop(component, i);
            hold(first, i, true);
            hold(second, i, true);
            return;
        }
        plan_.found.push_back({i, Finding::merge, people_[winner].name, people_[loser].name, {}});
        hold(loser, i, false);
        hold(winner, i, false);
        people_[winner].has_won = true;
        for (auto& [name, keys] : people_[loser].keys)
            people_[winner].keys[name].insert(keys.begin(), keys.end());
        became_[loser] = winner;
    }

    const std::vector<Link>& links_;
    const std::map<std::string, Kind>& kinds_;
    std::unordered_map<std::string, std::size_t> number_;
    std::vector<Person> people_;
    std::vector<std::size_t> became_, component_;
    std::unordered_map<std::string, std::string> kind_of_name_;
    std::unordered_map<std::size_t, std::size_t> stopped_;
    Plan plan_;
};

} // namespace

Plan plan(const std::vector<Link>& links, const std::vector<KnownKey>& known, const std::map<std::string, Kind>& kinds) {
    return Planner(links, known, kinds).run();
}

} // namespace nurture::identity
