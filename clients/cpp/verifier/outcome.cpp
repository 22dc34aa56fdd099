// SPDX-License-Identifier: Apache-2.0
// What the public types say of a token and of a refusal.
#include "verifier/token_judge.h"

namespace claviger {

verified_token::verified_token(std::shared_ptr<const parts> of) : parts_(std::move(of)) {}

const std::string& verified_token::subject() const {
    return parts_->subject;
}
const std::string& verified_token::client_id() const {
    return parts_->client_id;
}
const std::string& verified_token::token_id() const {
    return parts_->token_id;
}
const std::string& verified_token::issuer() const {
    return parts_->issuer;
}
const std::vector<std::string>& verified_token::audience() const {
    return parts_->audience;
}
const std::string& verified_token::session() const {
    return parts_->session;
}
std::int64_t verified_token::issued_at() const {
    return parts_->issued_at;
}
std::int64_t verified_token::expires_at() const {
    return parts_->expires_at;
}
const std::string& verified_token::claims() const {
    return parts_->claims;
}

verify_outcome::verify_outcome(verified_token token) : token_(std::move(token)) {}
verify_outcome::verify_outcome(claviger::refusal why) : refusal_(std::move(why)) {}

std::string refusal::challenge() const {
    if (status != 401) {
        return {};
    }
    return error.empty() ? "Bearer" : "Bearer error=\"" + error + "\"";
}

} // namespace claviger
