// SPDX-License-Identifier: Apache-2.0
#include "api/client_authentication.h"

#include "api/parameters.h"

namespace claviger {
namespace {

/// Client authentication from the header, if it is of the Basic scheme (RFC 6749 2.3.1).
Result<std::optional<BasicCredentials>> client_in_header(const Context& context) {
    const auto& header = context.request.authorization;
    if (!header || !is_basic(*header)) {
        return std::optional<BasicCredentials>();
    }
    const auto refused = [] {
        return fail(ErrorCode::invalid_client, "The client authentication is malformed.");
    };
    const auto pair = read_basic(*header);
    if (!pair) {
        return refused();
    }
    auto id = decode_form_text(pair->id);
    auto secret = decode_form_text(pair->secret.reveal());
    if (!id || !secret) {
        return refused();
    }
    return std::optional(BasicCredentials{*std::move(id), Secret(*std::move(secret))});
}

} // namespace

Result<Credentials> client_of(const Context& context, const ClientFields& fields,
                              std::optional<BasicCredentials>& basic) {
    if (fields.has_assertion) {
        if (fields.client_secret || context.request.authorization) {
            return fail(ErrorCode::invalid_request, "two client authentication methods");
        }
        return fail(ErrorCode::invalid_client, "Client assertions are not supported.");
    }
    basic = TRY(client_in_header(context));
    if (!basic) {
        if (!fields.client_id || !fields.client_secret) {
            return fail(ErrorCode::invalid_client, "Client authentication is missing.");
        }
        return Credentials{*fields.client_id, *fields.client_secret};
    }
    const bool other_id = fields.client_id && *fields.client_id != basic->id;
    if (fields.client_secret || other_id) {
        return fail(ErrorCode::invalid_request, "two client authentication methods");
    }
    return Credentials{basic->id, basic->secret.reveal()};
}

Result<Principal> authenticate_client(Context& context, const ClientFields& fields) {
    std::optional<BasicCredentials> basic;
    const Credentials client = TRY(client_of(context, fields, basic));
    TRY(check_length({client.id, client.secret}));
    auto checked = context.services.grants.check_client(context.state(), client.id, client.secret,
                                                        context.caller.origin);
    if (checked) {
        return *std::move(checked);
    }
    context.ticket = checked.error().ticket;
    context.retry_after_seconds = checked.error().retry_after_seconds;
    context.refusal = checked.error().refusal;
    return std::unexpected(checked.error().result.error());
}

} // namespace claviger
