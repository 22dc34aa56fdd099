// SPDX-License-Identifier: Apache-2.0
#include "api/diagnosis_view.h"

#include <algorithm>
#include <array>

#include "access/explain.h"
#include "auth/rights.h"

namespace claviger {
namespace {

std::string_view phrase_of(DecisionReason reason) {
    static constexpr std::array<std::string_view, 7> phrases{
        "it does",
        "it has no access rule",
        "none of its access rules there gives it",
        "its access rules give it elsewhere only",
        "its access rules are elsewhere, and do not give it either",
        "the ceiling of the key does not allow it",
        "the token was narrowed"};
    return phrases[static_cast<std::size_t>(reason)];
}

std::string_view kind_of(const RefusedSubject& subject) {
    if (subject.access_key) {
        return "access key";
    }
    return subject.kind == PrincipalKind::user ? "user" : "service account";
}

/// A diagnosis beside the state that its names and rules are read from.
class Explanation {
public:
    Explanation(const Diagnosis& diagnosis, const TenantState& state, Disclosure disclosure)
        : diagnosis_(diagnosis), refusal_(diagnosis.refusal), state_(state),
          disclosure_(disclosure) {
        if (refusal_.scope) {
            node_ = access().find(*refusal_.scope);
        }
    }

    DiagnosisView make() const {
        DiagnosisView view;
        const RefusedRequest& request = diagnosis_.request;
        view.request_id = request.id;
        view.at = request.at;
        view.operation = std::string(request.method) + " " + std::string(request.path);
        if (!refusal_.grant.empty()) {
            view.grant_type = std::string(refusal_.grant);
        }
        view.subject = subject();
        view.source_ip = diagnosis_.source_ip;
        view.is_behind_trusted_proxy = request.is_behind_proxy;
        view.status = request.status;
        view.reason = {refusal_.reason};
        view.message = filled(text_of(refusal_.reason).message);
        view.hint = hint();
        add_facts(view);
        if (refusal_.permission) {
            add_permission(view, *refusal_.permission);
        }
        return view;
    }

private:
    const AccessSnapshot& access() const { return state_.access; }
    bool is_for_administrator() const { return disclosure_ == Disclosure::administrator; }

    std::optional<DiagnosisSubject> subject() const {
        const RefusedSubject& of = refusal_.subject;
        if (!of.id) {
            return of.name.empty() ? std::nullopt
                                   : std::optional(DiagnosisSubject{{}, {}, of.name, std::nullopt});
        }
        const bool is_user = of.kind == PrincipalKind::user;
        DiagnosisSubject view;
        view.type = {is_user ? SubjectType::user : SubjectType::service_account};
        view.id = of.id;
        const auto principal = this->principal();
        view.name = principal ? principal->name : "(deleted)";
        if (of.access_key) {
            const AccessKeyEntry* key = state_.access_keys.find(*of.access_key);
            view.client_id = key == nullptr ? std::nullopt : std::optional(key->client_id);
        }
        return view;
    }

    /// Whom the refusal is about, if it is still there; without limits.
    std::optional<Principal> principal() const {
        const RefusedSubject& of = refusal_.subject;
        if (of.kind == PrincipalKind::user) {
            const User* user = of.id ? state_.users.find(*of.id) : nullptr;
            return user == nullptr
                       ? std::nullopt
                       : std::optional(Principal{of.kind, *of.id, user->email, user->groups});
        }
        const AccountEntry* account = of.id ? state_.accounts.find(*of.id) : nullptr;
        return account == nullptr ? std::nullopt
                                  : std::optional(Principal{of.kind, *of.id, account->name});
    }

    std::int64_t seconds_off() const {
        const std::int64_t when = refusal_.when ? refusal_.when->seconds() : 0;
        const std::int64_t now = diagnosis_.request.at.seconds();
        return when > now ? when - now : now - when;
    }

    std::string fact(std::string_view name) const {
        const auto when = refusal_.when.value_or(Timestamp{});
        if (name == "when") {
            return format_rfc3339(when);
        }
        if (name == "seconds") {
            return std::to_string(seconds_off());
        }
        if (name == "wait") {
            return std::to_string(refusal_.retry_after_seconds);
        }
        if (name == "address") {
            return diagnosis_.source_ip;
        }
        if (name == "proxy") {
            return diagnosis_.request.is_behind_proxy
                       ? "a trusted proxy named it"
                       : "it is that of the connection, which no trusted proxy made";
        }
        if (name == "kind") {
            return std::string(kind_of(refusal_.subject));
        }
        if (name == "permission") {
            return refusal_.permission ? text_of(*refusal_.permission) : "the permission";
        }
        if (name == "scope") {
            return scope_phrase();
        }
        if (name == "decision") {
            return std::string(phrase_of(refusal_.decision.value_or(DecisionReason::no_rule)));
        }
        // Of a sentence: its end is that of the sentence around it.
        const std::string_view detail = refusal_.detail;
        return std::string(detail.substr(0, detail.find_last_not_of('.') + 1));
    }

    std::string scope_phrase() const {
        if (!refusal_.scope) {
            return "at any scope";
        }
        const std::string at =
            "at " + std::string(name_of(refusal_.scope->type)) + " " + refusal_.scope->value;
        return is_for_administrator() && node_ ? at + " (" + access().path(*node_) + ")" : at;
    }

