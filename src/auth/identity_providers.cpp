// SPDX-License-Identifier: Apache-2.0
#include "auth/identity_providers.h"

#include <algorithm>

#include "auth/names.h"
#include "auth/security_settings.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr const char* entity = "security-settings";
constexpr std::size_t longest_secret = 1024;
constexpr std::size_t longest_alias_start = 50;

/// Whatever a box is bound to: what stands here cannot be changed without its secret.
std::string place_of(const IdentityProvider& row) {
    return "claviger identity provider 1|" + std::to_string(number_of(row.tenant)) + "|" +
           row.alias + "|" + settings_of(row).address;
}

std::string_view name_of(IdentityProviderType type) {
    switch (type) {
    case IdentityProviderType::saml:
        return "saml";
    case IdentityProviderType::openshift_v4:
        return "openshift-v4";
    case IdentityProviderType::oidc:
        break;
    }
    return "oidc";
}

/// Letters, digits and single hyphens of the name; the type when nothing is left of it.
std::string alias_start(const IdentityProviderDraft& draft) {
    std::string start;
    for (const char c : ascii_lower(draft.name.value_or(""))) {
        const bool stays = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (stays) {
            start += c;
        } else if (!start.empty() && start.back() != '-') {
            start += '-';
        }
    }
    start.resize(std::min(start.size(), longest_alias_start));
    while (start.ends_with('-')) {
        start.pop_back();
    }
    return start.empty() ? std::string(name_of(draft.type)) : start;
}

std::string free_alias(const std::string& start, const std::vector<IdentityProvider>& others) {
    std::string alias = start;
    for (int number = 2; std::ranges::find(others, alias, &IdentityProvider::alias) != others.end();
         ++number) {
        alias = start + "-" + std::to_string(number);
    }
    return alias;
}

Result<void> check_secret(const IdentityProviderDraft& draft) {
    const bool has_one = draft.type != IdentityProviderType::saml;
    if (has_one && (draft.secret.empty() || draft.secret.size() > longest_secret ||
                    !is_printable_utf8(draft.secret))) {
        return fail(ErrorCode::invalid_request,
                    "clientSecret must be 1 to 1024 bytes of text without control characters");
    }
    return {};
}

Result<void> check_form(const IdentityProviderDraft& draft) {
    if (draft.name && !draft.name->empty() && !is_display_name(*draft.name)) {
        return fail(ErrorCode::invalid_request,
                    "name must be at most 255 bytes of text without control characters, and "
                    "neither start nor end with a space");
    }
    TRY(check_secret(draft));
    TRY(check_settings(draft.type, draft.settings));
    return check_mappers(draft.mappers.value_or(IdentityProviderMappers{}));
}

Result<void> append_event(Transaction& transaction, const Caller& caller,
                          const IdentityProvider& row, std::string_view action) {
    AuditEvent event = change_event(caller, row.updated_at, action, entity, row.alias,
                                    row.name.empty() ? row.alias : row.name);
    event.metadata.emplace_back("type", name_of(row.type));
    event.metadata.emplace_back("address", settings_of(row).address);
    return append_change_event(transaction, event);
}

} // namespace

IdentityProviders::IdentityProviders(Store& store, const RootKey& root_key, const Clock& clock,
                                     Random& random)
    : store_(store), vault_(root_key, "claviger identity providers 1", random), clock_(clock) {}

Bytes IdentityProviders::seal(const IdentityProvider& row, std::string_view secret) const {
    return secret.empty() ? Bytes() : vault_.seal(as_bytes(secret), place_of(row));
}

Result<Secret> IdentityProviders::open_secret(const IdentityProvider& row) const {
    auto plain = vault_.open(row.sealed_secret, place_of(row));
    if (!plain) {
        return fail(ErrorCode::internal,
                    "the secret of identity provider " + row.alias +
                        " cannot be opened: it was changed, or the root key is another one");
    }
    Secret secret(std::string_view(reinterpret_cast<const char*>(plain->data()), plain->size()));
    wipe(*plain);
    return secret;
}

