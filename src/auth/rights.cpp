// SPDX-License-Identifier: Apache-2.0
#include "auth/rights.h"

namespace claviger {

Rights::Rights(const Principal& principal)
    : self_(principal.subject()), key_(principal.limits), token_(principal.narrowing) {
    if (!principal.groups.empty()) {
        all_.push_back(self_);
        for (const std::string& group : principal.groups) {
            all_.push_back({SubjectType::group, group});
        }
    }
    if (key_ && key_->ceiling) {
        add_limit(*key_->ceiling);
    }
    if (token_) {
        add_limit(*token_);
    }
}

} // namespace claviger
