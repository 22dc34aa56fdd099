// SPDX-License-Identifier: Apache-2.0
#include "base/strict_json.h"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <memory_resource>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"

namespace claviger {
namespace {

namespace json = boost::json;

/// Watches the parser's events and stops it at the first thing that is not allowed.
struct Checker {
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    using error_code = json::error_code;

    Checker(const StrictJsonLimits& of, std::pmr::memory_resource* memory)
        : limits(of), open_objects(memory), key(memory) {}

    StrictJsonLimits limits;
    std::pmr::vector<std::pmr::set<std::pmr::string>> open_objects; // the member names seen in each
    std::pmr::string key;
    const char* problem = nullptr;

    bool refuse(const char* why, error_code& ec) {
        problem = why;
        ec = json::error::syntax;
        return false;
    }
    bool check_text(json::string_view part, error_code& ec) {
        const bool clean =
            std::ranges::none_of(part, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
        return clean || refuse("a string holds control characters", ec);
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        open_objects.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, error_code&) {
        open_objects.pop_back();
        return true;
    }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(json::string_view part, std::size_t, error_code& ec) {
        key.append(part.data(), part.size());
        return check_text(part, ec);
    }
    bool on_key(json::string_view part, std::size_t, error_code& ec) {
        key.append(part.data(), part.size());
        if (!check_text(part, ec)) {
            return false;
        }
        auto& names = open_objects.back();
        if (names.size() >= limits.max_members) {
            return refuse("an object has too many members", ec);
        }
        if (limits.fold_member_names) {
            std::ranges::transform(key, key.begin(), [](char c) { return ascii_lower(c); });
        }
        const bool is_new = names.insert(key).second;
        key.clear();
        return is_new || refuse("an object has the same member twice", ec);
    }
    bool on_string_part(json::string_view part, std::size_t, error_code& ec) {
        return check_text(part, ec);
    }
    bool on_string(json::string_view part, std::size_t, error_code& ec) {
        return check_text(part, ec);
    }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
    bool on_double(double number, json::string_view, error_code& ec) {
        return std::isfinite(number) || refuse("a number is too large", ec);
    }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }
};

} // namespace

Result<json::value> parse_strict_json(std::string_view text, const StrictJsonLimits& limits,
                                      json::storage_ptr memory) {
    json::parse_options options;
    options.max_depth = limits.max_depth;
    std::array<std::byte, 2048> names; // of usual size need no other memory
    std::pmr::monotonic_buffer_resource memory_of_names(names.data(), names.size());
    json::basic_parser<Checker> parser(options, limits, &memory_of_names);
    json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && used < text.size()) {
        ec = json::error::extra_data;
    }
    if (ec) {
        const char* problem = parser.handler().problem;
        return fail(ErrorCode::invalid_request,
                    problem != nullptr ? problem : "the text is not valid JSON");
    }
    json::value value =
        json::parse(json::string_view(text.data(), text.size()), ec, std::move(memory), options);
    if (ec) {
        return fail(ErrorCode::invalid_request, "the text is not valid JSON");
    }
    return value;
}

} // namespace claviger
