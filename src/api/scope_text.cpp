// SPDX-License-Identifier: Apache-2.0
#include "api/scope_text.h"

#include <algorithm>
#include <array>

namespace claviger {
namespace {

constexpr std::array<std::string_view, 3> subject_types{"user", "group", "service-account"};

} // namespace

std::string_view name_of(SubjectType type) {
    return subject_types[static_cast<std::size_t>(type)];
}

Result<ScopeTypeText> ScopeTypeText::decode(std::string_view text) {
    const auto type = find_scope_type(text);
    if (!type) {
        return fail(ErrorCode::invalid_request,
                    "must be one of system, tenant, cluster, department, project");
    }
    return ScopeTypeText{*type};
}

json::object ScopeTypeText::schema() {
    json::array names;
    for (const ScopeType type : {ScopeType::system, ScopeType::tenant, ScopeType::cluster,
                                 ScopeType::department, ScopeType::project}) {
        names.emplace_back(name_of(type));
    }
    return {{"type", "string"}, {"enum", std::move(names)}};
}

Result<SubjectTypeText> SubjectTypeText::decode(std::string_view text) {
    const std::string_view current = text == "app" ? "service-account" : text;
    const auto at = std::ranges::find(subject_types, current);
    if (at == subject_types.end()) {
        return fail(ErrorCode::invalid_request, "must be one of user, group, service-account, app");
    }
    return SubjectTypeText{static_cast<SubjectType>(at - subject_types.begin())};
}

json::object SubjectTypeText::schema() {
    json::array names(subject_types.begin(), subject_types.end());
    names.emplace_back("app");
    return {{"type", "string"}, {"enum", std::move(names)}};
}

} // namespace claviger
