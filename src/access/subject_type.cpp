// SPDX-License-Identifier: Apache-2.0
#include "access/subject_type.h"

#include <algorithm>
#include <array>

namespace claviger {
namespace {

constexpr std::array<std::string_view, 3> subject_types{"user", "group", "service-account"};

} // namespace

std::string_view name_of(SubjectType type) {
    return subject_types[static_cast<std::size_t>(type)];
}

std::optional<SubjectType> find_subject_type(std::string_view name) {
    const auto at = std::ranges::find(subject_types, name);
    return at == subject_types.end()
               ? std::nullopt
               : std::optional(static_cast<SubjectType>(at - subject_types.begin()));
}

} // namespace claviger
