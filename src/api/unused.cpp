// SPDX-License-Identifier: Apache-2.0
// Keys that nobody uses, and access rules that gave nothing that was used.
#include "api/access_rule_fields.h"
#include "api/day_text.h"
#include "api/resources.h"
#include "api/rule_selection.h"
#include "api/usage_window.h"
#include "auth/usage_reports.h"

namespace claviger {
namespace {

struct UnusedRequest : ListRequest {
    std::optional<std::int32_t> days;
};
BOOST_DESCRIBE_STRUCT(UnusedRequest, (),
                      (days, limit, offset, sort_order, sort_by, filter_by, search))

// --- keys ---------------------------------------------------------------------------------------

struct UnusedKeyView {
    std::string type; // "service-account" or "access-key"
    std::string id, name, client_id;
    std::optional<std::string> created_by; // the owner of an access key
    Timestamp created_at;
    Nullable<Timestamp> last_login;
    Nullable<DayText> last_used;
};
BOOST_DESCRIBE_STRUCT(UnusedKeyView, (),
                      (type, id, name, client_id, created_by, created_at, last_login, last_used))

struct UnusedKeysResponse {
    std::int64_t total_records = 0, display_records = 0;
    std::int32_t days = 0;
    DayText recorded_since;
    std::vector<UnusedKeyView> keys;
};
BOOST_DESCRIBE_STRUCT(UnusedKeysResponse, (),
                      (total_records, display_records, days, recorded_since, keys))

/// A key while the list is walked; it looks into the state of the request.
struct ListedKey {
    CredentialKind kind = CredentialKind::service_account;
    Uuid id;
    std::string_view name;
    std::string_view client_id;
    const User* owner = nullptr;
    Timestamp created_at;
    std::optional<Timestamp> last_login;
    std::optional<Day> last_used;

    std::string_view type() const {
        return kind == CredentialKind::service_account ? "service-account" : "access-key";
    }
    UnusedKeyView view() const {
        UnusedKeyView view{
            std::string(type()), id.text(),  std::string(name), std::string(client_id),
            std::nullopt,        created_at, {last_login},      {}};
        if (owner != nullptr) {
            view.created_by = owner->email;
        }
        if (last_used) {
            view.last_used = {DayText{*last_used}};
        }
        return view;
    }
};

const std::vector<ListField<ListedKey>>& key_fields() {
    static const std::vector<ListField<ListedKey>> fields{
        {"type", FieldKind::text, [](const ListedKey& key) { return std::string(key.type()); }},
        {"name", FieldKind::text, [](const ListedKey& key) { return std::string(key.name); }},
        {"clientId", FieldKind::text,
         [](const ListedKey& key) { return std::string(key.client_id); }},
        {"createdBy", FieldKind::text,
         [](const ListedKey& key) {
             return key.owner == nullptr ? std::string() : key.owner->email;
         }},
        {"createdAt", FieldKind::time, nullptr,
         [](const ListedKey& key) { return std::optional(key.created_at.microseconds); }},
        {"lastLogin", FieldKind::time, nullptr,
         [](const ListedKey& key) {
             return key.last_login ? std::optional(key.last_login->microseconds) : std::nullopt;
         }},
    };
    return fields;
}

bool key_found(const ListedKey& key, std::string_view search) {
    return contains_ignoring_case(key.name, search) ||
           contains_ignoring_case(key.client_id, search);
}

/// The oldest first, unless another order is asked for.
using KeyWalk = PageWalk<ListedKey, std::pair<Timestamp, Uuid>>;

/// Lets the keys that the caller may list pass by: service accounts and everybody's access keys
/// for who may list them, the own ones for all.
class UnusedKeys {
public:
    UnusedKeys(const Context& context, const UsageWindow& window, LastUses last_uses, KeyWalk& walk)
        : context_(context), window_(window), last_uses_(std::move(last_uses)), walk_(walk) {}

    void offer_all() {
        const TenantState& state = context_.state();
        if (may_list("service-account")) {
            state.accounts.for_each([&](const AccountEntry& entry) {
                offer({CredentialKind::service_account,
                       entry.id,
                       entry.name,
                       entry.name,
                       nullptr,
                       entry.created_at,
                       entry.last_login,
                       {}});
            });
        }
        const auto offer_key = [&](const AccessKeyEntry& key) {
            offer({CredentialKind::access_key,
                   key.id.value,
                   key.name,
                   key.client_id,
                   state.users.find(key.user),
                   key.created_at,
                   key.last_login,
                   {}});
        };
        if (may_list("access-keys")) {
            state.access_keys.for_each(offer_key);
        } else if (context_.caller.principal.kind == PrincipalKind::user) {
            state.access_keys.for_each_of(context_.caller.principal.id, offer_key);
        }
    }

private:
    bool may_list(std::string_view type) const {
        return context_.may_use({*find_resource_type(type), Action::read},
                                context_.access().root());
    }

