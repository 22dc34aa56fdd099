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

/// What a field of a row compares as.
enum class FieldKind : std::uint8_t { text, number, time };

/// One field that a list can be filtered and sorted by. Text is compared as text; numbers and times
/// through `number` (a time in microseconds).
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
    std::int64_t number = 0; // the value of a number or time
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

struct Page {
    std::size_t offset = 0;
    std::size_t limit = 50;
};
Result<Page> page_of(const ListRequest& request, std::int32_t default_limit = 50);

/// The field that sortBy names: "Enum.MEMBER" and any case are tolerated.
Result<std::optional<std::size_t>> sort_field(const ListRequest& request,
                                              const std::vector<std::string_view>& names);
Result<bool> is_descending(const ListRequest& request);

/// Filters and sorts rows in place. Equal rows keep their order.
template <class Row>
Result<void> filter_and_sort(std::vector<Row>& rows, const ListRequest& request,
                             const std::vector<ListField<Row>>& fields,
                             bool (*found)(const Row&, std::string_view search)) {
    std::vector<std::string_view> names;
    std::vector<FieldKind> kinds;
    for (const ListField<Row>& field : fields) {
        names.push_back(field.name);
        kinds.push_back(field.kind);
    }
    std::vector<FilterTerm> terms;
    if (request.filter_by) {
        terms = TRY(parse_filter(*request.filter_by, names, kinds));
    }
    std::erase_if(rows, [&](const Row& row) {
        const bool fits = std::ranges::all_of(terms, [&](const FilterTerm& term) {
            const ListField<Row>& field = fields[term.field];
            return field.kind == FieldKind::text ? text_matches(term, field.text(row))
                                                 : number_matches(term, field.number(row));
        });
        const bool searched =
            !request.search || request.search->empty() || found(row, *request.search);
        return !fits || !searched;
    });
    const bool descending = TRY(is_descending(request));
    const auto sort_by = TRY(sort_field(request, names));
    if (sort_by) {
        const ListField<Row>& field = fields[*sort_by];
        const auto less = [&](const Row& a, const Row& b) {
            const Row& first = descending ? b : a;
            const Row& second = descending ? a : b;
            return field.kind == FieldKind::text ? field.text(first) < field.text(second)
                                                 : field.number(first) < field.number(second);
        };
        std::ranges::stable_sort(rows, less);
    } else if (descending) {
        std::ranges::reverse(rows);
    }
    return {};
}

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
