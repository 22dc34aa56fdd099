// SPDX-License-Identifier: Apache-2.0
#include "api/resources.h"

namespace claviger {

Routes all_routes() {
    Routes all;
    for (const auto& routes : {token_routes(),
                               form_token_routes(),
                               form_revocation_routes(),
                               revocation_routes(),
                               discovery_routes(),
                               protected_resource_routes(),
                               service_account_routes(),
                               access_key_routes(),
                               key_limit_routes(),
                               key_secret_routes(),
                               leaked_secret_routes(),
                               expiring_key_routes(),
                               usage_routes(),
                               unused_routes(),
                               user_routes(),
                               role_routes(),
                               role_v2_routes(),
                               permission_set_routes(),
                               access_rule_routes(),
                               access_rule_batch_routes(),
                               me_routes(),
                               authzen_routes(),
                               authzen_search_routes(),
                               authorization_check_routes(),
                               what_if_routes(),
                               access_snapshot_routes(),
                               idp_routes(),
                               security_settings_routes(),
                               cluster_routes(),
                               department_routes(),
                               project_routes(),
                               workload_routes(),
                               legacy_cluster_routes(),
                               legacy_unit_routes(),
                               legacy_routes(),
                               audit_routes(),
                               diagnosis_routes()}) {
        all.insert(all.end(), routes.begin(), routes.end());
    }
    return all;
}

} // namespace claviger
