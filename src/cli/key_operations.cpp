// SPDX-License-Identifier: Apache-2.0
// The operator commands about keys: signing keys and the master key.
#include "cli/operator_text.h"

namespace claviger {
namespace {

constexpr std::size_t most_named = 20; // of those whose tokens a burned key ends

/// "2026-11-24T08:30:00Z"
std::string second_of(Timestamp at) {
    return format_rfc3339(at).substr(0, 19) + "Z";
}

/// What the state comes to next, and when.
std::string outlook(const SigningKey& key) {
    switch (key.state) {
    case KeyState::pending:
        return "active at " + second_of(key.activates_at);
    case KeyState::retiring:
        return "gone at " + second_of(end_of_retiring(key));
    case KeyState::gone:
        return key.burned_at ? "burned at " + second_of(*key.burned_at) : "-";
    case KeyState::active:
        break;
    }
    return "since " + second_of(key.activates_at);
}

Lines cells_of(const SigningKey& key) {
    return {key.kid,
            std::string(name_of(key.purpose)),
            std::string(name_of(jose_algorithm(key.algorithm))),
            std::string(name_of(key.state)),
            second_of(key.created_at),
            outlook(key)};
}

std::string counted(std::size_t number, std::string_view noun) {
    return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

void append_affected(Lines& lines, const std::vector<std::string>& names) {
    if (names.empty()) {
        lines.emplace_back("Nobody is known to hold a token of it.");
        return;
    }
    lines.push_back("Its tokens are refused from now on. Who may hold one: " +
                    counted(names.size(), "principal") +
                    ", who get a new one by themselves "
                    "or have to sign in again.");
    for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) {
        lines.push_back("  " + names[i]);
    }
    if (names.size() > most_named) {
        lines.push_back("  and " + std::to_string(names.size() - most_named) + " more");
    }
}

} // namespace

Result<OperatorAnswer> Operations::list_keys(const OperatorRequest& request) {
    const TenantStatePointer state = TRY(find_tenant(request));
    const auto keys = TRY(signing_keys_.list(state->tenant.id));
    std::vector<Lines> rows = {{"KID", "PURPOSE", "ALGORITHM", "STATE", "CREATED", "TIMES"}};
    for (const SigningKey& key : keys) {
        rows.push_back(cells_of(key));
    }
    return OperatorAnswer{true, aligned(rows)};
}

Result<OperatorAnswer> Operations::rotate_keys(const OperatorRequest& request) {
    const TenantStatePointer state = TRY(find_tenant(request));
    const auto pending = TRY(signing_keys_.rotate(state->tenant.id));
    std::vector<Lines> rows;
    rows.reserve(pending.size());
    for (const SigningKey& key : pending) {
        rows.push_back(cells_of(key));
    }
    Lines lines = aligned(rows);
    lines.emplace_back("They are published now and sign once verifiers have had time to see them.");
    return OperatorAnswer{true, std::move(lines)};
}

Result<OperatorAnswer> Operations::burn_key(const OperatorRequest& request) {
    const TenantStatePointer state = TRY(find_tenant(request));
    const std::string kid = TRY(argument(request, "kid"));
    const BurnedKey burned = TRY(signing_keys_.burn(state->tenant.id, kid));
    Lines lines{"signing key " + kid + " is gone"};
    for (const SigningKey& key : burned.successors) {
        lines.push_back("signing key " + key.kid + " is active");
    }
    append_affected(lines, burned.affected);
    lines.emplace_back("Verifiers that hold the old key set accept those tokens until they fetch "
                       "it again, at most " +
                       std::to_string(key_set_max_age_seconds) + " seconds.");
    return OperatorAnswer{true, std::move(lines)};
}

Result<OperatorAnswer> Operations::replace_master_key(const OperatorRequest& request) {
    std::optional<Secret> new_key;
    if (const auto at = request.arguments.find("new-master-key"); at != request.arguments.end()) {
        new_key.emplace(std::string_view(at->second));
    }
    const RekeyOutcome done = TRY(rekey_.run(new_key));
    Lines lines;
    if (done.is_in_force) {
        lines.push_back("the master key " + done.new_id + " is in force, in the place of " +
                        done.old_id);
    } else {
        lines.push_back("the master key " + done.new_id + " is accepted, beside " + done.old_id);
        lines.emplace_back("Put it in the place of the old one and restart the server: then the "
                           "old one is accepted no more.");
    }
    lines.emplace_back("Keep a copy elsewhere. Backups of before need the old key: keep that as "
                       "long as them.");
    return OperatorAnswer{true, std::move(lines)};
}

Result<OperatorAnswer> Operations::check_master_key() {
    const RekeyReport report = TRY(rekey_.check());
    Lines lines = report.problems;
    lines.push_back("master key " + report.in_force + ", from " + rekey_.origin());
    for (const std::string& other : report.accepted) {
        lines.push_back("master key " + other + " is accepted as well");
    }
    lines.push_back("opened: the root key, " + counted(report.signing_keys, "signing key") + ", " +
                    counted(report.secrets, "secret") + " of identity providers");
    return OperatorAnswer{report.problems.empty(), std::move(lines)};
}

} // namespace claviger
