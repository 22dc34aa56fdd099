// SPDX-License-Identifier: Apache-2.0
// The keys of a SqliteTransaction: signing keys, and the sealed root key. Private to the module.
#pragma once

#include "store/sqlite_nouns.h"

namespace claviger {

class SqliteSigningKeyRows final : public SigningKeyRows {
public:
    explicit SqliteSigningKeyRows(SqliteContext context) : context_(context) {}
    Result<std::vector<SigningKey>> all(TenantId tenant) override;
    Result<void> put(const SigningKey& key) override;

private:
    SqliteContext context_;
};

class SqliteRootKeyRows final : public RootKeyRows {
public:
    explicit SqliteRootKeyRows(SqliteContext context) : context_(context) {}
    Result<std::vector<SealedRootKey>> all() override;
    Result<void> put(const SealedRootKey& key) override;
    Result<void> remove(std::string_view master_key_id) override;

private:
    SqliteContext context_;
};

} // namespace claviger
