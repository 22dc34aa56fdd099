// SPDX-License-Identifier: Apache-2.0
#include "auth/rekey.h"

#include <algorithm>

#include "auth/tenants.h"
#include "store/data_directory.h"
#include "store/file.h"

namespace claviger {
namespace {

constexpr std::string_view next_ending = ".new";
constexpr std::string_view old_ending = ".old";

Result<void> outcome(const std::error_code& error, const std::filesystem::path& file) {
    return error ? fail(ErrorCode::unavailable, file.string() + ": " + error.message())
                 : Result<void>{};
}

Result<void> remove_file(const std::filesystem::path& file) {
    std::error_code error;
    std::filesystem::remove(file, error);
    return outcome(error, file);
}

/// The newer of two keys is in place.
bool is_replaced(const std::vector<SealedRootKey>& sealed, const MasterKey& in_place) {
    return sealed.size() > 1 && sealed.back().master_key_id == in_place.id();
}

} // namespace

Rekey::Rekey(Store& store, const RootKey& root_key, const MasterKey& master_key,
             MasterKeyOrigin origin, const KeyVault& vault,
             const IdentityProviders& identity_providers, const Clock& clock, Random& random,
             AfterStep after_step)
    : store_(store), root_key_(root_key), given_(master_key), origin_(std::move(origin)),
      vault_(vault), identity_providers_(identity_providers), clock_(clock), random_(random),
      after_step_(std::move(after_step)) {}

const MasterKey& Rekey::in_place() const {
    return in_file_ ? *in_file_ : given_;
}

Result<void> Rekey::read_own_file() {
    if (!origin_.own_file.empty()) {
        MasterKey key = TRY(MasterKey::load(origin_.own_file, false, random_));
        in_file_.emplace(std::move(key));
    }
    return {};
}

std::filesystem::path Rekey::beside(std::string_view ending) const {
    return origin_.own_file.string() + std::string(ending);
}

Result<void> Rekey::after(RekeyStep step) const {
    return after_step_ ? after_step_(step) : Result<void>{};
}

Result<void> Rekey::check_opens(const std::vector<SealedRootKey>& sealed,
                                const MasterKey& key) const {
    const auto at = std::ranges::find(sealed, key.id(), &SealedRootKey::master_key_id);
    if (at == sealed.end()) {
        return fail(ErrorCode::conflict, "the root key is not sealed under the master key " +
                                             key.id() + " of " + origin_.text);
    }
    const RootKey opened = TRY(RootKey::open(*at, key));
    if (!opened.is_same(root_key_)) {
        return fail(ErrorCode::internal, "the record of the root key holds another key");
    }
    return {};
}

Result<RekeyOutcome> Rekey::run(const std::optional<Secret>& new_key) {
    const std::unique_lock only_one(mutex_, std::try_to_lock);
    if (!only_one) {
        return fail(ErrorCode::conflict, "the master key is being replaced; try again when it is "
                                         "done");
    }
    TRY(read_own_file());
    const auto sealed = TRY(read_root_keys(store_));
    TRY(check_opens(sealed, in_place()));
    if (is_replaced(sealed, in_place())) {
        TRY(put_in_force());
        if (!new_key) {
            return RekeyOutcome{sealed.front().master_key_id, in_place().id(), true};
        }
    }
    const MasterKey next = TRY(next_key(new_key));
    RekeyOutcome done{in_place().id(), next.id(), !origin_.own_file.empty()};
    TRY(after(RekeyStep::written));
    TRY(accept(next));
    TRY(after(RekeyStep::accepted));
    if (done.is_in_force) {
        TRY(replace_file());
        TRY(after(RekeyStep::replaced));
        TRY(read_own_file());
        TRY(put_in_force());
    }
    return done;
}

Result<MasterKey> Rekey::parse_new(const Secret& text) const {
    MasterKey key = TRY(MasterKey::parse(text.reveal()));
    if (key.id() == in_place().id()) {
        return fail(ErrorCode::invalid_request, "the new master key is the one in force");
    }
    return key;
}

Result<MasterKey> Rekey::next_key(const std::optional<Secret>& new_key) {
    if (origin_.own_file.empty()) {
        if (!new_key) {
            return fail(ErrorCode::invalid_request,
                        "the master key comes from " + origin_.text +
                            ", where only you can put another one: give the new one with "
                            "--new-master-key-file FILE");
        }
        return parse_new(*new_key);
    }
    const auto file = beside(next_ending);
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) {
        auto found = MasterKey::load(file, false, random_);
        if (found) {
            return take_up(*std::move(found), new_key);
        }
        TRY(remove_file(file)); // it was not yet whole, so nothing needs it
    }
    auto key = new_key ? parse_new(*new_key) : MasterKey::make(random_);
    if (key) {
        TRY(key->write(file));
        give_to_owner_of(file.parent_path(), file);
    }
    return key;
}

