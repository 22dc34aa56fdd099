// SPDX-License-Identifier: Apache-2.0
// The kinds of subjects that access rules name, in the words of the contract.
#pragma once

#include <optional>
#include <string_view>

#include "model/model.h"

namespace claviger {

std::string_view name_of(SubjectType type); // "service-account"
std::optional<SubjectType> find_subject_type(std::string_view name);

} // namespace claviger
