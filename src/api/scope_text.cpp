// SPDX-License-Identifier: Apache-2.0
#include "api/scope_text.h"

namespace claviger {

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
    const auto type = find_subject_type(current);
    if (!type) {
        return fail(ErrorCode::invalid_request, "must be one of user, group, service-account, app");
    }
    return SubjectTypeText{*type};
}

json::object SubjectTypeText::schema() {
    json::array names;
    for (const SubjectType type :
         {SubjectType::user, SubjectType::group, SubjectType::service_account}) {
        names.emplace_back(name_of(type));
    }
    names.emplace_back("app");
    return {{"type", "string"}, {"enum", std::move(names)}};
}

} // namespace claviger
