// SPDX-License-Identifier: Apache-2.0
#include "auth/audit.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "jose/crypto.h"

namespace claviger {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":";
    append_json_string(out, value);
}

/// Checks that each entry has the next number and the hash that follows from the one before.
class ChainCheck {
public:
    /// `anchor` is the entry before the first.
    explicit ChainCheck(const AuditHead& anchor) : previous_(anchor) {
        report_.removed = anchor.number;
    }
    Result<void> operator()(const AuditEntry& entry) {
        ++report_.entries;
        const bool follows = entry.number == previous_.number + 1 &&
                             entry.hash == chain_hash(previous_.hash, entry.payload);
        if (!follows && !report_.broken_at) {
            report_.broken_at = entry.number;
        }
        previous_ = {entry.number, entry.hash};
        return {};
    }
    /// `head` is what the chain's owner believes to be its last entry.
    ChainReport finish(const AuditHead& head) {
        const bool ends_at_head = head.number == previous_.number && head.hash == previous_.hash;
        if (!ends_at_head && !report_.broken_at) {
            report_.broken_at = previous_.number + 1;
        }
        return report_;
    }

private:
    AuditHead previous_;
    ChainReport report_;
};

Result<ChainReport> verify_chain(AuditSource& source, TenantId tenant) {
    const auto reader = TRY(source.open_audit_reader());
    const AuditHead anchor = TRY(reader->anchor(tenant));
    const AuditHead head = TRY(reader->head(tenant));
    ChainCheck check(anchor);
    // From 1 on: there must be nothing before the anchor.
    TRY(reader->for_each(tenant, 1, std::max(head.number, anchor.number), std::ref(check)));
    return check.finish(head);
}

} // namespace

std::string audit_payload(const AuditEvent& event, std::initializer_list<AuditMetadata> more) {
    std::string out;
    out.reserve(512);
    out += '{';
    append_member(out, "timestamp", as_text(rfc3339_characters(event.at)));
    append_member(out, "tenant_id", std::to_string(number_of(event.tenant)));
    append_member(out, "subject", event.subject);
    append_member(out, "subject_type", event.subject_kind == PrincipalKind::user ? "User" : "App");
    append_member(out, "action", event.action);
    append_member(out, "result", event.succeeded ? "Succeeded" : "Failed");
    out += ",\"http_status_code\":";
    out += std::to_string(event.http_status);
    append_member(out, "source_ip", event.origin.source_ip);
    append_member(out, "http_method", event.origin.method);
    append_member(out, "url", event.origin.path);
    append_member(out, "request_id", event.origin.request_id);
    if (!event.entity_type.empty()) {
        append_member(out, "entity_type", event.entity_type);
        append_member(out, "entity_id", event.entity_id);
        append_member(out, "entity_name", event.entity_name);
    }
    if (!event.cluster_id.empty()) {
        append_member(out, "cluster_id", event.cluster_id);
        append_member(out, "cluster_name", event.cluster_name);
    }
    if (!event.metadata.empty() || more.size() != 0) {
        out += ",\"metadata\":{";
        for (const auto& [name, value] : event.metadata) {
            append_member(out, name, value);
        }
        for (const auto& [name, value] : more) {
            append_member(out, name, value);
        }
        out += '}';
    }
    out += '}';
    return out;
}

Digest chain_hash(const Digest& previous, std::string_view payload) {
    return sha256(previous, as_bytes(payload));
}

Result<void> name_cluster(AuditEvent& event, Transaction& transaction, const ScopeId& place) {
    ScopeId at = place;
    while (at.type > ScopeType::tenant) {
        const auto unit = TRY(transaction.org_units().find(at));
        if (!unit) {
            return {};
        }
        if (at.type == ScopeType::cluster) {
            event.cluster_id = unit->id.value;
            event.cluster_name = unit->name;
        }
        at = unit->parent;
    }
    return {};
}

Result<void> append_change_event(Transaction& transaction, const AuditEvent& event) {
    ChangeEventRows& events = transaction.change_events();
    const AuditHead head = TRY(events.head(event.tenant));
    AuditEntry entry;
    entry.tenant = event.tenant;
    entry.number = head.number + 1;
    entry.at = event.at;
    entry.payload = audit_payload(event);
    entry.hash = chain_hash(head.hash, entry.payload);
    return events.append(entry);
}

Result<AuditReport> verify_audit(AuditSource& changes, AuditSource& accesses, TenantId tenant) {
    AuditReport report;
    report.changes = TRY(verify_chain(changes, tenant));
    report.accesses = TRY(verify_chain(accesses, tenant));
    return report;
}

} // namespace claviger
