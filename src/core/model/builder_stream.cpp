// Streams as conditions over what a contact was sent; pools and rotas by name.
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/model/builder.hpp"

#include <algorithm>

namespace nurture::model {

using namespace language;

namespace {

std::uint32_t id_named(const std::vector<Named>& rows, const char* kind, const std::string& name,
                       Offset offset, const char* where) {
    std::vector<std::string> names;
    for (const Named& row : rows) {
        if (row.name == name)
            return row.id;
        names.push_back(row.name);
    }
    throw Error(ErrorKind::undefined_name, std::string(kind) + " \"" + name + "\" does not exist", {},
                names.empty() ? where : suggest(name, names))
        .at(offset.byte);
}

// What it was sent is told by $sent, whoever sent it: a function of its events, which is backfilled and
// merges.
Box<Condition> had(const StreamContent& content) {
    And all;
    auto const is = [&](const char* property, const std::string& value) {
        Condition test;
        test.node = Comparison{Attribute{Path{{property}}}, Comparator::equal, value};
        all.operands.emplace_back(std::move(test));
    };
    is("channel", content.channel);
    is("template", content.template_name);
    Condition where;
    where.node = std::move(all);
    Did did;
    did.event.type = "$sent";
    did.event.where = std::move(where);
    Condition out;
    out.node = std::move(did);
    return out;
}

Box<Condition> compared_with_now(Comparator how, Time moment) {
    Moment utc;
    utc.local = moment;
    utc.utc_offset = 0;
    Condition out;
    out.node = Comparison{Now{}, how, utc};
    return out;
}

} // namespace

std::uint64_t hash_of_content(const std::string& channel, const std::string& template_name) {
    return hash64("content\n" + channel + '\n' + template_name);
}

void Builder::stream(const StreamRow& row, const language::Stream& stream) {
    Stream out;
    out.id = row.id;
    out.name = row.name;
    for (const auto& content : stream.contents) {
        StreamContent compiled;
        compiled.channel = content.channel;
        compiled.template_name = content.template_name;
        compiled.purpose = content.purpose.value_or("");
        if (compiled.channel.size() > 512)
            throw Error(ErrorKind::invalid_definition, "the channel's name is longer than 512 bytes");
        if (content.from)
            compiled.from = moment(*content.from, false);
        if (content.until)
            compiled.until = moment(*content.until, content.until->date_only);
        if (compiled.from >= compiled.until)
            throw Error(ErrorKind::invalid_definition, print_name(content.channel) + ' ' +
                                                           print_string(content.template_name) +
                                                           " ends before it begins");
        compiled.had = condition(*had(compiled), Scope::contact);
        compiled.hash = hash_of_content(compiled.channel, compiled.template_name);
        model_.stream_contents.push_back(compiled.hash);
        out.contents.push_back(std::move(compiled));
    }
    model_.streams.push_back(std::move(out));
}

// Whoever names a stream asks for all that it asks for.
Index Builder::stream_index(const std::string& name, Offset offset) {
    auto& streams = model_.streams;
    auto const known =
        std::find_if(streams.begin(), streams.end(), [&](const Stream& s) { return s.name == name; });
    if (known == streams.end()) {
        std::vector<std::string> names;
        for (const Stream& other : streams)
            names.push_back(other.name);
        throw Error(ErrorKind::undefined_name, "stream \"" + name + "\" does not exist", {},
                    names.empty() ? "Streams are rows of nurture.stream." : suggest(name, names))
            .at(offset.byte);
    }
    for (const StreamContent& content : known->contents)
        (void)condition(*had(content), Scope::contact);
    return static_cast<Index>(known - streams.begin());
}

std::uint32_t Builder::coupon_pool_id(const std::string& name, Offset offset) const {
    return id_named(model_.source.coupon_pools, "coupon pool", name, offset,
                    "Coupon pools are rows of nurture.coupon_pool.");
}

std::uint32_t Builder::rota_id(const std::string& name, Offset offset) const {
    return id_named(model_.source.rotas, "rota", name, offset, "Rotas are rows of nurture.rota.");
}

// Of each content: the contact was sent it, or it is not available.
Index Builder::compile(const Exhausted& c, Scope scope) {
    if (scope == Scope::event)
        throw Error(ErrorKind::invalid_definition, "a where clause may only use properties of the event");
    And all;
    for (const StreamContent& content : model_.streams[stream_index(c.stream, c.offset)].contents) {
        Or over;
        over.operands.push_back(had(content));
        if (content.from != always)
            over.operands.push_back(compared_with_now(Comparator::less, content.from));
        if (content.until != never)
            over.operands.push_back(compared_with_now(Comparator::greater_equal, content.until));
        if (over.operands.size() == 1) {
            all.operands.push_back(over.operands.front());
        } else {
            Condition either;
            either.node = std::move(over);
            all.operands.emplace_back(std::move(either));
        }
    }
    Condition exhausted;
    if (all.operands.size() == 1)
        exhausted = *all.operands.front();
    else
        exhausted.node = std::move(all);
    if (!c.negated)
        return condition(exhausted, scope);
    Condition not_yet;
    not_yet.node = Not{Box<Condition>(std::move(exhausted))};
    return condition(not_yet, scope);
}

} // namespace nurture::model