    /// With facts in the place of their names in braces.
    std::string filled(std::string_view text) const {
        std::string out;
        while (!text.empty()) {
            const std::size_t open = text.find('{');
            out += text.substr(0, open);
            if (open == std::string_view::npos) {
                break;
            }
            const std::size_t close = text.find('}', open);
            out += fact(text.substr(open + 1, close - open - 1));
            text.remove_prefix(close + 1);
        }
        return out;
    }

    std::string hint() const {
        const std::string_view of_secret = hint_of(refusal_.secret);
        std::string text = of_secret.empty() || refusal_.reason != RefusalReason::wrong_secret
                               ? filled(text_of(refusal_.reason).hint)
                               : std::string(of_secret);
        if (refusal_.reason == RefusalReason::permission_missing && refusal_.limit) {
            text += *refusal_.limit == LimitSource::key
                        ? " That alone does not help: the ceiling of the key does not allow it "
                          "either."
                        : " That alone does not help: the token was narrowed and does not allow it "
                          "either.";
        }
        return text;
    }

    void add_facts(DiagnosisView& view) const {
        if (!refusal_.detail.empty()) {
            view.detail = refusal_.detail;
        }
        if (refusal_.secret != SecretProblem::none) {
            view.secret_problem = {refusal_.secret};
        }
        if (refusal_.retry_after_seconds > 0) {
            view.retry_after_seconds = refusal_.retry_after_seconds;
        }
        if (!refusal_.when) {
            return;
        }
        view.seconds_off = seconds_off();
        if (refusal_.reason == RefusalReason::token_from_the_future) {
            view.issued_at = refusal_.when;
        } else if (refusal_.reason == RefusalReason::token_not_valid_yet) {
            view.valid_from = refusal_.when;
        } else if (refusal_.reason == RefusalReason::secret_retired) {
            view.retired_at = refusal_.when;
        } else {
            view.expired_at = refusal_.when;
        }
    }

    void add_permission(DiagnosisView& view, Permission permission) const {
        view.missing_permission = text_of(permission);
        if (refusal_.scope) {
            view.scope = node_ ? scope_view(access(), *node_, is_for_administrator())
                               : ScopeView{{refusal_.scope->type}, refusal_.scope->value, {}};
        }
        const bool is_gone = refusal_.scope && !node_;
        const auto principal = this->principal();
        if (!principal || is_gone) {
            return;
        }
        const Rights rights = rights_of(*principal);
        const PermissionSet held = node_ ? permissions_at(access(), rights.holder(), *node_)
                                         : permissions_anywhere(access(), rights.holder());
        view.is_permitted_now = held.contains(permission);
        view.held_there = held_of_the_type(held, permission);
        view.held_at = nearest(permitted_scopes(access(), rights.holder(), permission));
        if (is_for_administrator()) {
            view.smallest_grants = suggestions(permission, held);
        }
    }

    std::vector<ScopeView> nearest(std::vector<NodeIndex> scopes) const {
        if (node_) {
            std::ranges::stable_sort(
                scopes, {}, [&](NodeIndex scope) { return distance(access(), *node_, scope); });
        }
        return scope_views(access(), scopes, is_for_administrator());
    }

    /// Nothing where no rule helps.
    std::vector<SmallestGrantView> suggestions(Permission permission,
                                               const PermissionSet& held) const {
        if (refusal_.reason != RefusalReason::permission_missing || held.contains(permission)) {
            return {};
        }
        const auto grants = smallest_grants(access(), permission, node_.value_or(access().root()));
        auto views = grant_views(access(), grants, permission, held);
        for (SmallestGrantView& view : views) {
            if (!node_) { // any scope helps
                view.scope_type.reset();
                view.scope_id.reset();
            }
        }
        return views;
    }

    const Diagnosis& diagnosis_;
    const Refusal& refusal_;
    const TenantState& state_;
    Disclosure disclosure_;
    std::optional<NodeIndex> node_; // of the scope, if it is still there
};

} // namespace

Result<RefusalReasonText> RefusalReasonText::decode(std::string_view) {
    return fail(ErrorCode::internal, "reasons are not read from requests");
}

json::object RefusalReasonText::schema() {
    json::array names;
    for (std::size_t i = 0; i < refusal_reason_count; ++i) {
        names.emplace_back(text_of(static_cast<RefusalReason>(i)).name);
    }
    return {{"type", "string"}, {"enum", std::move(names)}};
}

Result<SecretProblemText> SecretProblemText::decode(std::string_view) {
    return fail(ErrorCode::internal, "problems of secrets are not read from requests");
}

json::object SecretProblemText::schema() {
    json::array names;
    for (std::size_t i = 1; i < secret_problem_count; ++i) {
        names.emplace_back(name_of(static_cast<SecretProblem>(i)));
    }
    return {{"type", "string"}, {"enum", std::move(names)}};
}

DiagnosisView view_of(const Diagnosis& diagnosis, const TenantState& state, Disclosure disclosure) {
    return Explanation(diagnosis, state, disclosure).make();
}

} // namespace claviger
