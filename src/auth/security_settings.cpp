// SPDX-License-Identifier: Apache-2.0
#include "auth/security_settings.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "auth/web_address.h"
#include "base/strict_json.h"

namespace claviger {
namespace {

namespace json = boost::json;

constexpr const char* entity = "security-settings";
constexpr double longest_idle_minutes = 7 * 24 * 60;

/// Members that are not ours to know stay as they are.
json::object read_object(const TenantSettings& row) {
    const auto value = parse_strict_json(row.values, {});
    return value && value->is_object() ? value->get_object() : json::object();
}

template <class T>
json::value value_or_null(const std::optional<T>& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

/// Nothing when the member is null, `otherwise` when it is missing or of another type.
template <class T>
std::optional<T> read_member(const json::object& object, std::string_view name,
                             const std::optional<T>& otherwise) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr) {
        return otherwise;
    }
    if (value->is_null()) {
        return std::nullopt;
    }
    const auto read = json::try_value_to<T>(*value);
    return read ? std::optional<T>(*read) : otherwise;
}

void write_values(const SecurityValues& values, TenantSettings& row) {
    json::object object = read_object(row);
    object["autoRedirectEnabled"] = value_or_null(values.auto_redirect.enabled);
    object["autoRedirectAlias"] = value_or_null(values.auto_redirect.alias);
    object["idleTimeoutMinutes"] = value_or_null(values.idle_timeout_minutes);
    object["logoutRedirectUri"] = value_or_null(values.logout_redirect_uri);
    row.values = json::serialize(object);
}

Result<TenantSettings> find_row(Transaction& transaction, TenantId tenant) {
    const auto found = TRY(transaction.tenant_settings().find(tenant));
    TenantSettings row = found.value_or(TenantSettings{});
    row.tenant = tenant;
    return row;
}

bool is_alias(std::string_view text) {
    return text.size() <= 255 && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
}

} // namespace

SecurityValues security_values_of(const TenantSettings& row) {
    const json::object object = read_object(row);
    SecurityValues values;
    values.auto_redirect.enabled =
        read_member(object, "autoRedirectEnabled", values.auto_redirect.enabled);
    values.auto_redirect.alias =
        read_member(object, "autoRedirectAlias", values.auto_redirect.alias);
    values.idle_timeout_minutes =
        read_member(object, "idleTimeoutMinutes", values.idle_timeout_minutes);
    values.logout_redirect_uri =
        read_member(object, "logoutRedirectUri", values.logout_redirect_uri);
    return values;
}

Result<void> stop_redirect_to(Transaction& transaction, TenantId tenant, std::string_view alias,
                              Timestamp now) {
    TenantSettings row = TRY(find_row(transaction, tenant));
    SecurityValues values = security_values_of(row);
    if (values.auto_redirect.alias != alias) {
        return {};
    }
    values.auto_redirect = {};
    write_values(values, row);
    row.updated_at = now;
    return transaction.tenant_settings().put(row);
}

SecuritySettings::SecuritySettings(Store& store, const Clock& clock)
    : store_(store), clock_(clock) {}

Result<void> SecuritySettings::change(const Caller& caller, std::string_view key,
                                      const Change& change) {
    const Timestamp now = clock_.now();
    return store_.write([&](Transaction& transaction) -> Result<void> {
        TenantSettings row = TRY(find_row(transaction, caller.tenant()));
        SecurityValues values = security_values_of(row);
        TRY(change(transaction, values));
        write_values(values, row);
        row.updated_at = now;
        TRY(transaction.tenant_settings().put(row));
        return append_change_event(transaction,
                                   change_event(caller, now, audit_action::update, entity,
                                                std::string(key), std::string(key)));
    });
}

Result<void> SecuritySettings::set_auto_redirect(const Caller& caller, const AutoRedirect& value) {
    const std::string alias = value.alias.value_or("");
    if (!is_alias(alias)) {
        return fail(ErrorCode::invalid_request,
                    "idpAlias must be lower-case letters, digits, - and _");
    }
    return change(caller, "autoRedirectSSO",
                  [&](Transaction& transaction, SecurityValues& values) -> Result<void> {
                      if (value.enabled.value_or(false) && !alias.empty()) {
                          const auto provider =
                              TRY(transaction.identity_providers().find(caller.tenant(), alias));
                          if (!provider) {
                              return fail(ErrorCode::invalid_request,
                                          "no identity provider has this idpAlias");
                          }
                      }
                      values.auto_redirect = value;
                      return {};
                  });
}

Result<void> SecuritySettings::set_idle_timeout(const Caller& caller,
                                                std::optional<double> minutes) {
    if (minutes && (!std::isfinite(*minutes) || *minutes < 1 || *minutes > longest_idle_minutes)) {
        return fail(ErrorCode::invalid_request, "idleTimeout must be 1 to 10080 minutes");
    }
    return change(caller, "browserSessionTimeout",
                  [&](Transaction&, SecurityValues& values) -> Result<void> {
                      values.idle_timeout_minutes = minutes;
                      return {};
                  });
}

Result<void> SecuritySettings::set_logout_redirect_uri(const Caller& caller,
                                                       std::optional<std::string> uri) {
    if (uri && !uri->empty()) {
        TRY(check_web_address(*uri, "uri"));
    }
    return change(caller, "logoutRedirectUri",
                  [&](Transaction&, SecurityValues& values) -> Result<void> {
                      values.logout_redirect_uri = uri;
                      return {};
                  });
}

} // namespace claviger
