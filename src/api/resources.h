// SPDX-License-Identifier: Apache-2.0
// The resources of the API: each file gives the routes of one, all_routes() joins them.
#pragma once

#include "api/route.h"

namespace claviger {

Routes token_routes();
Routes form_token_routes();
Routes form_revocation_routes();
Routes revocation_routes();
Routes discovery_routes();
Routes protected_resource_routes();
Routes service_account_routes();
Routes access_key_routes();
Routes key_limit_routes();
Routes key_secret_routes();
Routes leaked_secret_routes();
Routes expiring_key_routes();
Routes usage_routes();
Routes unused_routes();
Routes user_routes();
Routes role_routes();
Routes role_v2_routes();
Routes permission_set_routes();
Routes idp_routes();
Routes security_settings_routes();
Routes access_rule_routes();
Routes access_rule_batch_routes();
Routes me_routes();
Routes authzen_routes();
Routes authzen_search_routes();
Routes authorization_check_routes();
Routes what_if_routes();
Routes access_snapshot_routes();
Routes cluster_routes();
Routes department_routes();
Routes project_routes();
Routes workload_routes();
Routes legacy_cluster_routes();
Routes legacy_unit_routes();
Routes legacy_routes();
Routes audit_routes();
Routes diagnosis_routes();

/// What a verifier must hold to follow revocations and to ask about the tokens of others.
inline constexpr Access verifier_access =
    Access::permission("security-settings", Action::read, EvaluatedAt::tenant);

/// Every operation of the API, in the order of the document.
Routes all_routes();

} // namespace claviger
