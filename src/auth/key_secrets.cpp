// SPDX-License-Identifier: Apache-2.0
#include "auth/key_secrets.h"

#include <algorithm>

#include "auth/access_rules.h"
#include "auth/key_row.h"
#include "auth/tenants.h"

namespace claviger {

namespace {

constexpr std::int64_t seconds_between_looks = 30; // for what has drained

std::string joined(const std::vector<Uuid>& ids) {
    std::string text;
    for (const Uuid& id : ids) {
        text += (text.empty() ? "" : ", ") + id.text();
    }
    return text;
}

std::unexpected<Error> unknown_account() {
    return fail(ErrorCode::not_found, "no service account has this serviceAccountId");
}
std::unexpected<Error> unknown_secret() {
    return fail(ErrorCode::not_found, "the key has no secret with this secretId");
}

std::unexpected<Error> too_many_secrets() {
    return fail(ErrorCode::conflict, "a key has at most " + std::to_string(most_live_secrets) +
                                         " secrets at a time: retire one first");
}

const SecretUse* find_use(const std::vector<SecretUse>& uses, const Uuid& secret) {
    const auto found = std::ranges::find(uses, secret, &SecretUse::secret);
    return found == uses.end() ? nullptr : &*found;
}

/// The ids of what is to be retired, or why nothing is.
Result<std::vector<Uuid>> to_be_retired(const std::vector<ClientSecret>& secrets,
                                        const std::optional<Uuid>& asked, Timestamp now) {
    std::vector<const ClientSecret*> live;
    for (const ClientSecret& secret : secrets) {
        if (state_of(secret, now) == SecretState::live) {
            live.push_back(&secret);
        }
    }
    if (!asked) {
        // The newest stays. One that was restored has a new number, and is as old as it was.
        std::ranges::sort(live, {}, [](const ClientSecret* secret) {
            return std::pair(secret->created_at, secret->number);
        });
        std::vector<Uuid> ids;
        if (!live.empty()) {
            live.pop_back();
        }
        std::ranges::transform(live, std::back_inserter(ids), &ClientSecret::id);
        return ids;
    }
    const auto known = std::ranges::find(secrets, *asked, &ClientSecret::id);
    if (known == secrets.end()) {
        return unknown_secret();
    }
    const bool is_live = std::ranges::find(live, *asked, &ClientSecret::id) != live.end();
    if (is_live && live.size() == 1) {
        return fail(ErrorCode::conflict, "this is the only secret of the key that is good: add "
                                         "another first, or revoke it if it has leaked");
    }
    return std::vector{*asked};
}

bool has_drained(const ClientSecret& secret, const std::vector<SecretUse>& uses, Timestamp now) {
    if (!secret.drain || state_of(secret, now) != SecretState::live) {
        return false;
    }
    const SecretUse* use = find_use(uses, secret.id);
    const Timestamp since =
        use != nullptr ? std::max(secret.drain->since, use->at) : secret.drain->since;
    return since.plus_seconds(secret.drain->seconds) <= now;
}

Result<void> check_seconds(std::int64_t seconds, std::int64_t longest, const char* member) {
    if (seconds < 0 || seconds > longest) {
        return fail(ErrorCode::invalid_request,
                    std::string(member) + " must be from 0 to " + std::to_string(longest));
    }
    return {};
}

} // namespace

Result<KeyName> own_key(const Caller& caller) {
    const Principal& principal = caller.principal;
    if (principal.kind == PrincipalKind::service_account) {
        return KeyName{principal.kind, principal.id, KeyReach::own, true};
    }
    if (!principal.access_key) {
        return fail(ErrorCode::access_denied,
                    "the token was not got with a client secret: it has no secrets of its own");
    }
    return KeyName{principal.kind, *principal.access_key, KeyReach::own, true};
}

KeySecrets::KeySecrets(Store& store, const Directory& directory, const Pepper& pepper,
                       SecretUses& uses, const Clock& clock, Random& random)
    : store_(store), directory_(directory), pepper_(pepper), uses_(uses), clock_(clock),
      random_(random) {}

namespace {

/// Whoever gets a secret of the key may do what the key may.
Result<void> check_may_have(const Caller& caller, const KeyRow& row) {
    if (const auto* account = std::get_if<ServiceAccount>(&row.noun)) {
        const LimitsPointer limits = read_limits(caller.tenant(), account->limits);
        return check_no_wider(caller,
                              {PrincipalKind::service_account, account->id.value, account->name},
                              limits.get());
    }
    const LimitsPointer limits = read_limits(caller.tenant(), std::get<AccessKey>(row.noun).limits);
    return check_no_wider(caller, caller.principal, limits.get());
}

Result<KeyRow> find_row(Transaction& transaction, const Caller& caller, const KeyName& key) {
    if (key.kind == PrincipalKind::user) {
        return KeyRow{TRY(find_access_key(transaction, caller, key.id, key.reach))};
    }
    auto account = TRY(transaction.service_accounts().find({caller.tenant(), key.id}));
    return account ? Result<KeyRow>(KeyRow{*std::move(account)}) : unknown_account();
}

} // namespace

template <class Change>
Result<void> KeySecrets::change(const Caller& caller, const KeyName& key, Gives gives,
                                Change change) {
    const Timestamp now = clock_.now();
    if (key.kind == PrincipalKind::user && !key.is_by_itself) {
        TRY(check_may_manage_keys(caller, Action::update));
    }
    return store_.write([&](Transaction& transaction) -> Result<void> {
        KeyRow row = TRY(find_row(transaction, caller, key));
        // No permission says what a key may do to itself: its token must be good for all of it.
        if (gives == Gives::secret || key.is_by_itself) {
            TRY(check_may_have(caller, row));
        }
        AuditEvent event = change_event(caller, now, audit_action::update, "", "", "");
        row.describe(event);
        const bool is_changed = TRY(change(row, event, now));
        if (!is_changed) {
            return {};
        }
        TRY(row.put(transaction, now));
        return append_change_event(transaction, event);
    });
}

Result<NewSecret> KeySecrets::add(const Caller& caller, const KeyName& key,
                                  const NewSecretOptions& options) {
    TRY(check_seconds(options.drain_seconds.value_or(0), longest_drain_seconds, "drainSeconds"));
    NewSecret made;
    TRY(change(caller, key, Gives::secret,
               [&](KeyRow& row, AuditEvent& event, Timestamp now) -> Result<bool> {
                   if (options.expires_at && *options.expires_at <= now) {
                       return fail(ErrorCode::invalid_request, "expiresAt must be in the future");
                   }
                   if (live_secret_count(row.secrets(), now) >= most_live_secrets) {
                       return too_many_secrets();
                   }
                   if (options.drain_seconds) {
                       for (ClientSecret& older : row.secrets()) {
                           if (state_of(older, now) == SecretState::live) {
                               older.drain = Drain{now, *options.drain_seconds};
                           }
                       }
                   }
                   made.text = generate_client_secret(random_, row.kind());
                   ClientSecret secret =
                       keep_client_secret(pepper_, random_, row.client_id(), made.text, now);
                   secret.expires_at = options.expires_at;
                   made.row = add_secret(row.secrets(), secret, now);
                   event.metadata.emplace_back("secret", "added");
                   event.metadata.emplace_back("secret_id", made.row.id.text());
                   return true;
               }));
    return made;
}

Result<Secret> KeySecrets::replace(const Caller& caller, const KeyName& key,
                                   std::int64_t overlap_seconds) {
    TRY(check_seconds(overlap_seconds, longest_overlap_seconds, "overlapSeconds"));
    Secret text;
    TRY(change(
        caller, key, Gives::secret,
        [&](KeyRow& row, AuditEvent& event, Timestamp now) -> Result<bool> {
            if (overlap_seconds == 0) {
                retire_all_secrets(row.secrets(), now);
                row.end_tokens();
            } else if (live_secret_count(row.secrets(), now) >= most_live_secrets) {
                return too_many_secrets();
            }
            const Timestamp until = now.plus_seconds(overlap_seconds);
            for (ClientSecret& older : row.secrets()) {
                if (state_of(older, now) == SecretState::live) {
                    older.expires_at = std::min(older.expires_at.value_or(until), until);
                }
            }
            text = generate_client_secret(random_, row.kind());
            add_secret(row.secrets(),
                       keep_client_secret(pepper_, random_, row.client_id(), text, now), now);
            event.metadata.emplace_back("secret", "regenerated");
            if (overlap_seconds != 0) {
                event.metadata.emplace_back("overlap_seconds", std::to_string(overlap_seconds));
            }
            return true;
        }));
    return text;
}

Result<void> KeySecrets::check_unused(const ClientSecret& secret,
                                      const std::vector<SecretUse>& uses,
                                      const RetirementOptions& options) const {
    const SecretUse* use = find_use(uses, secret.id);
    if (options.force || use == nullptr ||
        use->at.plus_seconds(options.unused_for_seconds) <= clock_.now()) {
        return {};
    }
    std::string by = use->user_agent.empty() ? "" : " by " + use->user_agent;
    return fail(ErrorCode::conflict, "secret " + secret.id.text() + " was used at " +
                                         format_rfc3339(use->at) + " from " + use->source_ip + by +
                                         ": give that program the newer one, or force it");
}

Result<std::vector<Uuid>> KeySecrets::retire(const Caller& caller, const KeyName& key,
                                             const RetirementOptions& options) {
    TRY(check_seconds(options.unused_for_seconds, longest_drain_seconds, "unusedForSeconds"));
    const std::vector<SecretUse> used = TRY(uses_.of_key(store_, caller.tenant(), key.id));
    std::vector<Uuid> ids;
    TRY(change(caller, key, Gives::nothing,
               [&](KeyRow& row, AuditEvent& event, Timestamp now) -> Result<bool> {
                   ids = TRY(to_be_retired(row.secrets(), options.secret, now));
                   // One that has ended already is no longer in anybody's way.
                   for (const ClientSecret& secret : row.secrets()) {
                       if (state_of(secret, now) == SecretState::live &&
                           std::ranges::find(ids, secret.id) != ids.end()) {
                           TRY(check_unused(secret, used, options));
                       }
                   }
                   for (const Uuid& id : ids) {
                       retire_secret(row.secrets(), id, now, false);
                   }
                   event.metadata.emplace_back("secret", "retired");
                   event.metadata.emplace_back("secret_id", joined(ids));
                   return !ids.empty();
               }));
    return ids;
}

Result<void> KeySecrets::restore(const Caller& caller, const KeyName& key, const Uuid& secret) {
    return change(
        caller, key, Gives::secret,
        [&](KeyRow& row, AuditEvent& event, Timestamp now) -> Result<bool> {
            const auto found = std::ranges::find(row.secrets(), secret, &ClientSecret::id);
            if (found == row.secrets().end()) {
                return unknown_secret();
            }
            if (state_of(*found, now) == SecretState::live) {
                return false;
            }
            if (!found->frozen) {
                return fail(ErrorCode::conflict, "the secret is not frozen: it has ended for good");
            }
            if (live_secret_count(row.secrets(), now) >= most_live_secrets) {
                return too_many_secrets();
            }
            restore_secret(row.secrets(), secret);
            event.metadata.emplace_back("secret", "restored");
            event.metadata.emplace_back("secret_id", secret.text());
            return true;
        });
}

Result<void> KeySecrets::end_leaked(TenantId tenant, const KeyName& key, const Uuid& secret,
                                    LeakPolicy policy, AuditEvent event) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        auto row = TRY(find_key_row(transaction, tenant, key.kind, key.id));
        if (!row) {
            return {}; // deleted meanwhile: it is good for nothing
        }
        row->describe(event);
        event.metadata.emplace_back("secret", "reported as leaked");
        event.metadata.emplace_back("secret_id", secret.text());
        event.metadata.emplace_back("policy", std::string(name_of(policy)));
        if (policy == LeakPolicy::freeze) {
            freeze_secret(row->secrets(), secret, now);
        } else if (policy == LeakPolicy::revoke) {
            retire_secret(row->secrets(), secret, now, true);
        }
        if (policy != LeakPolicy::record) {
            TRY(row->put(transaction, now));
        }
        return append_change_event(transaction, event);
    });
}

