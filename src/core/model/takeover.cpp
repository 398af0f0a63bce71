#include "core/model/takeover.hpp"

#include "core/base/error.hpp"
#include "core/model/usage.hpp"

#include <algorithm>
#include <map>

namespace nurture::model {

namespace {

// Which of the wanted definitions have all they need, through the segments and scores they read.
class Readiness {
  public:
    Readiness(const Source& wanted, const std::set<std::string>& complete) : model_(analyse(wanted, usage_)) {
        for (const Feature& feature : model_.features)
            complete_.push_back(complete.contains(feature.text));
        for (const auto& slots : usage_.rules)
            scores_ = scores_ && all_complete(slots);
        // Each segment comes after those it names.
        for (const Segment& segment : model_.segments)
            segments_.push_back(all_complete(usage_.segments.at(segment.id)) && reads_complete(segment.condition));
    }

    [[nodiscard]] bool rule(std::size_t row) const { return all_complete(usage_.rules[row]); }
    [[nodiscard]] bool stream(std::size_t row) const { return all_complete(usage_.streams[row]); }
    [[nodiscard]] bool segment(std::uint32_t id) const { return segments_[model_.segment_of(id)]; }
    [[nodiscard]] bool workflow(std::size_t row) const {
        const Workflow& workflow = model_.workflows[row];
        if (!all_complete(usage_.workflows[row]))
            return false;
        for (const auto& [segment, entering] : workflow.start_segments)
            if (!segments_[segment])
                return false;
        for (Index const s : workflow.start_schedules)
            if (model_.schedules[s].segment != none && !segments_[model_.schedules[s].segment])
                return false;
        bool ready = true;
        for_conditions(workflow, [&](Index condition) { ready = ready && reads_complete(condition); });
        return ready;
    }

  private:
    Usage usage_;
    Model model_;
    std::vector<bool> complete_, segments_;
    bool scores_ = true; ///< all rules are complete

    [[nodiscard]] bool all_complete(const std::vector<Index>& slots) const {
        return std::all_of(slots.begin(), slots.end(), [&](Index slot) { return complete_[slot]; });
    }
    [[nodiscard]] bool reads_complete(Index index) const {
        const Node& node = model_.nodes[index];
        if (node.op == Op::in_segment || node.op == Op::segment_past)
            return segments_[node.segment];
        return reads_complete(node.operand) && reads_complete(node.second) &&
               std::all_of(node.children.begin(), node.children.end(),
                           [&](Index child) { return reads_complete(child); });
    }
    [[nodiscard]] bool reads_complete(const Operand& operand) const {
        if (operand.kind == OperandKind::derived)
            return reads_complete(model_.derived[operand.index].of);
        return scores_ || (operand.kind != OperandKind::score && operand.kind != OperandKind::band);
    }
};

template <class Row>
const Row* find(const std::vector<Row>& rows, std::uint32_t id) {
    auto const place = std::find_if(rows.begin(), rows.end(), [id](const Row& row) { return row.id == id; });
    return place == rows.end() ? nullptr : &*place;
}

const WorkflowRow* find(const std::vector<WorkflowRow>& rows, std::uint32_t id, std::uint32_t version) {
    auto const place = std::find_if(rows.begin(), rows.end(),
                                    [=](const WorkflowRow& row) { return row.id == id && row.version == version; });
    return place == rows.end() ? nullptr : &*place;
}

// What is wanted as far as it is ready, else what is in force of the same object.
class Mixture {
  public:
    Mixture(const Source& wanted, const Source& in_force, const Readiness& ready)
        : wanted_(wanted), in_force_(in_force), ready_(ready) {}

    Takeover make() {
        out_.next = wanted_;
        out_.next.rules.clear();
        out_.next.streams.clear();
        out_.next.segments.clear();
        out_.next.workflows.clear();
        for (std::size_t i = 0; i < wanted_.rules.size(); ++i)
            take("rule", wanted_.rules[i], ready_.rule(i), in_force_.rules, out_.next.rules, &RuleRow::definition);
        for (std::size_t i = 0; i < wanted_.streams.size(); ++i)
            take("stream", wanted_.streams[i], ready_.stream(i), in_force_.streams, out_.next.streams, &StreamRow::definition);
        for (const SegmentRow& row : wanted_.segments)
            take("segment", row, ready_.segment(row.id), in_force_.segments, out_.next.segments, &SegmentRow::condition);
        for (std::size_t i = 0; i < wanted_.workflows.size(); ++i)
            workflow(wanted_.workflows[i], ready_.workflow(i));
        keep_current();
        return std::move(out_);
    }

