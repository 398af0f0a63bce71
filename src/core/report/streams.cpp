#include "core/report/streams.hpp"

#include "core/step/facts.hpp"

#include <algorithm>

namespace nurture::report {

std::vector<StreamPlace> stream_places(const model::Model& model, const profile::Profile& profile,
                                       std::string_view key, Time at) {
    step::Facts const facts(model, profile, key);
    std::vector<StreamPlace> out;
    for (const auto& stream : model.streams) {
        bool next = true; // nothing before it is
        for (std::size_t i = 0; i < stream.contents.size(); ++i) {
            const auto& content = stream.contents[i];
            bool const pending = std::any_of(profile.pending.begin(), profile.pending.end(),
                                             [&](const auto& p) { return p.content == content.hash; });
            StreamPlace place{&stream, i, {}};
            if (facts.evaluate(content.had, at).truth == step::Truth::yes)
                place.state = "sent";
            else if (pending)
                place.state = "on its way";
            else if (at < content.from)
                place.state = "not yet available";
            else if (at >= content.until)
                place.state = "no longer available";
            else
                place.state = std::exchange(next, false) ? "next" : "later";
            out.push_back(place);
        }
    }
    return out;
}

} // namespace nurture::report
