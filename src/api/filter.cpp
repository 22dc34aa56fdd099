// SPDX-License-Identifier: Apache-2.0
#include "api/filter.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace claviger {
namespace {

constexpr std::size_t most_terms = 32;
constexpr std::int32_t largest_limit = 500;

constexpr std::array<std::string_view, 8> operators{"==", "!=", "<=", ">=", "=@", "!@", "=^", "=$"};

struct TermStart {
    std::size_t field = 0;
    FilterOperator op = FilterOperator::equal;
    std::size_t length = 0; // of the field's name and the operator
};

/// The known field and operator that `text` begins with.
std::optional<TermStart> read_start(std::string_view text,
                                    const std::vector<std::string_view>& names) {
    for (std::size_t field = 0; field < names.size(); ++field) {
        if (!text.starts_with(names[field])) {
            continue;
        }
        const std::string_view op = text.substr(names[field].size(), 2);
        const auto at = std::ranges::find(operators, op);
        if (at != operators.end()) {
            return TermStart{field, static_cast<FilterOperator>(at - operators.begin()),
                             names[field].size() + 2};
        }
    }
    return std::nullopt;
}

/// Where the value of a term ends: at a comma that another term follows.
std::size_t value_end(std::string_view text, const std::vector<std::string_view>& names) {
    for (std::size_t comma = text.find(','); comma != std::string_view::npos;
         comma = text.find(',', comma + 1)) {
        if (read_start(text.substr(comma + 1), names)) {
            return comma;
        }
    }
    return text.size();
}

/// A decimal number, of a size that quotas have, in millionths.
std::optional<std::int64_t> millionths(std::string_view text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !(std::abs(number) <= 1e12)) {
        return std::nullopt;
    }
    return std::llround(number * 1e6);
}

Result<void> read_number(FilterTerm& term, FieldKind kind) {
    const bool ordered = term.op <= FilterOperator::greater_or_equal;
    if (kind == FieldKind::time) {
        const auto at = parse_rfc3339(term.value);
        if (!at || !ordered) {
            return fail(ErrorCode::invalid_request,
                        "filterBy: a time is compared with ==, !=, <= or >= and an RFC 3339 text");
        }
        term.number = at->microseconds;
        return {};
    }
    const auto number = kind == FieldKind::decimal ? millionths(term.value)
                                                   : parse_integer<std::int64_t>(term.value);
    if (number) {
        term.number = *number;
    } else if (ordered) {
        return fail(ErrorCode::invalid_request, "filterBy: the value is no number");
    }
    return {};
}

std::string without_underscores(std::string_view text) {
    std::string plain;
    std::ranges::copy_if(text, std::back_inserter(plain), [](char c) { return c != '_'; });
    return plain;
}

Result<void> parse_occurrence(std::string_view text, const std::vector<std::string_view>& names,
                              const std::vector<FieldKind>& kinds, std::vector<FilterTerm>& terms) {
    while (!text.empty()) {
        const auto start = read_start(text, names);
        if (!start) {
            return fail(ErrorCode::invalid_request,
                        "filterBy: an entry does not begin with a field of this list and one of "
                        "== != <= >= =@ !@ =^ =$");
        }
        text.remove_prefix(start->length);
        const std::size_t end = value_end(text, names);
        FilterTerm term{start->field, start->op, std::string(text.substr(0, end)), 0,
                        kinds[start->field]};
        if (term.value.empty()) {
            return fail(ErrorCode::invalid_request, "filterBy: a value is empty");
        }
        if (term.kind != FieldKind::text) {
            TRY(read_number(term, term.kind));
        }
        terms.push_back(std::move(term));
        if (terms.size() > most_terms) {
            return fail(ErrorCode::invalid_request, "filterBy: more than 32 entries");
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

} // namespace

Result<std::vector<FilterTerm>> parse_filter(const FilterText& text,
                                             const std::vector<std::string_view>& names,
                                             const std::vector<FieldKind>& kinds) {
    std::vector<FilterTerm> terms;
    for (const std::string& occurrence : text.values) {
        TRY(parse_occurrence(occurrence, names, kinds, terms));
    }
    return terms;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
    const auto equal = [](char a, char b) { return ascii_lower(a) == ascii_lower(b); };
    return part.empty() || !std::ranges::search(text, part, equal).empty();
}

bool text_matches(const FilterTerm& term, std::string_view text) {
    switch (term.op) {
    case FilterOperator::equal:
        return text == term.value;
    case FilterOperator::not_equal:
        return text != term.value;
    case FilterOperator::less_or_equal:
        return text <= term.value;
    case FilterOperator::greater_or_equal:
        return text >= term.value;
    case FilterOperator::contains:
        return contains_ignoring_case(text, term.value);
    case FilterOperator::not_contains:
        return !contains_ignoring_case(text, term.value);
    case FilterOperator::starts_with:
        return ascii_lower(text).starts_with(ascii_lower(term.value));
    case FilterOperator::ends_with:
        break;
    }
    return ascii_lower(text).ends_with(ascii_lower(term.value));
}

bool number_matches(const FilterTerm& term, std::optional<std::int64_t> number) {
    switch (term.op) {
    case FilterOperator::equal:
        return number == term.number;
    case FilterOperator::not_equal:
        return number != term.number;
    case FilterOperator::less_or_equal:
        return number && *number <= term.number;
    case FilterOperator::greater_or_equal:
        return number && *number >= term.number;
    default:
        break;
    }
    if (!number) {
        return text_matches(term, "");
    }
    return text_matches(term, term.kind == FieldKind::decimal
                                  ? number_text(static_cast<double>(*number) / 1e6)
                                  : std::to_string(*number));
}

Result<Page> page_of(const ListRequest& request, std::int32_t default_limit) {
    const std::int32_t offset = request.offset.value_or(0);
    const std::int32_t limit = request.limit.value_or(default_limit);
    if (offset < 0) {
        return fail(ErrorCode::invalid_request, "offset must be 0 or more");
    }
    if (limit < 1 || limit > largest_limit) {
        return fail(ErrorCode::invalid_request, "limit must be from 1 to 500");
    }
    return Page{static_cast<std::size_t>(offset), static_cast<std::size_t>(limit)};
}

Result<std::optional<std::size_t>> sort_field(const ListRequest& request,
                                              const std::vector<std::string_view>& names) {
    if (!request.sort_by || request.sort_by->empty()) {
        return std::optional<std::size_t>();
    }
    std::string_view wanted = *request.sort_by;
    if (const std::size_t dot = wanted.rfind('.'); dot != std::string_view::npos) {
        wanted.remove_prefix(dot + 1);
    }
    // A member of a client's enumeration may come as CREATED_AT.
    const std::string plain = without_underscores(wanted);
    const auto at = std::ranges::find_if(names, [&](std::string_view name) {
        return ascii_iequal(without_underscores(name), plain);
    });
    if (at == names.end()) {
        return fail(ErrorCode::invalid_request, "sortBy names no field of this list");
    }
    return std::optional(static_cast<std::size_t>(at - names.begin()));
}

Result<bool> is_descending(const ListRequest& request) {
    const std::string order = request.sort_order.value_or("asc");
    if (!ascii_iequal(order, "asc") && !ascii_iequal(order, "desc")) {
        return fail(ErrorCode::invalid_request, "sortOrder must be asc or desc");
    }
    return ascii_iequal(order, "desc");
}

} // namespace claviger
