// SPDX-License-Identifier: Apache-2.0
// Scopes and subjects in the words of the contract.
#pragma once

#include <string>
#include <string_view>

#include "access/scope_type.h"
#include "access/subject_type.h"
#include "api/codec.h"
#include "model/model.h"

namespace claviger {

/// `scopeType` in a request.
struct ScopeTypeText {
    ScopeType value = ScopeType::tenant;
    static Result<ScopeTypeText> decode(std::string_view text);
    std::string wire() const { return std::string(name_of(value)); }
    static json::object schema();
};

/// `subjectType` in a request; "app" is the older spelling of "service-account".
struct SubjectTypeText {
    SubjectType value = SubjectType::user;
    static Result<SubjectTypeText> decode(std::string_view text);
    std::string wire() const { return std::string(name_of(value)); }
    static json::object schema();
};

} // namespace claviger
