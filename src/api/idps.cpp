// SPDX-License-Identifier: Apache-2.0
// Identity providers (contract 2.10).
#include "api/resources.h"
#include "auth/identity_providers.h"

namespace claviger {
namespace {

struct IdpTypeText {
    IdentityProviderType value = IdentityProviderType::oidc;

    static constexpr std::array<std::pair<std::string_view, IdentityProviderType>, 3> names{
        {{"oidc", IdentityProviderType::oidc},
         {"saml", IdentityProviderType::saml},
         {"openshift-v4", IdentityProviderType::openshift_v4}}};

    static Result<IdpTypeText> decode(std::string_view text) {
        for (const auto& [name, type] : names) {
            if (name == text) {
                return IdpTypeText{type};
            }
        }
        return fail(ErrorCode::invalid_request, "must be oidc, saml or openshift-v4");
    }
    std::string wire() const {
        for (const auto& [name, type] : names) {
            if (type == value) {
                return std::string(name);
            }
        }
        return {};
    }
    static json::object schema() {
        json::array all;
        for (const auto& [name, type] : names) {
            all.emplace_back(name);
        }
        return {{"type", "string"}, {"enum", std::move(all)}};
    }
};

// --- the wire's words ---------------------------------------------------------------------------

struct MandatoryClaimFields {
    std::string claim;
    std::vector<std::string> values;
};
BOOST_DESCRIBE_STRUCT(MandatoryClaimFields, (), (claim, values))

struct MapperFields {
    std::optional<std::string> gid, uid, groups, supplementary_groups, email, first_name, last_name;

    IdentityProviderMappers mappers() const {
        return {gid, uid, groups, supplementary_groups, email, first_name, last_name};
    }
    static MapperFields of(const IdentityProvider& row) {
        const IdentityProviderMappers kept = mappers_of(row);
        return {kept.gid,   kept.uid,        kept.groups,   kept.supplementary_groups,
                kept.email, kept.first_name, kept.last_name};
    }
};
BOOST_DESCRIBE_STRUCT(MapperFields, (),
                      (gid, uid, groups, supplementary_groups, email, first_name, last_name))

// --- requests -----------------------------------------------------------------------------------

struct SamlFields {
    std::optional<std::string> metadata_xml_url, metadata_xml_file, file_name, metadata_xml_type,
        entity_id;
};
BOOST_DESCRIBE_STRUCT(SamlFields, (),
                      (metadata_xml_url, metadata_xml_file, file_name, metadata_xml_type,
                       entity_id))

struct OidcFields {
    std::string client_id;
    std::string_view client_secret; // stays where the body lies, which is wiped
    std::string discover_document_url;
    std::optional<std::vector<std::string>> scopes;
    std::optional<MandatoryClaimFields> mandatory_claim;
};
BOOST_DESCRIBE_STRUCT(OidcFields, (),
                      (client_id, client_secret, discover_document_url, scopes, mandatory_claim))

struct OcpFields {
    std::optional<std::string> client_id;
    std::string_view client_secret;
    std::string idp_base_url;
    std::optional<std::vector<std::string>> scopes;
};
BOOST_DESCRIBE_STRUCT(OcpFields, (), (client_id, client_secret, idp_base_url, scopes))

std::unexpected<Error> missing(std::string_view member) {
    return fail(ErrorCode::invalid_request,
                "Required parameter is missing: " + std::string(member));
}

Result<void> take(const SamlFields& fields, IdentityProviderDraft& draft) {
    const std::string type =
        fields.metadata_xml_type.value_or(fields.metadata_xml_url ? "url" : "file");
    if (type != "url" && type != "file") {
        return fail(ErrorCode::invalid_request, "metadataXmlType must be url or file");
    }
    draft.settings.entity_id = fields.entity_id.value_or("");
    if (type == "url") {
        draft.settings.address = fields.metadata_xml_url.value_or("");
        return draft.settings.address.empty() ? missing("metadataXmlUrl") : Result<void>{};
    }
    draft.settings.metadata = fields.metadata_xml_file.value_or("");
    draft.settings.file_name = fields.file_name.value_or("");
    return {};
}

void take(const OidcFields& fields, IdentityProviderDraft& draft) {
    draft.settings.client_id = fields.client_id;
    draft.settings.address = fields.discover_document_url;
    draft.settings.scopes = fields.scopes.value_or(std::vector<std::string>());
    if (fields.mandatory_claim) {
        draft.settings.mandatory_claim =
            MandatoryClaim{fields.mandatory_claim->claim, fields.mandatory_claim->values};
    }
    draft.secret = fields.client_secret;
}

void take(const OcpFields& fields, IdentityProviderDraft& draft) {
    draft.settings.client_id = fields.client_id.value_or("");
    draft.settings.address = fields.idp_base_url;
    draft.settings.scopes = fields.scopes.value_or(std::vector<std::string>());
    draft.secret = fields.client_secret;
}

struct IdpFields {
    std::optional<std::string> name;
    IdpTypeText type;
    std::optional<SamlFields> saml_data;
    std::optional<OidcFields> oidc_data;
    std::optional<OcpFields> ocp_data;
    std::optional<MapperFields> mappers;