Result<MasterKey> Rekey::take_up(MasterKey&& found, const std::optional<Secret>& new_key) const {
    if (new_key) {
        const MasterKey wanted = TRY(parse_new(*new_key));
        if (wanted.id() != found.id()) {
            return fail(ErrorCode::conflict,
                        "a change to the master key " + found.id() +
                            " was interrupted: finish it first with \"claviger rekey\", without "
                            "a key");
        }
    }
    return std::move(found);
}

Result<void> Rekey::accept(const MasterKey& next) {
    const Timestamp now = clock_.now();
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto sealed = TRY(transaction.root_keys().all());
        if (check_opens(sealed, next)) {
            return {};
        }
        SealedRootKey record = root_key_.seal(next, random_, now);
        for (const SealedRootKey& old : sealed) {
            if (old.master_key_id != in_place().id()) {
                TRY(transaction.root_keys().remove(old.master_key_id));
            } else if (old.created_at >= now) { // the clock was set back: it stays the older one
                record.created_at = Timestamp{old.created_at.microseconds + 1};
            }
        }
        TRY(transaction.root_keys().put(record));
        return append_events(transaction, "accepted", record.master_key_id, now);
    }));
    const auto sealed = TRY(read_root_keys(store_));
    return check_opens(sealed, next);
}

Result<void> Rekey::replace_file() {
    const auto old = beside(old_ending);
    TRY(remove_file(old));
    TRY(in_place().write(old));
    give_to_owner_of(old.parent_path(), old);
    std::error_code error;
    std::filesystem::rename(beside(next_ending), origin_.own_file, error);
    TRY(outcome(error, origin_.own_file));
    return sync_directory(origin_.own_file.parent_path());
}

Result<void> Rekey::put_in_force() {
    const std::string id = in_place().id();
    const Timestamp now = clock_.now();
    TRY(store_.write([&](Transaction& transaction) -> Result<void> {
        const auto sealed = TRY(transaction.root_keys().all());
        TRY(check_opens(sealed, in_place()));
        for (const SealedRootKey& old : sealed) {
            if (old.master_key_id != id) {
                TRY(transaction.root_keys().remove(old.master_key_id));
            }
        }
        return append_events(transaction, "in force", id, now);
    }));
    TRY(after(RekeyStep::in_force));
    return remove_old_file();
}

Result<void> Rekey::remove_old_file() const {
    const auto old = beside(old_ending);
    std::error_code ignored;
    if (origin_.own_file.empty() || !std::filesystem::exists(old, ignored)) {
        return {};
    }
    TRY(remove_file(old));
    return sync_directory(old.parent_path());
}

Result<void> Rekey::append_events(Transaction& transaction, std::string_view state,
                                  const std::string& id, Timestamp now) const {
    const auto tenants = TRY(transaction.tenants().all());
    for (const Tenant& tenant : tenants) {
        AuditEvent event =
            operator_event(tenant.id, now, audit_action::update, "master-key", id, id);
        event.metadata.emplace_back("state", state);
        TRY(append_change_event(transaction, event));
    }
    return {};
}

Result<std::string> Rekey::finish_interrupted() {
    const std::scoped_lock lock(mutex_);
    TRY(read_own_file());
    const auto sealed = TRY(read_root_keys(store_));
    if (is_replaced(sealed, in_place())) {
        TRY(put_in_force());
        return "the master key " + in_place().id() + " is in force; the one before, " +
               sealed.front().master_key_id + ", is accepted no more";
    }
    if (sealed.size() > 1) {
        return "the master key " + sealed.back().master_key_id + " is accepted as well: " +
               (origin_.own_file.empty() ? "put it in place and restart"
                                         : "run \"claviger rekey\" to put it in place");
    }
    TRY(remove_old_file());
    return std::string();
}

Result<RekeyReport> Rekey::check() {
    const std::scoped_lock lock(mutex_);
    TRY(read_own_file());
    const auto sealed = TRY(read_root_keys(store_));
    RekeyReport report;
    report.in_force = in_place().id();
    const auto note = [&](const Result<void>& opened) {
        if (!opened) {
            report.problems.push_back(opened.error().detail());
        }
        return opened.has_value();
    };
    note(check_opens(sealed, in_place()));
    for (const SealedRootKey& other : sealed) {
        if (other.master_key_id != report.in_force) {
            report.accepted.push_back(other.master_key_id);
        }
    }
    const auto without_value = [](const auto& opened) {
        return opened ? Result<void>{} : std::unexpected(opened.error());
    };
    TRY(store_.load([&](const Row& row) {
        if (const auto* key = std::get_if<SigningKey>(&row);
            key != nullptr && key->state != KeyState::gone) {
            report.signing_keys += note(without_value(vault_.open(*key))) ? 1U : 0U;
        }
        if (const auto* provider = std::get_if<IdentityProvider>(&row);
            provider != nullptr && !provider->sealed_secret.empty()) {
            report.secrets +=
                note(without_value(identity_providers_.open_secret(*provider))) ? 1U : 0U;
        }
    }));
    return report;
}

} // namespace claviger