    void offer(ListedKey key) {
        if (key.created_at > window_.begin) {
            return;
        }
        key.last_login = context_.services.last_logins.latest(key.id, key.last_login);
        key.last_used = last_uses_.find({key.kind, key.id});
        const bool is_used = (key.last_login && *key.last_login > window_.begin) ||
                             (key.last_used && *key.last_used >= window_.first);
        if (!is_used) {
            walk_.offer({key.created_at, key.id}, key);
        }
    }

    const Context& context_;
    const UsageWindow& window_;
    LastUses last_uses_;
    KeyWalk& walk_;
};

Result<UnusedKeysResponse> list_unused_keys(Context& context, const UnusedRequest& request) {
    const UsageWindow window = TRY(usage_window(context, request.days));
    const Page page = TRY(page_of(request));
    auto walk = TRY(KeyWalk::begin(request, page, key_fields(), key_found));
    Usage& usage = context.services.usage;
    LastUses last_uses = TRY(LastUses::read(usage, context.caller.tenant()));
    const auto numbers = TRY(usage.numbers());
    UnusedKeys(context, window, std::move(last_uses), walk).offer_all();
    UnusedKeysResponse answer;
    answer.days = window.days;
    answer.recorded_since = {numbers->since()};
    answer.total_records = static_cast<std::int64_t>(walk.total());
    for (const ListedKey& key : walk.rows()) {
        answer.keys.push_back(key.view());
    }
    answer.display_records = static_cast<std::int64_t>(answer.keys.size());
    return answer;
}

// --- rules --------------------------------------------------------------------------------------

struct UnusedRulesResponse {
    std::int64_t total_records = 0, display_records = 0;
    std::int32_t days = 0;
    DayText recorded_since;
    bool is_complete = false; // false: nothing is listed, as part of the days was not recorded
    std::vector<AccessRuleView> access_rules;
};
BOOST_DESCRIBE_STRUCT(UnusedRulesResponse, (),
                      (total_records, display_records, days, recorded_since, is_complete,
                       access_rules))

Result<UnusedRulesResponse> list_unused_rules(Context& context, const UnusedRequest& request) {
    const UsageWindow window = TRY(usage_window(context, request.days));
    const Page page = TRY(page_of(request));
    using Walk = PageWalk<ListedRule, std::int32_t, PageKeeps::positions>;
    AccessRulesRequest asked;
    static_cast<ListRequest&>(asked) = request;
    RuleSelection selection = TRY(RuleSelection::begin(context, asked));
    auto walk = TRY(Walk::begin(order_of(request), page, access_rule_fields(), nullptr));
    Usage& usage = context.services.usage;
    const auto numbers = TRY(usage.numbers());
    UnusedRulesResponse answer;
    answer.days = window.days;
    answer.recorded_since = {numbers->since()};
    answer.is_complete = numbers->since() < window.first; // recording began in mid-day
    if (answer.is_complete) {
        const ExercisedRules exercised =
            TRY(ExercisedRules::read(usage, context.state(), window.first));
        selection.for_each_live([&](const ListedRule& row) {
            if (row.rule.created_at <= window.begin && !exercised.contains(row.rule)) {
                walk.offer(row.rule.number, row);
            }
        });
    }
    answer.total_records = static_cast<std::int64_t>(walk.total());
    for (const std::int32_t number : walk.positions()) {
        const auto rule = context.access().rule({context.caller.tenant(), number});
        answer.access_rules.push_back(access_rule_view(context.state(), *rule));
    }
    answer.display_records = static_cast<std::int64_t>(answer.access_rules.size());
    return answer;
}

} // namespace

Routes unused_routes() {
    return {
        route<list_unused_keys>({.method = HttpMethod::get,
                                 .path = "/api/v1/usage/unused-keys",
                                 .id = "listUnusedKeys",
                                 .tag = "usage",
                                 .summary = "List the keys that were not used for so many days, of "
                                            "those that the caller may list",
                                 .access = Access::authenticated()}),
        route<list_unused_rules>(
            {.method = HttpMethod::get,
             .path = "/api/v1/usage/unused-rules",
             .id = "listUnusedRules",
             .tag = "usage",
             .summary = "List the access rules within reach that gave nothing that was used for "
                        "so many days",
             .access = may_access_rules(Action::read, EvaluatedAt::anywhere)}),
    };
}

} // namespace claviger
