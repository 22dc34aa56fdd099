// SPDX-License-Identifier: Apache-2.0
#include "auth/access_statement.h"

#include <algorithm>

#include "access/scope_type.h"
#include "access/subject_type.h"
#include "auth/issue_token.h"
#include "auth/signed_statement.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::size_t usual_part = 48 * 1024; // bytes of rows

template <class Items, class Append>
void append_list(std::string& out, const Items& items, Append append) {
    out += '[';
    for (const auto& item : items) {
        if (out.back() != '[') {
            out += ',';
        }
        append(item);
    }
    out += ']';
}

/// What cannot be read expired long ago: auth/credential_limits.h.
std::string_view told_limits(const CredentialLimits& limits) {
    constexpr std::string_view nothing = R"({"expiresAt":"1970-01-01T00:00:00Z"})";
    return limits.expires_at == Timestamp{0} ? nothing : limits.text;
}

} // namespace

AccessStatement::AccessStatement(TenantStatePointer state, const TokenSettings& settings)
    : state_(std::move(state)), settings_(settings) {
    collect_nodes();
    collect_roles();
    collect_limits();
    users_.reserve(state_->users.size());
    state_->users.for_each([&](const User& user) { users_.push_back(&user); });
    rules_.reserve(state_->access.rule_count());
    state_->access.for_each_rule_number([&](std::int32_t number) { rules_.push_back(number); });
    std::ranges::sort(rules_);
    sections_ = {{"nodes", nodes_.size(), &AccessStatement::append_node},
                 {"roles", roles_.size(), &AccessStatement::append_role},
                 {"users", users_.size(), &AccessStatement::append_user},
                 {"limits", limits_.size(), &AccessStatement::append_limits},
                 {"rules", rules_.size(), &AccessStatement::append_rule}};
}

void AccessStatement::collect_nodes() {
    const auto add = [&](NodeIndex node) {
        places_.emplace(node, nodes_.size());
        nodes_.push_back(node);
    };
    add(state_->access.root());
    for (const ScopeType type : {ScopeType::cluster, ScopeType::department, ScopeType::project}) {
        state_->access.for_each_unit(type, [&](NodeIndex node, const OrgUnit&) { add(node); });
    }
}

void AccessStatement::collect_roles() {
    for (const PredefinedRole& role : predefined_roles()) {
        roles_.emplace_back(role.number, &role.permissions);
    }
    state_->access.for_each_own_role([&](const OwnRole& role) {
        if (role.row.enabled) {
            roles_.emplace_back(role.row.id.value, &role.permissions);
        }
    });
}

void AccessStatement::collect_limits() {
    state_->accounts.for_each([&](const AccountEntry& account) {
        if (account.limits) {
            limits_.emplace_back(account.name, account.limits.get());
        }
    });
    state_->access_keys.for_each([&](const AccessKeyEntry& key) {
        if (key.bounds) {
            limits_.emplace_back(key.client_id, key.bounds.get());
        }
    });
    std::ranges::sort(limits_);
}

void AccessStatement::append_node(std::string& out, std::size_t at) const {
    const ScopeId id = state_->access.scope_id(nodes_[at]);
    const auto parent = state_->access.parent(nodes_[at]);
    out += '[';
    append_json_string(out, name_of(id.type));
    out += ',';
    append_json_string(out, id.value);
    out += ',';
    out += parent ? std::to_string(places_.at(*parent)) : "-1";
    out += ']';
}

void AccessStatement::append_role(std::string& out, std::size_t at) const {
    out += '[' + std::to_string(roles_[at].first) + ',';
    append_list(out, roles_[at].second->list(),
                [&](Permission permission) { append_json_string(out, text_of(permission)); });
    out += ']';
}

void AccessStatement::append_user(std::string& out, std::size_t at) const {
    const User& user = *users_[at];
    out += '[';
    append_json_string(out, subject_claim(PrincipalKind::user, user.id.value));
    out += ',';
    append_json_string(out, user.email);
    out += ',';
    append_list(out, user.groups,
                [&](const std::string& group) { append_json_string(out, group); });
    out += ']';
}

void AccessStatement::append_limits(std::string& out, std::size_t at) const {
    out += '[';
    append_json_string(out, limits_[at].first);
    out += ',';
    out += told_limits(*limits_[at].second);
    out += ']';
}

void AccessStatement::append_rule(std::string& out, std::size_t at) const {
    const auto rule = state_->access.rule({state_->tenant.id, rules_[at]});
    const auto node = rule ? state_->access.find(rule->scope) : std::nullopt;
    if (!node) {
        return; // never: a snapshot's rules are live
    }
    out += '[' + std::to_string(rules_[at]) + ',';
    append_json_string(out, name_of(rule->subject.type));
    out += ',';
    append_json_string(out, rule->subject.value);
    out += ',' + std::to_string(rule->role.value);
    out += ',' + std::to_string(places_.at(*node)) + ']';
}

Result<std::string> AccessStatement::next_part(Timestamp now) {
    ++part_;
    const std::string token_id =
        "access-snapshot-" + std::to_string(number()) + "-" + std::to_string(part_);
    JwtBuilder builder = TRY(begin_statement(
        *state_, settings_,
        {access_snapshot_type, access_snapshot_audience, token_id, now.seconds()}, now));
    builder.add("number", static_cast<std::int64_t>(number())).add("part", part_);
    std::size_t size = 0;
    for (; section_ < sections_.size() && size < usual_part; ++section_, row_ = 0) {
        const Section& section = sections_[section_];
        std::string rows = "[";
        for (; row_ < section.count && size + rows.size() < usual_part; ++row_) {
            if (rows.back() != '[') {
                rows += ',';
            }
            (this->*section.append)(rows, row_);
        }
        size += rows.size();
        builder.add_json(section.claim, rows + "]");
        if (row_ < section.count) {
            break;
        }
    }
    is_complete_ = section_ == sections_.size();
    builder.add_json("last", is_complete_ ? "true" : "false");
    return builder.sign();
}

} // namespace claviger
