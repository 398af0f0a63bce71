// What starts a journey, as text.
#include "core/language/printer.hpp"

#include "core/language/language.hpp"

namespace nurture::language::printing {

namespace {

struct TriggerPrinter {
    std::string& out;

    void operator()(const OnEvent& on) const {
        out += "on ";
        append(out, on.event);
    }
    void operator()(const OnSegment& on) const {
        out += on.entering ? "on entering segment " : "on leaving segment ";
        append_string(out, on.segment);
    }
    void operator()(const OnCondition& on) const {
        out += on.ends ? "when no longer " : "when ";
        append(out, *on.condition);
    }
    void operator()(const OnAttribute& on) const {
        out += on.change ? "on changing attribute " : "on setting attribute ";
        append(out, on.attribute);
        if (on.from) {
            out += " from ";
            append(out, *on.from);
        }
        if (on.to) {
            out += " to ";
            append(out, *on.to);
        }
    }
    void operator()(const OnListChange& on) const {
        out += on.joining ? "on joining list " : "on leaving list ";
        append_string(out, on.list);
    }
    void operator()(const OnDate& on) const {
        out += "on ";
        if (!on.offset.empty()) {
            append(out, on.offset);
            out += on.before ? " before " : " after ";
        } else if (!on.yearly) {
            out += "the date ";
        }
        if (on.yearly)
            append_function(out, "anniversary", on.attribute);
        else
            append(out, on.attribute);
        append_at(out, on.at);
    }
    void operator()(const OnJourney& on) const {
        out += on.step ? "on reaching step " : "on finishing workflow ";
        if (on.step) {
            append_string(out, *on.step);
            out += " of workflow ";
        }
        append_string(out, on.workflow);
    }
    void operator()(const OnSchedule& on) const {
        out += "on schedule ";
        if (on.once) {
            out += "once ";
            append(out, *on.once);
        } else {
            append_string(out, on.cron);
        }
        append_zone(out, on.zone);
        if (on.from) {
            out += " from ";
            append(out, *on.from);
        }
        if (on.until) {
            out += " until ";
            append(out, *on.until);
        }
        if (on.times != 0)
            out += " at most " + std::to_string(on.times) + " times";
        if (on.segment) {
            out += " for segment ";
            append_string(out, *on.segment);
        }
    }
};

} // namespace

void append(std::string& out, const Trigger& trigger) { std::visit(TriggerPrinter{out}, trigger); }

void append_time_of_day(std::string& out, Span time) {
    auto const two = [&](std::int64_t n) { out.append(n < 10 ? "0" : "").append(std::to_string(n)); };
    two(time / one_hour);
    out += ':';
    two(time / one_minute % 60);
    if (time % one_minute != 0) {
        out += ':';
        two(time / one_second % 60);
    }
}

void append_at(std::string& out, const std::optional<Span>& at) {
    if (!at)
        return;
    out += " at ";
    append_time_of_day(out, *at);
}

} // namespace nurture::language::printing
