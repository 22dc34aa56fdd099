// SPDX-License-Identifier: Apache-2.0
// Subjects as they are named on the command line.
#pragma once

#include <string_view>

namespace claviger {

/// It looks at the text that it was read from.
struct NamedSubject {
    std::string_view type; // as in an access rule; "caller" for "me"
    std::string_view id;
};

/// "user:a@b.example", "group:staff", "service-account:ci"; without a type, a user has an @ in its
/// name. "me" is whoever signs in.
NamedSubject subject_named(std::string_view text);

} // namespace claviger
