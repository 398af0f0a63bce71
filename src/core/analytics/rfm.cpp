#include "core/analytics/rfm.hpp"

#include <algorithm>

#include "core/base/varint.hpp"

namespace nurture::analytics {

namespace {

[[noreturn]] void out_of_range() {
    throw Error(ErrorKind::out_of_range, "sum of purchases out of range");
}

} // namespace

void Rfm::check_as_of(Time as_of) const {
    if (as_of_ != always && as_of_ != as_of)
        throw Error(ErrorKind::invalid_parameter, "as_of must be the same in all rows of a group");
}

void Rfm::add(Time at, Micro amount, Time as_of) {
    check_as_of(as_of);
    as_of_ = as_of;
    if (at > as_of)
        return;
    last_ = std::max(last_, at);
    ++frequency_;
    if (__builtin_add_overflow(money_, amount, &money_))
        out_of_range();
}

void Rfm::merge(const Rfm& other) {
    check_as_of(other.as_of_);
    as_of_ = other.as_of_;
    last_ = std::max(last_, other.last_);
    frequency_ += other.frequency_;
    if (__builtin_add_overflow(money_, other.money_, &money_))
        out_of_range();
}

std::string Rfm::encode() const {
    std::string out;
    put_signed(out, as_of_);
    put_signed(out, last_);
    put_varint(out, static_cast<std::uint64_t>(frequency_));
    put_signed(out, money_);
    return out;
}

Rfm Rfm::decode(std::string_view bytes) {
    VarintReader reader(bytes, "the state of rfm");
    Rfm rfm;
    rfm.as_of_ = static_cast<Time>(reader.signed_varint(64));
    rfm.last_ = static_cast<Time>(reader.signed_varint(64));
    rfm.frequency_ = static_cast<std::int64_t>(reader.varint(63));
    rfm.money_ = reader.signed_varint(128);
    reader.finish();
    return rfm;
}

std::array<Wide, 4> five_quintile_cuts(std::vector<Wide> values) {
    std::array<Wide, 4> cuts{};
    auto from = values.begin();
    for (std::size_t k = 1; k <= 4; ++k) {
        std::size_t const h = (values.size() - 1) * k;
        auto const below = values.begin() + static_cast<std::ptrdiff_t>(h / 5);
        std::nth_element(from, below, values.end());
        cuts[k - 1] = 5 * *below;
        if (h % 5 != 0)
            cuts[k - 1] += static_cast<Wide>(h % 5) * (*std::min_element(below + 1, values.end()) - *below);
        from = below;
    }
    return cuts;
}

void RfmPopulation::add(Span recency, std::int64_t frequency, Wide money) {
    if (size() == max_customers)
        throw Error(ErrorKind::limit_exceeded, "too many customers for rfm_quintiles",
                    "The quintiles of at most " + std::to_string(max_customers) +
                        " customers are found exactly.",
                    "A sample of the customers gives almost the same quintiles.");
    if (money > INT64_MAX || money < INT64_MIN)
        out_of_range();
    recency_.push_back(recency);
    frequency_.push_back(frequency);
    money_.push_back(static_cast<Micro>(money));
}

void RfmPopulation::merge(const RfmPopulation& other) {
    for (std::size_t i = 0; i < other.size(); ++i)
        add(other.recency_[i], other.frequency_[i], other.money_[i]);
}

RfmPopulation::Cuts RfmPopulation::cuts() const {
    return {five_quintile_cuts({recency_.begin(), recency_.end()}),
            five_quintile_cuts({frequency_.begin(), frequency_.end()}),
            five_quintile_cuts({money_.begin(), money_.end()})};
}

std::string RfmPopulation::encode() const {
    std::string out;
    for (std::size_t i = 0; i < size(); ++i) {
        put_signed(out, recency_[i]);
        put_signed(out, frequency_[i]);
        put_signed(out, money_[i]);
    }
    return out;
}

void RfmPopulation::merge(std::string_view bytes) {
    VarintReader reader(bytes, "the state of rfm_quintiles");
    while (reader.left() > 0) {
        auto const recency = static_cast<Span>(reader.signed_varint(64));
        auto const frequency = static_cast<std::int64_t>(reader.signed_varint(64));
        add(recency, frequency, reader.signed_varint(64));
    }
}

} // namespace nurture::analytics
