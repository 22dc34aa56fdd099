// SPDX-License-Identifier: Apache-2.0
// All that decides in one tenant, told to verifiers elsewhere: tree, roles, users with their
// groups, limits of keys, rules. Signed, in parts, so that a million rules take little memory.
//
// A part is a JWT of the type access-snapshot+jwt with the claims `number` (of the feed, as of
// which all of it is true; the same in all parts), `part` (from 1), `last`, and any of
//
//   nodes   [[type, id, place of its parent], ...]; places count from 0 over all parts, -1: none
//   roles   [[number, [permission, ...]], ...]; those that are enabled
//   users   [[subject claim, e-mail, [group, ...]], ...]
//   limits  [[client_id claim, limits], ...]; as auth/credential_limits.h has them
//   rules   [[number, subject type, subject id, role, place of the node], ...]
//
// in this order: what a row refers to has come before it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/directory.h"
#include "auth/token_settings.h"

namespace claviger {

inline constexpr std::string_view access_snapshot_type = "access-snapshot+jwt";
inline constexpr std::string_view access_snapshot_audience = "urn:claviger:access-snapshot";

class AccessStatement {
public:
    AccessStatement(TenantStatePointer state, const TokenSettings& settings);

    /// The feed goes on from here.
    std::uint64_t number() const { return state_->revocations.last_number(); }
    bool is_complete() const { return is_complete_; }
    /// Signed at `now`. Not when it is complete.
    Result<std::string> next_part(Timestamp now);

private:
    using Row = void (AccessStatement::*)(std::string& out, std::size_t at) const;
    /// One kind of row: its claim, how many there are, how one is written.
    struct Section {
        std::string_view claim;
        std::size_t count = 0;
        Row append;
    };

    void collect_nodes();
    void collect_roles();
    void collect_limits();
    void append_node(std::string& out, std::size_t at) const;
    void append_role(std::string& out, std::size_t at) const;
    void append_user(std::string& out, std::size_t at) const;
    void append_limits(std::string& out, std::size_t at) const;
    void append_rule(std::string& out, std::size_t at) const;

    TenantStatePointer state_; // shared with the server: the tables that the rows stand in
    const TokenSettings& settings_;
    std::vector<NodeIndex> nodes_;
    std::unordered_map<NodeIndex, std::size_t> places_;
    std::vector<std::pair<std::int32_t, const PermissionSet*>> roles_;
    std::vector<const User*> users_;
    std::vector<std::pair<std::string_view, const CredentialLimits*>> limits_;
    std::vector<std::int32_t> rules_;
    std::vector<Section> sections_;

    std::size_t section_ = 0; // where the next part begins
    std::size_t row_ = 0;
    std::int64_t part_ = 0;
    bool is_complete_ = false;
};

} // namespace claviger
