// SPDX-License-Identifier: Apache-2.0
// Commands about credentials that are out: ending them, asking about them, what bounds them.
#include <array>
#include <ostream>

#include "cli/api_command.h"
#include "cli/api_output.h"

namespace claviger {
namespace {

namespace json = boost::json;

void print_revoked(std::ostream& out, const json::value& answer) {
    out << "Ended. Whoever has heard the feed up to number " << shown(member(answer, "number"))
        << " refuses it.\n";
}

void print_introspection(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 10> columns{{{"active", "active"},
                                                     {"sub", "subject"},
                                                     {"username", "name"},
                                                     {"client_id", "client"},
                                                     {"aud", "audience"},
                                                     {"iat", "issued at"},
                                                     {"exp", "expires at"},
                                                     {"scope", "permissions"},
                                                     {"within", "within"},
                                                     {"jti", "jti"}}};
    print_members(out, answer, columns);
}

void print_limits(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 4> columns{{{"expiresAt", "expires at"},
                                                    {"addresses", "addresses"},
                                                    {"addressMode", "of other addresses"},
                                                    {"ceiling", "ceiling"}}};
    if (answer.is_object() && answer.get_object().empty()) {
        out << "The key has no limits.\n";
        return;
    }
    print_members(out, answer, columns);
}

void print_expiring(std::ostream& out, const json::value& answer) {
    static constexpr std::array<Column, 5> columns{{{"expiresAt", "EXPIRES"},
                                                    {"type", "KIND"},
                                                    {"name", "NAME"},
                                                    {"clientId", "CLIENT ID"},
                                                    {"createdBy", "OF"}}};
    print_table(out, member(answer, "keys"), columns, "No key that you may list expires soon.");
}

constexpr ApiArgument token_file{.spelling = "--token-file",
                                 .field = "token",
                                 .help = "File that holds the token; - is standard input",
                                 .kind = ArgumentKind::secret_file,
                                 .sent_in = SentIn::body,
                                 .metavar = "FILE",
                                 .is_required = true};

ApiCommand revoke_command(std::string_view words, std::string_view help,
                          std::string_view fixed_members, std::vector<ApiArgument> arguments) {
    return {.words = words,
            .help = help,
            .method = HttpMethod::post,
            .path = "/api/v1/revocations",
            .arguments = std::move(arguments),
            .fixed_members = fixed_members,
            .print = print_revoked};
}

} // namespace

std::vector<ApiCommand> credential_commands() {
    return {
        revoke_command("revoke token", "End one token", R"("type":"token")", {token_file}),
        revoke_command("revoke key", "End all tokens of a service account or access key",
                       R"("type":"key")",
                       {{.spelling = "KEY",
                         .field = "keyId",
                         .help = "Its client id, name or id",
                         .kind = ArgumentKind::key,
                         .sent_in = SentIn::body,
                         .is_required = true}}),
        revoke_command("revoke subject",
                       "End all tokens of a user, with sign-ins and keys, or of a service account",
                       R"("type":"subject")",
                       {{.spelling = "ID",
                         .field = "subjectId",
                         .help = "The id of the user or service account",
                         .sent_in = SentIn::body,
                         .is_required = true}}),
        revoke_command("revoke tenant",
                       "End every token of the tenant that was issued until now, yours too",
                       R"("type":"tenant")", {}),
        {.words = "introspect",
         .help = "Say whether a token is good, and what it says (RFC 7662)",
         .method = HttpMethod::post,
         .path = "/oauth2/introspect",
         .arguments = {token_file},
         .print = print_introspection,
         .encoding = BodyEncoding::form},
        {.words = "key limits",
         .help = "Print what bounds a service account or an access key",
         .path = "/api/v1/{key}/limits",
         .arguments = {{.spelling = "KEY",
                        .field = "key",
                        .help = "Its client id, name or id",
                        .kind = ArgumentKind::key,
                        .sent_in = SentIn::path,
                        .is_required = true}},
         .print = print_limits},
        {.words = "key expiring",
         .help = "List the keys that expire soon, of those that you may list",
         .path = "/api/v1/expiring-keys",
         .arguments = {{.spelling = "--within",
                        .field = "within",
                        .help = "How soon, like 30d or 12h [as long as keys are warned of]",
                        .metavar = "TIME"}},
         .print = print_expiring},
    };
}

} // namespace claviger
