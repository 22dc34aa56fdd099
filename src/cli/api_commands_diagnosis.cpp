// SPDX-License-Identifier: Apache-2.0
// Why a request was refused.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cli/api_command.h"
#include "cli/api_output.h"
#include "cli/grounds_text.h"

namespace claviger {
namespace {

std::string subject_text(const boost::json::value& subject) {
    const boost::json::value* type = member(subject, "type");
    const std::string name = shown(member(subject, "name"));
    if (type == nullptr || type->is_null()) {
        return name + ", which nobody is";
    }
    const boost::json::value* client = member(subject, "clientId");
    return shown(type) + " " + name +
           (client == nullptr || client->is_null() ? "" : ", with the key " + shown(client));
}

void print_diagnosis(std::ostream& out, const boost::json::value& answer) {
    Lines lines;
    lines.add("request", shown(member(answer, "operation")) + ", answered with " +
                             shown(member(answer, "status")));
    lines.add("at", shown(member(answer, "at")));
    lines.add("from", shown(member(answer, "sourceIp")));
    if (const boost::json::value* subject = member(answer, "subject")) {
        lines.add("by", subject_text(*subject));
    }
    lines.add("reason", shown(member(answer, "reason")));
    lines.add("why", shown(member(answer, "message")));
    lines.add("what helps", shown(member(answer, "hint")));
    lines.add("held there", joined(member(answer, "heldThere"), plain, ", "));
    lines.add("held at", joined(member(answer, "heldAt"), scope_text, ", "));
    if (const boost::json::value* now = member(answer, "isPermittedNow");
        now != nullptr && *now == boost::json::value(true)) {
        lines.add("by now", "access rules permit it");
    }
    std::move(lines).print(out);
    print_grants(out, member(answer, "smallestGrants"));
}

} // namespace

std::vector<ApiCommand> diagnosis_commands() {
    return {
        {.words = "why",
         .help = "Say why a request was refused, and what would help",
         .path = "/api/v1/diagnoses/{requestId}",
         .arguments = {{.spelling = "REQUEST-ID",
                        .field = "requestId",
                        .help = "The id that the refusal carries, in X-Request-Id as well",
                        .sent_in = SentIn::path,
                        .is_required = true}},
         .print = print_diagnosis},
    };
}

} // namespace claviger