    /// Of the data objects, the one of the type counts.
    Result<IdentityProviderDraft> draft() const {
        IdentityProviderDraft draft;
        draft.type = type.value;
        draft.name = name;
        if (mappers) {
            draft.mappers = mappers->mappers();
        }
        if (type.value == IdentityProviderType::saml) {
            TRY(saml_data ? take(*saml_data, draft) : missing("samlData"));
        } else if (type.value == IdentityProviderType::oidc) {
            if (!oidc_data) {
                return missing("oidcData");
            }
            take(*oidc_data, draft);
        } else {
            if (!ocp_data) {
                return missing("ocpData");
            }
            take(*ocp_data, draft);
        }
        return draft;
    }
};
BOOST_DESCRIBE_STRUCT(IdpFields, (), (name, type, saml_data, oidc_data, ocp_data, mappers))

struct IdpAlias {
    std::string alias;
};
BOOST_DESCRIBE_STRUCT(IdpAlias, (), (alias))

Result<IdpAlias> create_idp(Context& context, const IdpFields& request) {
    const IdentityProviderDraft draft = TRY(request.draft());
    std::string alias = TRY(context.services.identity_providers.create(context.caller, draft));
    return IdpAlias{std::move(alias)};
}

struct IdpRequest {
    std::string idp;
};
BOOST_DESCRIBE_STRUCT(IdpRequest, (), (idp))

struct IdpUpdateRequest : IdpRequest, IdpFields {};
BOOST_DESCRIBE_STRUCT(IdpUpdateRequest, (),
                      (idp, name, type, saml_data, oidc_data, ocp_data, mappers))

Result<Empty> update_idp(Context& context, const IdpUpdateRequest& request) {
    IdentityProviderDraft draft = TRY(request.draft());
    TRY(context.services.identity_providers.update(context.caller, request.idp, std::move(draft)));
    return Empty{};
}

Result<Empty> delete_idp(Context& context, const IdpRequest& request) {
    TRY(context.services.identity_providers.remove(context.caller, request.idp));
    return Empty{};
}

struct IdpMappersRequest : IdpRequest, MapperFields {};
BOOST_DESCRIBE_STRUCT(IdpMappersRequest, (),
                      (idp, gid, uid, groups, supplementary_groups, email, first_name, last_name))

Result<Empty> update_idp_mappers(Context& context, const IdpMappersRequest& request) {
    TRY(context.services.identity_providers.update_mappers(context.caller, request.idp,
                                                           request.mappers()));
    return Empty{};
}

// --- answers ------------------------------------------------------------------------------------

struct SamlView {
    std::string entity_id, service_provider_metadata_url, metadata_xml_type;
    std::optional<std::string> metadata_xml_url, file_name;
};
BOOST_DESCRIBE_STRUCT(SamlView, (),
                      (entity_id, service_provider_metadata_url, metadata_xml_type,
                       metadata_xml_url, file_name))

struct OidcView {
    std::string client_id, client_secret, discover_document_url;
    std::vector<std::string> scopes;
    std::optional<MandatoryClaimFields> mandatory_claim;
};
BOOST_DESCRIBE_STRUCT(OidcView, (),
                      (client_id, client_secret, discover_document_url, scopes, mandatory_claim))

struct OcpView {
    std::string client_id, client_secret, idp_base_url;
    std::vector<std::string> scopes;
};
BOOST_DESCRIBE_STRUCT(OcpView, (), (client_id, client_secret, idp_base_url, scopes))

struct IdpView {
    std::string alias;
    std::optional<std::string> name;
    IdpTypeText type;
    std::string redirect_uri;
    std::optional<SamlView> saml_data;
    std::optional<OidcView> oidc_data;
    std::optional<OcpView> ocp_data;
    MapperFields mappers;
};
BOOST_DESCRIBE_STRUCT(IdpView, (),
                      (alias, name, type, redirect_uri, saml_data, oidc_data, ocp_data, mappers))

SamlView saml_view(IdentityProviderSettings settings, const std::string& redirect_uri) {
    SamlView view;
    view.entity_id = std::move(settings.entity_id);
    view.service_provider_metadata_url = redirect_uri + "/descriptor";
    view.metadata_xml_type = settings.address.empty() ? "file" : "url";
    if (settings.address.empty()) {
        view.file_name = std::move(settings.file_name);
    } else {
        view.metadata_xml_url = std::move(settings.address);
    }
    return view;
}

/// An imported provider has none before it is sent one.
std::string shown_secret(const IdentityProvider& row) {
    return std::string(row.sealed_secret.empty() ? std::string_view() : masked_secret);
}

OidcView oidc_view(const IdentityProvider& row, IdentityProviderSettings settings) {
    OidcView view{std::move(settings.client_id), shown_secret(row), std::move(settings.address),
                  std::move(settings.scopes), std::nullopt};
    if (settings.mandatory_claim) {
        view.mandatory_claim = MandatoryClaimFields{std::move(settings.mandatory_claim->claim),
                                                    std::move(settings.mandatory_claim->values)};
    }
    return view;
}

OcpView ocp_view(const IdentityProvider& row, IdentityProviderSettings settings) {
    return {std::move(settings.client_id), shown_secret(row), std::move(settings.address),
            std::move(settings.scopes)};
}

IdpView view_of(const Context& context, const IdentityProvider& row) {
    IdpView view;
    view.alias = row.alias;
    if (!row.name.empty()) {
        view.name = row.name;
    }
    view.type = {row.type};
    view.redirect_uri = realm_issuer(context.services.settings, context.state().tenant) +
                        "/broker/" + row.alias + "/endpoint";
    view.mappers = MapperFields::of(row);
    IdentityProviderSettings settings = settings_of(row);
    switch (row.type) {
    case IdentityProviderType::saml:
        view.saml_data = saml_view(std::move(settings), view.redirect_uri);
        break;
    case IdentityProviderType::oidc:
        view.oidc_data = oidc_view(row, std::move(settings));
        break;
    case IdentityProviderType::openshift_v4:
        view.ocp_data = ocp_view(row, std::move(settings));
        break;
    }
    return view;
}

Result<std::vector<IdpView>> list_idps(Context& context, const NoFields&) {
    std::vector<IdpView> views;
    for (const auto& [alias, row] : *context.state().identity_providers) {
        views.push_back(view_of(context, row));
    }
    return views;
}

Result<const IdentityProvider*> find_row(const Context& context, const std::string& alias) {
    const IdentityProviderTable& rows = *context.state().identity_providers;
    const auto at = rows.find(alias);
    if (at == rows.end()) {
        return fail(ErrorCode::not_found, "no identity provider has this idp");
    }
    return &at->second;
}

Result<IdpView> read_idp(Context& context, const IdpRequest& request) {
    const IdentityProvider* row = TRY(find_row(context, request.idp));
    return view_of(context, *row);
}

Result<MapperFields> read_idp_mappers(Context& context, const IdpRequest& request) {
    const IdentityProvider* row = TRY(find_row(context, request.idp));
    return MapperFields::of(*row);
}

constexpr Access may(Action action) {
    return Access::permission("security-settings", action, EvaluatedAt::tenant);
}

} // namespace

Routes idp_routes() {
    constexpr std::string_view collection = "/api/v1/idps";
    constexpr std::string_view item = "/api/v1/idps/{idp}";
    constexpr std::string_view mappers = "/api/v1/idps/{idp}/mappers";
    constexpr std::string_view tag = "identity providers";
    return {
        route<list_idps>({.method = HttpMethod::get,
                          .path = collection,
                          .id = "listIdps",
                          .tag = tag,
                          .summary = "List the identity providers; secrets are masked",
                          .access = may(Action::read)}),
        route<create_idp>({.method = HttpMethod::post,
                           .path = collection,
                           .id = "createIdp",
                           .tag = tag,
                           .summary = "Keep an identity provider; it is not asked",
                           .access = may(Action::create),
                           .success = 201}),
        route<read_idp>({.method = HttpMethod::get,
                         .path = item,
                         .id = "getIdp",
                         .tag = tag,
                         .summary = "Read one identity provider; its secret is masked",
                         .access = may(Action::read)}),
        route<update_idp>(
            {.method = HttpMethod::put,
             .path = item,
             .id = "updateIdp",
             .tag = tag,
             .summary = "Change an identity provider; the mask keeps its secret, but no address "
                        "changes without it",
             .access = may(Action::update)}),
        route<delete_idp>({.method = HttpMethod::remove,
                           .path = item,
                           .id = "deleteIdp",
                           .tag = tag,
                           .summary = "Delete an identity provider",
                           .access = may(Action::remove)}),
        route<read_idp_mappers>({.method = HttpMethod::get,
                                 .path = mappers,
                                 .id = "getIdpMappers",
                                 .tag = tag,
                                 .summary = "Where users' attributes are found",
                                 .access = may(Action::read)}),
        route<update_idp_mappers>({.method = HttpMethod::put,
                                   .path = mappers,
                                   .id = "updateIdpMappers",
                                   .tag = tag,
                                   .summary = "Say where users' attributes are found",
                                   .access = may(Action::update),
                                   .success = 202}),
    };
}

} // namespace claviger
