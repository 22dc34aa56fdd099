// SPDX-License-Identifier: Apache-2.0
#include "api/client_authentication.h"

#include <algorithm>

#include "api/parameters.h"
#include "auth/names.h"

namespace claviger {
namespace {

bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

/// Why a header is malformed; `pair` is null when it is not even a pair.
Refusal refusal_of(const BasicCredentials* pair) {
    Refusal refusal;
    refusal.reason = RefusalReason::credentials_missing;
    refusal.detail = "the header of the Basic scheme is malformed";
    if (pair != nullptr) {
        refusal.subject.name = shown_name(pair->id);
        if (has_control_characters(pair->id) || has_control_characters(pair->secret.reveal())) {
            refusal.reason = RefusalReason::control_characters;
            const auto stripped = strip_secret(pair->secret.reveal());
            refusal.secret = stripped ? stripped->added : SecretProblem::none;
        }
    }
    return refusal;
}

/// Client authentication from the header, if it is of the Basic scheme (RFC 6749 2.3.1).
Result<std::optional<BasicCredentials>> client_in_header(Context& context) {
    const auto& header = context.request.authorization;
    if (!header || !is_basic(*header)) {
        return std::optional<BasicCredentials>();
    }
    const auto refused = [&](const BasicCredentials* pair) {
        context.refusal = refusal_of(pair);
        return fail(ErrorCode::invalid_client, "The client authentication is malformed.");
    };
    const auto pair = read_basic(*header);
    if (!pair) {
        return refused(nullptr);
    }
    auto id = decode_form_text(pair->id);
    auto secret = decode_form_text(pair->secret.reveal());
    if (!id || !secret) {
        return refused(&*pair);
    }
    return std::optional(BasicCredentials{*std::move(id), Secret(*std::move(secret))});
}

} // namespace

Result<Credentials> client_of(Context& context, const ClientFields& fields,
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
