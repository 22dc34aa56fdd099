// SPDX-License-Identifier: Apache-2.0
#include "auth/security_event.h"

#include <array>

#include "auth/signed_statement.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::string_view event_prefix = "urn:claviger:event:";
constexpr std::size_t remembered_events = 64; // a thread's readers are close to one another

std::string_view event_of(RevocationKind kind) {
    static constexpr std::array<std::string_view, 8> names{
        "token-revoked",  "session-revoked",      "key-revoked",   "principal-revoked",
        "tenant-revoked", "signing-keys-changed", "rules-changed", "secret-revoked"};
    return names[static_cast<std::size_t>(kind)];
}

void append_member(std::string& out, std::string_view name) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":";
}
void append_text(std::string& out, std::string_view name, std::string_view value) {
    append_member(out, name);
    append_json_string(out, value);
}
void append_number(std::string& out, std::string_view name, std::int64_t value) {
    append_member(out, name);
    out += std::to_string(value);
}

void append_epoch(std::string& out, const Revocation& revocation) {
    append_number(out, "epoch", revocation.epoch);
    append_member(out, "active");
    out += revocation.active ? "true" : "false";
}

/// The members that say what has ended.
void append_content(std::string& out, const Revocation& revocation) {
    switch (revocation.kind) {
    case RevocationKind::token:
        append_text(out, claim::token_id, revocation.name);
        break;
    case RevocationKind::session:
        append_text(out, claim::session, as_text(revocation.id.characters()));
        break;
    case RevocationKind::access_key:
        append_text(out, claim::client_id, revocation.name);
        append_epoch(out, revocation);
        break;
    case RevocationKind::principal:
        append_text(out, claim::subject, revocation.name);
        append_epoch(out, revocation);
        break;
    case RevocationKind::tenant:
        append_number(out, "not_before", first_good_second(revocation.at));
        break;
    case RevocationKind::signing_keys:
        append_text(out, "kid", revocation.name);
        append_member(out, "burned");
        out += revocation.active ? "false" : "true";
        break;
    case RevocationKind::secret:
        append_text(out, claim::client_id, revocation.name);
        append_number(out, "secret", revocation.epoch);
        break;
    case RevocationKind::rules:
        append_number(out, "revision", static_cast<std::int64_t>(revocation.number));
        break;
    }
    append_number(out, "until", revocation.expires_at.seconds() + 1);
}

/// The texts that this thread has signed last.
struct Remembered {
    TenantId tenant{};
    std::uint64_t number = 0; // 0: free
    std::uint32_t key_ring_serial = 0;
    std::string text;
};

} // namespace

Result<std::string> sign_revocation(const TenantState& state, const TokenSettings& settings,
                                    const Revocation& revocation, Timestamp now) {
    static thread_local std::array<Remembered, remembered_events> signed_events;
    Remembered& slot = signed_events[revocation.number % remembered_events];
    if (slot.number == revocation.number && slot.tenant == revocation.tenant &&
        slot.key_ring_serial == state.keys.serial()) {
        return slot.text;
    }
    const std::string token_id = "revocation-" + std::to_string(revocation.number);
    JwtBuilder builder = TRY(begin_statement(
        state, settings,
        {security_event_type, revocation_audience, token_id, revocation.at.seconds()}, now));
    std::string events = "{\"" + std::string(event_prefix);
    events += event_of(revocation.kind);
    events += "\":{";
    append_content(events, revocation);
    events += "}}";
    builder.add(claim::number, static_cast<std::int64_t>(revocation.number))
        .add_json(claim::events, events);
    slot = {revocation.tenant, revocation.number, state.keys.serial(), builder.sign()};
    return slot.text;
}

Result<std::string> sign_snapshot_part(const TenantState& state, const TokenSettings& settings,
                                       const SnapshotPart& part, Timestamp now) {
    std::string events = "{\"" + std::string(event_prefix) + "snapshot\":{\"revocations\":[";
    for (const Revocation& revocation : part.revocations) {
        events += events.back() == '[' ? "{" : ",{";
        std::string name(event_prefix);
        name += event_of(revocation.kind);
        append_text(events, "event", name);
        append_content(events, revocation);
        events += '}';
    }
    events += "]}}";
    const std::string token_id =
        "snapshot-" + std::to_string(part.number) + "-" + std::to_string(part.part);
    JwtBuilder builder = TRY(begin_statement(
        state, settings, {security_event_type, revocation_audience, token_id, now.seconds()}, now));
    builder.add(claim::number, static_cast<std::int64_t>(part.number))
        .add(claim::part, part.part)
        .add_json(claim::is_last, part.is_last ? "true" : "false")
        .add_json(claim::events, events);
    return builder.sign();
}

} // namespace claviger
