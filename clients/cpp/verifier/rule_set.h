// SPDX-License-Identifier: Apache-2.0
// The rules of the tenant as the server has signed them, ready to decide: the tree, the rules and
// what roles hold for the server's own decide(), and the limits of keys. Immutable.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/decide.h"
#include "auth/credential_limits.h"
#include "base/error.h"
#include "verifier/signed_document.h"

namespace claviger::offline {

/// Whose question it is.
struct Asker {
    std::string_view subject, client_id;    // the claims
    const AccessLimit* narrowing = nullptr; // null: the token is not narrowed
    /// What it was narrowed to besides: permissions on types of protected APIs.
    std::span<const std::string> more = {};
};

/// Resource types of protected APIs, which only the server's rules name, beside those of the table.
class LocalTypes {
public:
    /// Nothing for one that is not known.
    std::optional<Permission> find(std::string_view text) const;
    /// Adds the type when it is new; nothing for what is no permission, or too many types.
    std::optional<Permission> add(std::string_view text);

private:
    std::map<std::string, ResourceType, std::less<>> types_;
};

class RuleSet {
public:
    /// Of the claims of all parts.
    static Result<RuleSet> build(const DocumentReader::Snapshot& snapshot);

    std::uint64_t number() const { return number_; }
    TenantId tenant() const { return access_.tenant(); }
    /// Whether a `sub` is that of a user. Service accounts are not listed.
    bool has_user(std::string_view subject) const { return users_.contains(subject); }
    /// Null for a key without limits.
    const CredentialLimits* limits_of(std::string_view client_id) const;
    /// Nothing when no role of the tenant could hold it.
    std::optional<Permission> find_permission(std::string_view text) const {
        return types_.find(text);
    }
    /// Nothing when there is no such scope here.
    std::optional<NodeIndex> find_scope(std::string_view type, std::string_view id) const;
    Decision decide(const Asker& asker, Permission permission, NodeIndex scope) const;

private:
    class Builder;
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    template <class Value>
    using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

    explicit RuleSet(AccessSnapshot access) : access_(std::move(access)) {}

    std::uint64_t number_ = 0;
    AccessSnapshot access_;
    LocalTypes types_;
    TextMap<std::vector<Subject>> users_; // by `sub`: the user and its groups
    TextMap<CredentialLimits> limits_;    // by `client_id`
};

} // namespace claviger::offline
