// SPDX-License-Identifier: Apache-2.0
#include "auth/access_keys.h"

#include <array>

#include "auth/access_rules.h"
#include "auth/names.h"
#include "base/encoding.h"

namespace claviger {
namespace {

/// "ak-" and 80 random bits: no service account may have such a name.
std::string generate_client_id(Random& random) {
    std::array<std::uint8_t, 10> bytes{};
    random.fill(bytes);
    return std::string(access_key_prefix) + base32(bytes);
}

std::unexpected<Error> unknown_key() {
    return fail(ErrorCode::not_found, "no access key has this id");
}

bool is_owner(const Caller& caller, const AccessKey& key) {
    return caller.principal.kind == PrincipalKind::user && caller.principal.id == key.user;
}

AuditEvent event_of(const Caller& caller, const AccessKey& key, Timestamp now,
                    std::string_view action) {
    AuditEvent event =
        change_event(caller, now, action, access_key_entity, key.id.value.text(), key.name);
    event.metadata.emplace_back("client_id", key.client_id);
    return event;
}

Principal owner_of(const AccessKey& key, const User& user) {
    return {PrincipalKind::user, key.user, user.email, user.groups};
}

/// Whether `key` may be added to those of its owner.
Result<void> check_room(Transaction& transaction, const AccessKey& key) {
    const UserId owner{key.id.tenant, key.user};
    const auto user = TRY(transaction.users().find(owner));
    if (!user) {
        return fail(ErrorCode::access_denied, "the user was deleted meanwhile");
    }
    const auto taken = TRY(transaction.access_keys().find_by_name(owner, key.name));
    if (taken) {
        return fail(ErrorCode::conflict, "Resource with this name already exists");
    }
    const auto keys = TRY(transaction.access_keys().of_user(owner));
    if (keys.size() >= most_access_keys) {
        return fail(ErrorCode::invalid_request, "a user has at most " +
                                                    std::to_string(most_access_keys) +
                                                    " access keys; delete one that is not used");
    }
    return {};
}

} // namespace

Result<AccessKey> find_access_key(Transaction& transaction, const Caller& caller, const Uuid& id,
                                  KeyReach reach) {
    const auto key = TRY(transaction.access_keys().find({caller.tenant(), id}));
    if (!key || (reach == KeyReach::own && !is_owner(caller, *key))) {
        return unknown_key();
    }
    return *key;
}

Result<const AccessKeyEntry*> find_access_key(const Caller& caller, const Uuid& id,
                                              KeyReach reach) {
    const AccessKeyEntry* key = caller.state->access_keys.find(id);
    if (key == nullptr || (reach == KeyReach::own && !is_owner(caller, *key))) {
        return unknown_key();
    }
    return key;
}

Result<void> check_may_manage_keys(const Caller& caller, Action action) {
    const Permission permission{*find_resource_type(access_key_entity), action};
    const Rights rights = rights_of(caller.principal);
    for (const AccessLimit* limit : rights.limits()) {
        if (!permits(caller.state->access, *limit, permission)) {
            return fail(ErrorCode::access_denied,
                        "missing permission " + text_of(permission) + " (" +
                            std::string(name_of(reason_of(limit->source))) + ")");
        }
    }
    return {};
}

AccessKeys::AccessKeys(Store& store, const Pepper& pepper, const Clock& clock, Random& random)
    : store_(store), pepper_(pepper), clock_(clock), random_(random) {}

Result<NewAccessKey> AccessKeys::create(const Caller& caller, std::string_view name,
                                        std::string_view limits) {
    if (caller.principal.kind != PrincipalKind::user) {
        return fail(ErrorCode::access_denied,
                    "access keys belong to users; a service account has its own secret");
    }
    if (!is_resource_name(name)) {
        return fail(ErrorCode::invalid_request,
                    "name must match ^[a-z][-_a-z0-9]*[a-z0-9]$ and be at most 255 characters");
    }
    TRY(check_may_manage_keys(caller, Action::create));
    const Timestamp now = clock_.now();
    const CredentialLimits bounds = TRY(parse_new_limits(caller.state->access, limits, now));
    TRY(check_no_wider(caller, caller.principal, &bounds));
    NewAccessKey made;
    made.client_secret = generate_client_secret(random_, SecretKind::access_key);
    AccessKey& key = made.key;
    key.id = {caller.tenant(), Uuid::make(random_)};
    key.user = caller.principal.id;
    key.client_id = generate_client_id(random_);
    key.name = name;
    key.limits = limits;
    key.secrets.push_back(
        keep_client_secret(pepper_, random_, key.client_id, made.client_secret, now));
    key.created_at = now;
    key.updated_at = now;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        TRY(check_room(transaction, key));
        TRY(transaction.access_keys().put(key));
        AuditEvent event = event_of(caller, key, now, audit_action::create);
        if (key.limits != no_limits) {
            event.metadata.emplace_back("limits", key.limits);
        }
        return append_change_event(transaction, event);
    }));
    return made;
}

Result<void> AccessKeys::set_limits(const Caller& caller, const Uuid& id, KeyReach reach,
                                    std::string_view limits) {
    const Timestamp now = clock_.now();
    const AccessSnapshot& access = caller.state->access;
    if (reach == KeyReach::own) {
        TRY(check_may_manage_keys(caller, Action::update));
    }
    const CredentialLimits next = TRY(parse_limits(caller.tenant(), limits));
    TRY(check_names(access, next));
    return store_.write([&](Transaction& transaction) -> Result<void> {
        AccessKey key = TRY(find_access_key(transaction, caller, id, reach));
        const auto owner = TRY(transaction.users().find({caller.tenant(), key.user}));
        const LimitsPointer before = read_limits(caller.tenant(), key.limits);
        if (owner && excess_over(access, before.get(), &next)) {
            TRY(check_no_wider(caller, owner_of(key, *owner), &next));
        }
        key.limits = limits;
        key.epoch += leaves_nothing(next, now) ? 1U : 0U;
        key.updated_at = now;
        TRY(transaction.access_keys().put(key));
        AuditEvent event = event_of(caller, key, now, audit_action::update);
        event.metadata.emplace_back("limits", key.limits);
        return append_change_event(transaction, event);
    });
}

Result<void> AccessKeys::remove(const Caller& caller, const Uuid& id, KeyReach reach) {
    const Timestamp now = clock_.now();
    if (reach == KeyReach::own) {
        TRY(check_may_manage_keys(caller, Action::remove));
    }
    return store_.write([&](Transaction& transaction) -> Result<void> {
        AccessKey key = TRY(find_access_key(transaction, caller, id, reach));
        key.deleted_at = now;
        key.updated_at = now;
        key.epoch += 1;
        key.secrets.clear();
        TRY(transaction.access_keys().put(key));
        AuditEvent event = event_of(caller, key, now, audit_action::remove);
        if (!is_owner(caller, key)) {
            const auto owner = TRY(transaction.users().find({caller.tenant(), key.user}));
            event.metadata.emplace_back("owner", owner ? owner->email : key.user.text());
        }
        return append_change_event(transaction, event);
    });
}

} // namespace claviger
