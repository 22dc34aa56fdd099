// SPDX-License-Identifier: Apache-2.0
// Filters, sorting and paging of lists (contract 2.0): `filterBy=name==a,createdAt>=...`, search,
// sortBy, sortOrder, offset, limit. A list says once which fields it has.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/input.h"
#include "base/error.h"
#include "base/time.h"

namespace claviger {

/// What a field of a row compares as. Decimals are numbers with a fraction.
enum class FieldKind : std::uint8_t { text, number, decimal, time };

/// One field that a list can be filtered and sorted by. Text is compared as text; the others
/// through `number` (a decimal in millionths, a time in microseconds).
template <class Row>
struct ListField {
    std::string_view name;
    FieldKind kind = FieldKind::text;
    std::string (*text)(const Row&) = nullptr;
    std::optional<std::int64_t> (*number)(const Row&) = nullptr;
};

enum class FilterOperator : std::uint8_t {
    equal,
    not_equal,
    less_or_equal,
    greater_or_equal,
    contains,
    not_contains,
    starts_with,
    ends_with
};

struct FilterTerm {
    std::size_t field = 0; // index into the list's fields
    FilterOperator op = FilterOperator::equal;
    std::string value;
    std::int64_t number = 0; // the value of all that is not text
    FieldKind kind = FieldKind::text;
};

/// Splits and reads filterBy. Entries are separated by commas, but only by those that a known field
/// and an operator follow: values may hold commas. `invalid_request` names the bad entry's kind.
Result<std::vector<FilterTerm>> parse_filter(const FilterText& text,
                                             const std::vector<std::string_view>& names,
                                             const std::vector<FieldKind>& kinds);

bool text_matches(const FilterTerm& term, std::string_view text);
bool number_matches(const FilterTerm& term, std::optional<std::int64_t> number);

/// True when `text` contains `part`, ignoring ASCII case.
bool contains_ignoring_case(std::string_view text, std::string_view part);

/// What a list is asked for. Members of the request types have these names.
struct ListRequest {
    std::optional<FilterText> filter_by;
    std::optional<std::string> search;
    std::optional<std::string> sort_by;
    std::optional<std::string> sort_order;
    std::optional<std::int32_t> offset;
    std::optional<std::int32_t> limit;
};

/// The order alone.
inline ListRequest order_of(const ListRequest& request) {
    ListRequest order;
    order.sort_by = request.sort_by;
    order.sort_order = request.sort_order;
    return order;
}

struct Page {
    std::size_t offset = 0;
    std::size_t limit = 50;
};
inline constexpr Page no_page{0, 0}; // for those who only count
Result<Page> page_of(const ListRequest& request, std::int32_t default_limit = 50);

/// The field that sortBy names: "Enum.MEMBER" and any case are tolerated.
Result<std::optional<std::size_t>> sort_field(const ListRequest& request,
                                              const std::vector<std::string_view>& names);
Result<bool> is_descending(const ListRequest& request);

/// What a PageWalk keeps of the rows of its page: positions alone, where a row is good only while
/// it is offered.
enum class PageKeeps : std::uint8_t { rows, positions };

/// Lets the rows of a list pass by, in any order, and keeps those of one page. Rows should be small
/// to copy: they are spelled out once it is known which are shown. `Position` orders the rows that
/// sortBy does not.
template <class Row, class Position = std::int64_t, PageKeeps keeps = PageKeeps::rows>
class PageWalk {
    struct Nothing {};
    using KeptRow = std::conditional_t<keeps == PageKeeps::rows, Row, Nothing>;

public:
    using Fields = std::vector<ListField<Row>>;
    using Found = bool (*)(const Row&, std::string_view search);

    /// `fields` must outlive it.
    static Result<PageWalk> begin(const ListRequest& request, const Page& page,
                                  const Fields& fields, Found found) {
        PageWalk walk(page, fields, found, request.search.value_or(""));
        std::vector<std::string_view> names;
        std::vector<FieldKind> kinds;
        for (const ListField<Row>& field : fields) {
            names.push_back(field.name);
            kinds.push_back(field.kind);
        }
        if (request.filter_by) {
            walk.terms_ = TRY(parse_filter(*request.filter_by, names, kinds));
        }
        walk.descending_ = TRY(is_descending(request));
        const auto sort_by = TRY(sort_field(request, names));
        walk.sort_by_ = sort_by ? &fields[*sort_by] : nullptr;
        return walk;
    }

