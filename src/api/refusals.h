// SPDX-License-Identifier: Apache-2.0
// Keeps why a request was refused, for who may ask: the one place that all refusals pass through.
#pragma once

#include "api/context.h"
#include "api/route.h"

namespace claviger {

/// Keeps the context's refusal, or what the error tells where there is none. Errors that refuse
/// nobody, such as a malformed request, are not kept.
void keep_refusal(const Context& context, const Operation& operation, const Error& error);

} // namespace claviger