Result<std::vector<ClientSecret>> KeySecrets::all(const Caller& caller, const KeyName& key) const {
    std::vector<ClientSecret> secrets;
    if (key.kind == PrincipalKind::user) {
        const AccessKeyEntry* entry = TRY(find_access_key(caller, key.id, key.reach));
        secrets = entry->secrets;
    } else if (const AccountEntry* account = caller.state->accounts.find(key.id)) {
        secrets = account->secrets.all();
    } else {
        return unknown_account();
    }
    std::ranges::sort(secrets, {}, &ClientSecret::created_at);
    return secrets;
}

Result<std::vector<SecretUse>> KeySecrets::uses(const Caller& caller, const KeyName& key) const {
    return uses_.of_key(store_, caller.tenant(), key.id);
}

Result<std::size_t> KeySecrets::retire_drained() {
    const Timestamp now = clock_.now();
    std::size_t retired = 0;
    if (now < next_look_) {
        return retired;
    }
    next_look_ = now.plus_seconds(seconds_between_looks);
    for (const TenantStatePointer& state : directory_.current()->tenants) {
        std::vector<std::pair<PrincipalKind, Uuid>> due;
        state->accounts.for_each([&](const AccountEntry& account) {
            if (account.secrets.is_drain_due(now)) {
                due.emplace_back(PrincipalKind::service_account, account.id);
            }
        });
        state->access_keys.for_each([&](const AccessKeyEntry& key) {
            if (is_drain_due(key.secrets, now)) {
                due.emplace_back(PrincipalKind::user, key.id.value);
            }
        });
        for (const auto& [kind, key] : due) {
            retired += TRY(retire_drained_of(state->tenant.id, kind, key));
        }
    }
    return retired;
}