    void offer(const Position& position, const Row& row) {
        if (!matches(row)) {
            return;
        }
        ++total_;
        if (wanted() == 0) {
            return;
        }
        // After the last row of the page as far as it is known: it will not be on it.
        Key key = key_of(row);
        if (is_cut_ && !is_before(key, position, kept_[wanted() - 1])) {
            return;
        }
        Kept& next = kept_.emplace_back(std::move(key), position);
        if constexpr (keeps == PageKeeps::rows) {
            next.row = row;
        }
        if (kept_.size() > 2 * wanted()) {
            drop_others();
        }
    }

    /// How many rows fit the request.
    std::size_t total() const { return total_; }

    /// The rows of the page, in order.
    std::vector<Row> rows()
        requires(keeps == PageKeeps::rows)
    {
        sort_page();
        std::vector<Row> rows;
        for (std::size_t i = page_.offset; i < kept_.size(); ++i) {
            rows.push_back(std::move(kept_[i].row));
        }
        return rows;
    }
    /// Where they stand.
    std::vector<Position> positions() {
        sort_page();
        std::vector<Position> positions;
        for (std::size_t i = page_.offset; i < kept_.size(); ++i) {
            positions.push_back(kept_[i].position);
        }
        return positions;
    }

private:
    /// What a row is sorted by; the half that is not meant is the same in all rows.
    struct Key {
        std::string text;
        std::optional<std::int64_t> number;
    };
    struct Kept {
        Kept(Key of, const Position& at) : key(std::move(of)), position(at) {}
        Key key;
        Position position;
        [[no_unique_address]] KeptRow row{};
    };

    PageWalk(const Page& page, const Fields& fields, Found found, std::string search)
        : page_(page), fields_(fields), found_(found), search_(std::move(search)) {}

    bool matches(const Row& row) const {
        const bool fits = std::ranges::all_of(terms_, [&](const FilterTerm& term) {
            const ListField<Row>& field = fields_[term.field];
            return field.kind == FieldKind::text ? text_matches(term, field.text(row))
                                                 : number_matches(term, field.number(row));
        });
        return fits && (search_.empty() || found_(row, search_));
    }

    Key key_of(const Row& row) const {
        if (sort_by_ == nullptr) {
            return {};
        }
        return sort_by_->kind == FieldKind::text ? Key{sort_by_->text(row), std::nullopt}
                                                 : Key{"", sort_by_->number(row)};
    }

    bool is_before(const Kept& a, const Kept& b) const { return is_before(a.key, a.position, b); }
    bool is_before(const Key& key, const Position& position, const Kept& other) const {
        if (sort_by_ == nullptr) {
            return descending_ ? other.position < position : position < other.position;
        }
        const auto order = sort_by_->kind == FieldKind::text ? key.text <=> other.key.text
                                                             : key.number <=> other.key.number;
        if (order != 0) {
            return descending_ ? order > 0 : order < 0;
        }
        return position < other.position;
    }

    /// Leaves the rows of the page in their order, and those before it in none.
    void sort_page() {
        drop_others();
        const auto order = [this](const Kept& a, const Kept& b) { return is_before(a, b); };
        const auto first =
            kept_.begin() + static_cast<std::ptrdiff_t>(std::min(page_.offset, kept_.size()));
        std::ranges::nth_element(kept_, first, order);
        std::ranges::sort(first, kept_.end(), order);
    }

    std::size_t wanted() const { return page_.offset + page_.limit; }

    /// Leaves the first rows, up to the end of the page, the last of them at its place.
    void drop_others() {
        if (kept_.size() <= wanted()) {
            return;
        }
        const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(wanted() - 1);
        std::ranges::nth_element(kept_, last,
                                 [this](const Kept& a, const Kept& b) { return is_before(a, b); });
        kept_.erase(last + 1, kept_.end());
        is_cut_ = true;
    }

    Page page_;
    const Fields& fields_;
    Found found_;
    std::string search_;
    std::vector<FilterTerm> terms_;
    const ListField<Row>* sort_by_ = nullptr;
    bool descending_ = false;
    std::vector<Kept> kept_;
    bool is_cut_ = false; // rows after the one at wanted() - 1 have been dropped
    std::size_t total_ = 0;
};

/// The rows of one page, moved out.
template <class Row>
std::vector<Row> take_page(std::vector<Row>& rows, const Page& page) {
    const std::size_t begin = std::min(page.offset, rows.size());
    const std::size_t end = std::min(begin + page.limit, rows.size());
    return {std::move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(begin)),
            std::move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(end))};
}

/// The offset of the next page, absent on the last one.
inline std::optional<std::int64_t> next_offset(const Page& page, std::size_t total) {
    const std::size_t next = page.offset + page.limit;
    return next < total ? std::optional(static_cast<std::int64_t>(next)) : std::nullopt;
}

} // namespace claviger