Result<std::string> IdentityProviders::create(const Caller& caller,
                                              const IdentityProviderDraft& draft) {
    TRY(check_form(draft));
    if (draft.secret == masked_secret) {
        return fail(ErrorCode::invalid_request, "clientSecret is the mask of answers, no secret");
    }
    IdentityProvider row;
    row.tenant = caller.tenant();
    row.type = draft.type;
    row.name = draft.name.value_or("");
    row.settings = settings_text(draft.settings);
    row.mappers = mappers_text(draft.mappers.value_or(usual_mappers(draft.type)));
    row.created_by = caller.principal.name;
    row.created_at = clock_.now();
    row.updated_at = row.created_at;
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto others = TRY(transaction.identity_providers().all(row.tenant));
        if (others.size() >= most_identity_providers) {
            return fail(ErrorCode::conflict, "the tenant has 100 identity providers already");
        }
        row.alias = free_alias(alias_start(draft), others);
        row.sealed_secret = seal(row, draft.secret);
        TRY(transaction.identity_providers().put(row));
        return append_event(transaction, caller, row, audit_action::create);
    }));
    return row.alias;
}

Result<void> IdentityProviders::change(const Caller& caller, std::string_view alias,
                                       std::string_view action, const Change& change) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        const auto found = TRY(transaction.identity_providers().find(caller.tenant(), alias));
        if (!found) {
            return fail(ErrorCode::not_found, "no identity provider has this idp");
        }
        IdentityProvider row = *found;
        row.updated_at = now;
        TRY(change(transaction, row));
        TRY(transaction.identity_providers().put(row));
        return append_event(transaction, caller, row, action);
    });
}

namespace {

/// A SAML provider keeps the metadata that an update leaves out.
void keep_metadata(const IdentityProviderSettings& before, IdentityProviderDraft& draft) {
    IdentityProviderSettings& after = draft.settings;
    if (draft.type == IdentityProviderType::saml && after.address.empty() &&
        after.metadata.empty()) {
        after.metadata = before.metadata;
        after.file_name = after.file_name.empty() ? before.file_name : after.file_name;
    }
}

} // namespace

Result<void> IdentityProviders::update(const Caller& caller, std::string_view alias,
                                       IdentityProviderDraft draft) {
    return change(caller, alias, audit_action::update,
                  [&](Transaction&, IdentityProvider& row) -> Result<void> {
                      if (draft.type != row.type) {
                          return fail(ErrorCode::invalid_request,
                                      "type cannot be changed; make another provider");
                      }
                      const IdentityProviderSettings before = settings_of(row);
                      keep_metadata(before, draft);
                      TRY(check_form(draft));
                      const bool keeps_secret = draft.secret == masked_secret;
                      if (keeps_secret && draft.settings.address != before.address) {
                          return fail(ErrorCode::invalid_request,
                                      "clientSecret must be sent again, because " +
                                          std::string(address_field(row.type)) + " changes");
                      }
                      if (keeps_secret && row.sealed_secret.empty()) {
                          return fail(ErrorCode::invalid_request,
                                      "clientSecret must be sent, because none is kept");
                      }
                      row.name = draft.name.value_or(row.name);
                      row.settings = settings_text(draft.settings);
                      row.mappers = draft.mappers ? mappers_text(*draft.mappers) : row.mappers;
                      if (!keeps_secret) {
                          row.sealed_secret = seal(row, draft.secret);
                      }
                      return {};
                  });
}

Result<void> IdentityProviders::update_mappers(const Caller& caller, std::string_view alias,
                                               const IdentityProviderMappers& mappers) {
    TRY(check_mappers(mappers));
    return change(caller, alias, audit_action::update,
                  [&](Transaction&, IdentityProvider& row) -> Result<void> {
                      row.mappers = mappers_text(mappers);
                      return {};
                  });
}

Result<void> IdentityProviders::remove(const Caller& caller, std::string_view alias) {
    return change(caller, alias, audit_action::remove,
                  [&](Transaction& transaction, IdentityProvider& row) -> Result<void> {
                      row.deleted_at = row.updated_at;
                      return stop_redirect_to(transaction, row.tenant, alias, row.updated_at);
                  });
}

} // namespace claviger
