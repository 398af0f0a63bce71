// Conditions over membership: segments and their past, lists, samples, journeys, k of n.
#include "core/base/civil.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/model/builder.hpp"

#include <algorithm>

namespace nurture::model {

using namespace language;

namespace {

void outside_where(Scope scope) {
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
}

} // namespace

Index Builder::past_of(const std::string& segment, Offset offset, SegmentTest test, Scope scope) {
    outside_where(scope);
    Index const known = segment_index(segment, offset);
    model_.remembers.resize(std::max<std::size_t>(model_.remembers.size(), known + 1), 0);
    model_.remembers[known] = 1;
    Node node;
    node.op = Op::segment_past;
    node.segment = known;
    node.detail = static_cast<Index>(model_.segment_tests.size());
    model_.segment_tests.push_back(test);
    return add(std::move(node));
}

Index Builder::compile(const InSegmentFor& c, Scope scope) {
    SegmentTest test;
    test.question = SegmentQuestion::inside_for;
    test.at_least = c.at_least;
    test.duration = c.duration;
    return past_of(c.segment, c.offset, test, scope);
}

Index Builder::compile(const MovedSegment& c, Scope scope) {
    SegmentTest test;
    test.question = c.entered ? SegmentQuestion::entered : SegmentQuestion::left;
    test.duration = c.within;
    return past_of(c.segment, c.offset, test, scope);
}

Index Builder::compile(const WasInSegment& c, Scope scope) {
    SegmentTest test;
    test.question = SegmentQuestion::was;
    if (c.moment.date_only) {
        std::int64_t const day = c.moment.local / one_day - (c.moment.local % one_day < 0 ? 1 : 0);
        test.from = begin_of_day(day, model_.zone);
        test.to = begin_of_day(day + 1, model_.zone);
    } else {
        test.from = c.moment.utc_offset ? c.moment.local - *c.moment.utc_offset : model_.zone.to_utc(c.moment.local);
        test.to = test.from + 1;
    }
    return past_of(c.segment, c.offset, test, scope);
}

// A list is what its messages say: on it are those whose last $list message said so.
Index Builder::compile(const OnList& c, Scope scope) {
    outside_where(scope);
    check_list(c.list, c.offset);
    Occurrence state;
    state.which = Which::last;
    state.property = Path{{"state"}};
    state.event.type = "$list";
    state.event.where = Condition{Comparison{Attribute{Path{{"list"}}}, Comparator::equal, c.list}};
    Node node;
    node.op = Op::on_list;
    node.operand = occurrence(state);
    Constant wanted;
    wanted.type = Constant::Type::text;
    wanted.text = c.excluded ? "excluded" : "member";
    node.constants.push_back(std::move(wanted));
    return add(std::move(node));
}

Index Builder::compile(const Sample& c, Scope scope) {
    outside_where(scope);
    Node node;
    node.op = Op::sample;
    node.detail = static_cast<Index>(model_.sample_tests.size());
    model_.sample_tests.push_back({hash64(c.salt), c.percent});
    return add(std::move(node));
}

Index Builder::compile(const AtLeastOf& c, Scope scope) {
    Index const group = this->group(Op::at_least, c.operands, scope);
    model_.nodes[group].detail = static_cast<Index>(c.wanted);
    return group;
}

Index Builder::compile(const InJourney& c, Scope scope) {
    outside_where(scope);
    Node node;
    node.op = Op::journey;
    node.detail = static_cast<Index>(model_.journey_tests.size());
    model_.journey_tests.push_back({workflow_id(c.workflow, c.offset), c.relation, c.step});
    return add(std::move(node));
}

} // namespace nurture::model
