// Bands of a score: their ladders, and bands in conditions.
#include "core/base/error.hpp"
#include "core/model/rule.hpp"

#include <algorithm>

namespace nurture::model {

void compile_bands(Builder& builder, Model& model) {
    for (const BandRow& row : model.source.bands) {
        auto const refuse = [&](const std::string& what) {
            throw Error(ErrorKind::invalid_definition, "band \"" + row.name + "\": " + what);
        };
        Index topic = none;
        if (!row.topic.empty()) {
            auto const known = builder.known_topic(row.topic);
            if (!known)
                throw Error(ErrorKind::undefined_name,
                            "band \"" + row.name + "\": topic \"" + row.topic + "\" does not exist", "No rule has this topic.",
                            language::suggest(row.topic, model.topics));
            topic = *known;
        }
        if (row.hysteresis < 0 || row.rearm < 0)
            refuse("hysteresis and re-arming time may not be negative");
        auto& ladders = model.scoring.ladders;
        auto ladder = std::find_if(ladders.begin(), ladders.end(), [&](const Ladder& l) { return l.topic == topic; });
        if (ladder == ladders.end())
            ladder = ladders.insert(ladder, Ladder{topic, {}});
        for (const Band& band : ladder->bands) {
            if (band.name == row.name)
                refuse("there is another one of this name");
            if (band.from == row.from)
                refuse("it begins where band \"" + band.name + "\" begins");
        }
        ladder->bands.push_back({row.id, row.name, row.from, row.hysteresis, row.rearm});
    }
    for (Ladder& ladder : model.scoring.ladders)
        std::sort(ladder.bands.begin(), ladder.bands.end(), [](const Band& a, const Band& b) { return a.from < b.from; });
}

Operand Builder::band(const language::Band& band) {
    auto const topic = band.topic ? known_topic(*band.topic) : std::optional<Index>(none);
    const auto& ladders = model_.scoring.ladders;
    for (Index i = 0; topic && i < ladders.size(); ++i)
        if (ladders[i].topic == *topic)
            return {OperandKind::band, i};
    throw Error(ErrorKind::undefined_name,
                band.topic ? "topic \"" + *band.topic + "\" has no bands" : std::string("the score has no bands"), {},
                "Bands are rows of nurture.band.")
        .at(band.offset.byte);
}

Constant Builder::band_level(const language::Literal& literal, const Operand& operand) const {
    const auto& bands = model_.scoring.ladders[operand.index].bands;
    const auto* name = std::get_if<std::string>(&literal);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < bands.size(); ++i) {
        names.push_back(bands[i].name);
        if (name != nullptr && *name == bands[i].name) {
            Constant out;
            out.number = static_cast<std::int64_t>(i + 1) * micro_one;
            return out;
        }
    }
    if (name == nullptr)
        throw Error(ErrorKind::invalid_definition, "a band cannot be compared with " + language::print(literal), {},
                    "Compare it with a band's name in single quotes.");
    throw Error(ErrorKind::undefined_name, "there is no band \"" + *name + "\"", {}, language::suggest(*name, names));
}

} // namespace nurture::model