Result<std::size_t> KeySecrets::retire_drained_of(TenantId tenant, PrincipalKind kind,
                                                  const Uuid& key) {
    const Timestamp now = clock_.now();
    const std::vector<SecretUse> used = TRY(uses_.of_key(store_, tenant, key));
    std::size_t retired = 0;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        auto row = TRY(find_key_row(transaction, tenant, kind, key));
        if (!row) {
            return {};
        }
        std::vector<Uuid> drained;
        for (const ClientSecret& secret : row->secrets()) {
            if (has_drained(secret, used, now)) {
                drained.push_back(secret.id);
            }
        }
        std::vector<Uuid> ids;
        for (const Uuid& id : drained) {
            if (live_secret_count(row->secrets(), now) > 1) { // a newer one may have expired
                retire_secret(row->secrets(), id, now, false);
                ids.push_back(id);
            }
        }
        retired = ids.size();
        if (ids.empty()) {
            return {};
        }
        AuditEvent event = operator_event(tenant, now, audit_action::update, "", "", "");
        row->describe(event);
        event.metadata.emplace_back("secret", "retired, unused for as long as was set");
        event.metadata.emplace_back("secret_id", joined(ids));
        TRY(row->put(transaction, now));
        return append_change_event(transaction, event);
    }));
    return retired;
}

} // namespace claviger
