// SPDX-License-Identifier: Apache-2.0
#include "api/openapi.h"
#include "api/resources.h"
#include "cli/command_line.h"
#include "server/runtime.h"

int main(int argc, char** argv) {
    claviger::Commands commands;
    commands.serve = [](claviger::ServeOptions options) {
        return claviger::serve(std::move(options), CLAVIGER_VERSION);
    };
    commands.openapi = [] {
        return claviger::openapi_document(claviger::all_routes(), CLAVIGER_VERSION);
    };
    commands.version = CLAVIGER_VERSION;
    return claviger::run_command_line(argc, argv, commands);
}
