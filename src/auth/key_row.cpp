// SPDX-License-Identifier: Apache-2.0
#include "auth/key_row.h"

#include "auth/access_keys.h"
#include "auth/service_accounts.h"

namespace claviger {

std::vector<ClientSecret>& KeyRow::secrets() {
    return std::visit([](auto& row) -> std::vector<ClientSecret>& { return row.secrets; }, noun);
}

const std::string& KeyRow::client_id() const {
    const auto* account = std::get_if<ServiceAccount>(&noun);
    return account != nullptr ? account->name : std::get<AccessKey>(noun).client_id;
}

SecretKind KeyRow::kind() const {
    return std::holds_alternative<AccessKey>(noun) ? SecretKind::access_key
                                                   : SecretKind::service_account;
}

void KeyRow::end_tokens() {
    std::visit([](auto& row) { row.epoch += 1; }, noun);
}

Result<void> KeyRow::put(Transaction& transaction, Timestamp now) {
    std::visit([&](auto& row) { row.updated_at = now; }, noun);
    if (const auto* account = std::get_if<ServiceAccount>(&noun)) {
        return transaction.service_accounts().put(*account);
    }
    return transaction.access_keys().put(std::get<AccessKey>(noun));
}

void KeyRow::describe(AuditEvent& event) const {
    if (const auto* account = std::get_if<ServiceAccount>(&noun)) {
        event.entity_type = service_account_entity;
        event.entity_id = account->id.value.text();
        event.entity_name = account->name;
    } else {
        const auto& key = std::get<AccessKey>(noun);
        event.entity_type = access_key_entity;
        event.entity_id = key.id.value.text();
        event.entity_name = key.name;
        event.metadata.emplace_back("client_id", key.client_id);
    }
}

Result<std::optional<KeyRow>> find_key_row(Transaction& transaction, TenantId tenant,
                                           PrincipalKind kind, const Uuid& key) {
    if (kind == PrincipalKind::user) {
        auto found = TRY(transaction.access_keys().find({tenant, key}));
        return found ? std::optional(KeyRow{*std::move(found)}) : std::nullopt;
    }
    auto found = TRY(transaction.service_accounts().find({tenant, key}));
    return found ? std::optional(KeyRow{*std::move(found)}) : std::nullopt;
}

} // namespace claviger
