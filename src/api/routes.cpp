// SPDX-License-Identifier: Apache-2.0
#include "api/resources.h"

namespace claviger {

Routes all_routes() {
    Routes all;
    for (const auto& routes :
         {token_routes(), discovery_routes(), service_account_routes(), access_key_routes(),
          role_routes(), access_rule_routes(), me_routes(), cluster_routes(), department_routes(),
          project_routes()}) {
        all.insert(all.end(), routes.begin(), routes.end());
    }
    return all;
}

} // namespace claviger