  private:
    const Source& wanted_;
    const Source& in_force_;
    const Readiness& ready_;
    Takeover out_;

    template <class Row>
    void take(const char* kind, const Row& row, bool ready, const std::vector<Row>& old, std::vector<Row>& to,
              std::string Row::*text) {
        const Row* const before = find(old, row.id);
        if (ready || (before != nullptr && before->*text == row.*text)) {
            to.push_back(row);
            return;
        }
        out_.held.push_back({kind, row.id, row.name});
        if (before != nullptr) {
            to.push_back(row); // names are labels: the new one holds at once
            to.back().*text = before->*text;
        }
    }

    void workflow(const WorkflowRow& row, bool ready) {
        const WorkflowRow* const before = find(in_force_.workflows, row.id, row.version);
        if (ready || (before != nullptr && before->definition == row.definition)) {
            out_.next.workflows.push_back(row);
        } else {
            out_.held.push_back({"workflow", row.id, row.name});
            if (before != nullptr) {
                out_.next.workflows.push_back(row);
                out_.next.workflows.back().definition = before->definition;
            }
        }
    }

    // Where the newest version waits, journeys go on starting in the one before.
    void keep_current() {
        for (WorkflowRow& row : out_.next.workflows) {
            const WorkflowRow* const before = find(in_force_.workflows, row.id, row.version);
            bool const replaced =
                std::any_of(out_.next.workflows.begin(), out_.next.workflows.end(),
                            [&](const WorkflowRow& other) { return other.id == row.id && other.version > row.version; });
            if (before != nullptr && before->current && !replaced)
                row.current = true;
        }
    }
};

// What is in force, as it stands; but a workflow pauses, or goes, at once.
Source as_in_force(const Source& wanted, const Source& in_force) {
    Source next = definitions_of(in_force);
    std::erase_if(next.workflows, [&](const WorkflowRow& row) { return find(wanted.workflows, row.id) == nullptr; });
    for (WorkflowRow& row : next.workflows)
        row.paused = find(wanted.workflows, row.id)->paused;
    return next;
}

bool runs_on(const Source& source, const std::set<std::string>& complete) {
    try {
        auto const needed = required_features(source);
        return std::all_of(needed.begin(), needed.end(), [&](const std::string& text) { return complete.contains(text); });
    } catch (const Error& error) {
        if (error.kind == ErrorKind::interrupted)
            throw;
        return false;
    }
}

std::vector<Held> what_differs(const Source& wanted, const Source& next) {
    std::vector<Held> out;
    for (const auto& row : wanted.rules)
        if (const auto* other = find(next.rules, row.id); other == nullptr || other->definition != row.definition)
            out.push_back({"rule", row.id, row.name});
    for (const auto& row : wanted.segments)
        if (const auto* other = find(next.segments, row.id); other == nullptr || other->condition != row.condition)
            out.push_back({"segment", row.id, row.name});
    for (const auto& row : wanted.streams)
        if (const auto* other = find(next.streams, row.id); other == nullptr || other->definition != row.definition)
            out.push_back({"stream", row.id, row.name});
    for (const auto& row : wanted.workflows)
        if (const auto* other = find(next.workflows, row.id, row.version);
            other == nullptr || other->definition != row.definition)
            out.push_back({"workflow", row.id, row.name});
    return out;
}

} // namespace

Source definitions_of(Source source) {
    source.id = 0;
    source.features.clear();
    source.published = always;
    source.told_when_published = true;
    source.left_segments.clear();
    source.enrol_segments.clear();
    source.enrol_workflows.clear();
    source.upcoming.clear();
    return source;
}

Takeover take_over(const Source& wanted, const Source* in_force, const std::set<std::string>& complete) {
    Source const clean = definitions_of(wanted);
    Takeover out;
    // Calendar periods are one zone's: where that changes nothing old can go on.
    if (in_force == nullptr || in_force->timezone != clean.timezone) {
        out.next = clean;
    } else {
        Readiness const ready(clean, complete);
        out = Mixture(clean, *in_force, ready).make();
        if (!out.held.empty() && !runs_on(out.next, complete)) {
            out.next = as_in_force(clean, *in_force);
            out.held = what_differs(clean, out.next);
        }
        if (!out.held.empty())
            out.next.upcoming.push_back(clean);
    }
    out.features = required_features(out.next);
    return out;
}

} // namespace nurture::model
