// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/route_map.h"
#include "cli/options_text.h"
#include "cli/surroundings.h"

namespace claviger {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// Runs over the table itself, so an option that is added later is tested as well.
constexpr std::string_view route_map = R"(gateways = ["127.0.0.1/32"]
[[api]]
name = "jobs"
hosts = ["jobs.example"]
resource = "https://jobs.example"
[[api.route]]
methods = ["GET"]
path = "/healthz"
access = "anyone"
)";

class OptionsTest : public ::testing::Test {
protected:
    /// The `number`-th legal value of an option, different for 0, 1 and 2.
    std::string sample(const OptionSpec& spec, unsigned number) {
        const std::string digit = std::to_string(number + 1);
        switch (spec.kind) {
        case OptionKind::integer:
            return std::to_string(spec.least + number);
        case OptionKind::boolean:
            return number == 1 ? "false" : "true";
        case OptionKind::choice:
            return std::string(spec.choices.at(number % spec.choices.size()));
        case OptionKind::list:
            if (spec.name == "audience-algorithm") {
                return "files-" + digit + "=RS256,logs-" + digit + "=ES256";
            }
            return spec.metavar == "URI" ? "https://api" + digit + ".example,urn:api:" + digit
                                         : "10." + digit + ".0.0/16,fd0" + digit + "::/16";
        case OptionKind::path:
            if (spec.name == "route-map") {
                return write_file(folder_.path() / ("map-" + digit), std::string(route_map));
            }
            return write_file(folder_.path() / ("empty-" + digit), "# nothing\n");
        case OptionKind::secret:
            return "correct-horse-battery-staple-and-more-" + digit;
        case OptionKind::text:
            return sample_text(spec, digit);
        }
        return "";
    }

    static std::string sample_text(const OptionSpec& spec, const std::string& digit) {
        const std::map<std::string_view, std::string> by_metavar = {
            {"HOST:PORT", "127.0.0.1:" + digit},
            {"URL", "https://auth" + digit + ".example.com"},
            {"EMAIL", "admin" + digit + "@example.com"},
            {"TEXT", "text" + digit},
        };
        const auto at = by_metavar.find(spec.metavar);
        EXPECT_NE(at, by_metavar.end()) << "give a sample for " << spec.metavar;
        return at == by_metavar.end() ? "" : at->second;
    }

    /// What stands in a flag or behind a key: the value, or the file that holds the secret.
    std::string given(const OptionSpec& spec, unsigned number) {
        if (spec.kind != OptionKind::secret) {
            return sample(spec, number);
        }
        return write_file(folder_.path() / (std::string(spec.name) + std::to_string(number)),
                          sample(spec, number) + "\nsecond line\n");
    }

    std::string toml_value(const OptionSpec& spec, unsigned number) {
        std::string text = given(spec, number);
        if (spec.kind == OptionKind::integer || spec.kind == OptionKind::boolean) {
            return text;
        }
        if (spec.kind == OptionKind::list) {
            const std::size_t comma = text.find(',');
            return "[\"" + text.substr(0, comma) + "\", \"" + text.substr(comma + 1) + "\"]";
        }
        return "\"" + text + "\"";
    }

    std::string write_config(const std::string& content) {
        return write_file(folder_.path() / "claviger.toml", content, 0644);
    }

    static EffectiveOption effective(const ResolvedOptions& resolved, std::string_view name) {
        const auto at = std::ranges::find(resolved.effective, name, &EffectiveOption::name);
        return at == resolved.effective.end() ? EffectiveOption{"absent", "", ""} : *at;
    }

    /// Checks value and origin; what must fit another option is another test's business.
    static void expect(const ResolvedOptions& resolved, const OptionSpec& spec,
                       const std::string& value, const std::string& origin) {
        const EffectiveOption option = effective(resolved, spec.name);
        const bool is_secret = spec.kind == OptionKind::secret && !value.empty();
        EXPECT_EQ(option.value, is_secret ? "********" : value) << spec.name;
        EXPECT_EQ(option.origin, origin) << spec.name;
        if (!spec.name.starts_with("tls-") && spec.name != "refresh-token-lifetime" &&
            spec.name != "grpc-listen" && !spec.name.ends_with("gateway-secret")) {
            EXPECT_THAT(resolved.problems, IsEmpty()) << spec.name;
        }
    }

    Environment environment_;
    TemporaryDirectory folder_;
};

TEST_F(OptionsTest, EveryOptionHasADefault) {
    for (const OptionSpec& spec : option_table()) {
        expect(resolve_options({}), spec, std::string(spec.default_text), "default");
        EXPECT_FALSE(spec.default_text.empty() && spec.without.empty()) << spec.name;
        EXPECT_FALSE(spec.help.empty()) << spec.name;
    }
}

TEST_F(OptionsTest, EveryOptionComesFromTheFile) {
    for (const OptionSpec& spec : option_table()) {
        if (spec.in_file) {
            const std::string file =
                write_config("# first\n\n" + file_key_of(spec) + " = " + toml_value(spec, 0));
            expect(resolve_options({{"config", file}}), spec, sample(spec, 0),
                   "file " + file + ":3");
        }
    }
}

TEST_F(OptionsTest, EveryVariableBeatsTheFile) {
    for (const OptionSpec& spec : option_table()) {
        const std::string file = spec.in_file
                                     ? write_config(file_key_of(spec) + " = " + toml_value(spec, 0))
                                     : write_config("");
        const Environment only;
        Environment::set("CLAVIGER_CONFIG", file);
        Environment::set(variable_of(spec), sample(spec, 1));
        expect(resolve_options({}), spec, sample(spec, 1), "environment " + variable_of(spec));
    }
}

TEST_F(OptionsTest, EveryVariableButAPathMayNameAFile) {
    for (const OptionSpec& spec : option_table()) {
        const Environment only;
        const std::string name = variable_of(spec) + "_FILE";
        Environment::set(name,
                         write_file(folder_.path() / "value", sample(spec, 1) + "\r\nmore\n"));
        if (spec.kind == OptionKind::path) {
            expect(resolve_options({}), spec, std::string(spec.default_text), "default");
        } else {
            expect(resolve_options({}), spec, sample(spec, 1), "environment " + name);
        }
    }
}

TEST_F(OptionsTest, EveryFlagBeatsTheVariable) {
    for (const OptionSpec& spec : option_table()) {
        const Environment only;
        Environment::set(variable_of(spec), sample(spec, 1));
        expect(resolve_options({{std::string(spec.name), given(spec, 2)}}), spec, sample(spec, 2),
               "flag");
    }
}

TEST_F(OptionsTest, EveryValueOutOfItsKindIsRefusedWithItsOrigin) {
    for (const OptionSpec& spec : option_table()) {
        std::vector<std::string> wrong;
        if (spec.kind == OptionKind::integer) {
            wrong = {std::to_string(spec.least - 1), std::to_string(spec.most + 1), "1x", "-", ""};
        } else if (spec.kind == OptionKind::boolean) {
            wrong = {"yes", "1", "TRUE", ""};
        } else if (spec.kind == OptionKind::choice || spec.kind == OptionKind::list) {
            wrong = {"nonsense"};
        } else {
            wrong = {""};
        }
        for (const std::string& text : wrong) {
            const Environment only;
            Environment::set(variable_of(spec), text);
            const ResolvedOptions resolved = resolve_options({});
            ASSERT_EQ(resolved.problems.size(), 1U) << spec.name << " " << text;
            EXPECT_THAT(resolved.problems.front(),
                        AllOf(HasSubstr(std::string(spec.name)), HasSubstr("; give "),
                              HasSubstr(": environment " + variable_of(spec) + ";")));
        }
    }
}

TEST_F(OptionsTest, BoundsThemselvesAreAccepted) {
    for (const OptionSpec& spec : option_table()) {
        if (spec.kind == OptionKind::integer) {
            for (const std::int64_t bound : {spec.least, spec.most}) {
                expect(resolve_options({{std::string(spec.name), std::to_string(bound)}}), spec,
                       std::to_string(bound), "flag");
            }
        }
    }
}

TEST_F(OptionsTest, TheDefaultsAreTheDocumentedOnes) {
    const Options options = resolve_options({}).options;
    EXPECT_EQ(options.data, "./.claviger");
    EXPECT_EQ(options.listen.text(), "127.0.0.1:8080");
    EXPECT_FALSE(options.listen_is_explicit);
    EXPECT_FALSE(options.metrics_listen);
    EXPECT_EQ(options.token_lifetime, 3600);
    EXPECT_EQ(options.refresh_token_lifetime, 2'592'000);
    EXPECT_EQ(options.token_audience, "runai");
    EXPECT_EQ(options.token_algorithm, SigningAlgorithm::es256);
    EXPECT_EQ(options.rsa_key_bits, 3072);
    EXPECT_EQ(options.key_rotation_days, 30);
    EXPECT_THAT(options.audience_algorithm, IsEmpty());
    EXPECT_TRUE(options.password_grant);
    EXPECT_TRUE(options.token_resource.empty());
    EXPECT_EQ(options.key_expiry_warning_days, 7);
    EXPECT_TRUE(options.threads >= 1 && options.threads <= 64);
    EXPECT_EQ(options.log_level, LogLevel::info);
    EXPECT_FALSE(options.admin_password);
    EXPECT_FALSE(options.master_key);
    EXPECT_EQ(options.master_key_file(), "./.claviger/master.key");
}

TEST_F(OptionsTest, EveryFieldTakesItsValue) {
    const ResolvedOptions resolved = resolve_options({
        {"data", "/srv/claviger"},
        {"listen", "[::1]:0"},
        {"public-url", "https://auth.example.com/"},
        {"metrics-listen", "localhost:9090"},
        {"grpc-listen", "127.0.0.1:9001"},
        {"tls-cert", "chain.pem"},
        {"tls-key", "key.pem"},
        {"admin-email", "root@example.org"},
        {"admin-password", write_file(folder_.path() / "password", "a long enough password\n")},
        {"master-key", write_file(folder_.path() / "key", "00ff\n")},
        {"token-lifetime", "61"},
        {"refresh-token-lifetime", "62"},
        {"token-audience", "api"},
        {"token-resource", "https://a.example/x,urn:b"},
        {"token-algorithm", "Ed25519"},
        {"audience-algorithm", "files=RS256,a=b=ES256"},
        {"key-rotation-days", "7"},
        {"rsa-key-bits", "2048"},
        {"password-grant", "false"},
        {"key-expiry-warning-days", "3"},
        {"threads", "7"},
        {"trusted-proxy", "10.0.0.0/8,::1"},
        {"log-level", "error"},
        {"route-map", write_file(folder_.path() / "routes.toml", std::string(route_map))},
        {"gateway-secret", write_file(folder_.path() / "new", std::string(32, 'n'))},
        {"previous-gateway-secret", write_file(folder_.path() / "old", std::string(256, 'o'))},
    });
    EXPECT_THAT(resolved.problems, IsEmpty());
    const Options& options = resolved.options;
    EXPECT_EQ(options.data, "/srv/claviger");
    EXPECT_EQ(options.listen, (SocketAddress{"::1", 0}));
    EXPECT_TRUE(options.listen_is_explicit);
    EXPECT_EQ(options.public_url, "https://auth.example.com");
    EXPECT_EQ(options.metrics_listen, (SocketAddress{"127.0.0.1", 9090}));
    EXPECT_EQ(options.grpc_listen, (SocketAddress{"127.0.0.1", 9001}));
    EXPECT_EQ(options.tls_cert, "chain.pem");
    EXPECT_EQ(options.tls_key, "key.pem");
    EXPECT_EQ(options.admin_email, "root@example.org");
    EXPECT_EQ(options.admin_password.value().reveal(), "a long enough password");
    EXPECT_EQ(options.master_key.value().reveal(), "00ff");
    EXPECT_EQ(options.gateway_secret.value().reveal(), std::string(32, 'n'));
    EXPECT_EQ(options.previous_gateway_secret.value().reveal(), std::string(256, 'o'));
    EXPECT_EQ(options.threads, 7);
    EXPECT_THAT(options.trusted_proxy, ElementsAre("10.0.0.0/8", "::1/128"));
    EXPECT_EQ(options.log_level, LogLevel::error);

    const TokenSettings settings = token_settings(options, options.public_url);
    EXPECT_EQ(settings.public_url, "https://auth.example.com");
    EXPECT_EQ(settings.audience, "api");
    EXPECT_THAT(settings.resources,
                ElementsAre("https://a.example/x", "urn:b", "https://jobs.example"))
        << "tokens may be asked for an API of the map";
    ASSERT_NE(options.route_map, nullptr);
    EXPECT_EQ(options.route_map->apis().front().name, "jobs");
    EXPECT_EQ(settings.key_expiry_warning_seconds, 259'200);
    EXPECT_EQ(settings.lifetime_seconds, 61);
    EXPECT_EQ(settings.refresh_lifetime_seconds, 62);
    EXPECT_EQ(settings.algorithm, SigningAlgorithm::ed25519);
    EXPECT_EQ(algorithm_for(settings, "files"), SigningAlgorithm::rs256);
    EXPECT_EQ(algorithm_for(settings, "a=b"), SigningAlgorithm::es256);
    EXPECT_EQ(algorithm_for(settings, "api"), SigningAlgorithm::ed25519);
    EXPECT_EQ(settings.key_rotation_seconds, 7 * 86'400);
    EXPECT_EQ(settings.rsa_key_bits, 2048);
    EXPECT_FALSE(settings.password_grant);
}

TEST_F(OptionsTest, AnAudienceHasOneKnownAlgorithm) {
    for (const char* wrong : {"files", "=RS256", "files=", "files=HS256", "files=none", "a b=RS256",
                              "files=RS256,", "files=RS256,files=ES256"}) {
        EXPECT_THAT(resolve_options({{"audience-algorithm", wrong}}).problems, SizeIs(1)) << wrong;
    }
}

TEST_F(OptionsTest, EnvoyAsksAboutTheApisOfAMap) {
    EXPECT_THAT(resolve_options({{"grpc-listen", "127.0.0.1:1"}}).problems,
                ElementsAre("grpc-listen without route-map: flag; give the map of the APIs that "
                            "Envoy stands before"));
    EXPECT_THAT(
        resolve_options({{"grpc-listen", "127.0.0.1:1"}, {"route-map", "nowhere"}}).problems,
        ElementsAre(HasSubstr("route-map \"nowhere\"")));
}

TEST_F(OptionsTest, GatewaysOnOtherMachinesNeedASecret) {
    const std::string secret = write_file(folder_.path() / "secret", std::string(32, 's'));
    const std::string here = write_file(folder_.path() / "here.toml", std::string(route_map));
    for (const std::string_view network : {"10.0.0.0/8", "126.0.0.0/7", "::/0", "fd00::1"}) {
        std::string text(route_map);
        text.insert(text.find("\"127"), "\"" + std::string(network) + "\", ");
        const std::string there = write_file(folder_.path() / "there.toml", text);
        EXPECT_THAT(resolve_options({{"route-map", there}}).problems,
                    ElementsAre(HasSubstr("route-map without gateway-secret: flag; ")))
            << network;
        EXPECT_THAT(resolve_options({{"route-map", there}, {"gateway-secret", secret}}).problems,
                    IsEmpty());
    }
    EXPECT_THAT(resolve_options({{"route-map", here}, {"gateway-secret", secret}}).problems,
                IsEmpty());
    EXPECT_THAT(resolve_options({{"gateway-secret", secret}}).problems,
                ElementsAre(HasSubstr("gateway-secret without route-map: flag; ")));
    EXPECT_THAT(
        resolve_options(
            {{"route-map", here}, {"gateway-secret", secret}, {"previous-gateway-secret", secret}})
            .problems,
        ElementsAre(HasSubstr("previous-gateway-secret is the same as gateway-secret: ")));
    EXPECT_THAT(
        resolve_options({{"route-map", here}, {"previous-gateway-secret", secret}}).problems,
        ElementsAre(HasSubstr("previous-gateway-secret without gateway-secret: flag; ")));
}

TEST_F(OptionsTest, AGatewaySecretIsLongAndFitsAHeader) {
    const std::string here = write_file(folder_.path() / "here.toml", std::string(route_map));
    for (const std::string& wrong :
         {std::string(31, 's'), std::string(257, 's'), std::string(40, 's') + " ",
          std::string(40, '\x7F'), std::string(40, '\xC3')}) {
        const std::string file = write_file(folder_.path() / "secret", wrong);
        EXPECT_THAT(resolve_options({{"route-map", here}, {"gateway-secret", file}}).problems,
                    ElementsAre(HasSubstr("gateway-secret is not accepted: flag; give 32")))
            << wrong;
    }
}

TEST_F(OptionsTest, SessionsOutliveTokens) {
    EXPECT_THAT(
        resolve_options({{"token-lifetime", "86400"}, {"refresh-token-lifetime", "3600"}}).problems,
        ElementsAre("refresh-token-lifetime is below token-lifetime: flag; give at least as many "
                    "seconds"));
    EXPECT_THAT(resolve_options({{"token-lifetime", "86400"}, {"refresh-token-lifetime", "86400"}})
                    .problems,
                IsEmpty());
}

TEST_F(OptionsTest, ChoicesFollowTheirEnumerations) {
    const std::map<std::string, SigningAlgorithm> algorithms = {
        {"ES256", SigningAlgorithm::es256},
        {"RS256", SigningAlgorithm::rs256},
        {"Ed25519", SigningAlgorithm::ed25519}};
    for (const auto& [name, algorithm] : algorithms) {
        EXPECT_EQ(resolve_options({{"token-algorithm", name}}).options.token_algorithm, algorithm);
    }
    for (const LogLevel level :
         {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
        EXPECT_EQ(resolve_options({{"log-level", std::string(name_of(level))}}).options.log_level,
                  level);
    }
}

TEST_F(OptionsTest, SecretsLeaveTheEnvironmentEvenWhenAFlagWins) {
    const std::string file = write_file(folder_.path() / "password", "the one in the file");
    Environment::set("CLAVIGER_ADMIN_PASSWORD", "the one in the variable");
    Environment::set("CLAVIGER_MASTER_KEY", "00ff");
    const char* const memory = std::getenv("CLAVIGER_ADMIN_PASSWORD");
    const ResolvedOptions resolved = resolve_options({{"admin-password", file}});
    EXPECT_EQ(resolved.options.admin_password.value().reveal(), "the one in the file");
    EXPECT_EQ(std::getenv("CLAVIGER_ADMIN_PASSWORD"), nullptr);
    EXPECT_EQ(std::getenv("CLAVIGER_MASTER_KEY"), nullptr);
    EXPECT_STREQ(memory, ""); // wiped where /proc shows it
}

TEST_F(OptionsTest, SecretsAppearNowhere) {
    const std::string secret = "planted-secret-value";
    const std::string file = write_file(folder_.path() / "password", secret);
    std::vector<ResolvedOptions> all;
    Environment::set("CLAVIGER_ADMIN_PASSWORD", secret);
    all.push_back(resolve_options({}));
    Environment::set("CLAVIGER_ADMIN_PASSWORD", secret);
    Environment::set("CLAVIGER_ADMIN_PASSWORD_FILE", file);
    all.push_back(resolve_options({})); // given twice
    Environment::set("CLAVIGER_ADMIN_PASSWORD_FILE", file);
    all.push_back(resolve_options({}));
    const std::string config = write_config("admin-password = \"" + secret + "\"\n");
    all.push_back(resolve_options({{"config", config}})); // not a key
    for (const ResolvedOptions& resolved : all) {
        std::string text = describe_effective(resolved.effective);
        for (const std::string& problem : resolved.problems) {
            text += problem;
        }
        EXPECT_THAT(text, Not(HasSubstr(secret)));
    }
    EXPECT_THAT(all[1].problems, ElementsAre(HasSubstr("is given twice")));
    EXPECT_THAT(all[3].problems, ElementsAre(HasSubstr("admin-password is a secret: " + config +
                                                       ":1; write admin-password-file")));
}

TEST_F(OptionsTest, SecretFilesAreForTheirOwnerOnly) {
    for (const mode_t mode : {0640U, 0604U, 0620U, 0602U}) {
        const std::string file = write_file(folder_.path() / "password", "some password", mode);
        EXPECT_THAT(resolve_options({{"admin-password", file}}).problems,
                    ElementsAre("admin-password, from flag: " + file +
                                " can be read by the group or others; run chmod 600 on it"));
    }
    // What is no secret may lie open.
    Environment::set("CLAVIGER_ADMIN_EMAIL_FILE",
                     write_file(folder_.path() / "email", "ops@example.com\n", 0644));
    EXPECT_EQ(resolve_options({}).options.admin_email, "ops@example.com");
}

TEST_F(OptionsTest, UnreadableAndEmptyFilesAreNamed) {
    const std::string absent = (folder_.path() / "absent").string();
    Environment::set("CLAVIGER_MASTER_KEY_FILE", absent);
    EXPECT_THAT(resolve_options({}).problems,
                ElementsAre(HasSubstr("master-key, from environment CLAVIGER_MASTER_KEY_FILE: " +
                                      absent + " cannot be opened")));
    const std::string empty = write_file(folder_.path() / "empty", "\nvalue in line two\n");
    Environment::set("CLAVIGER_MASTER_KEY_FILE", empty);
    EXPECT_THAT(resolve_options({}).problems, ElementsAre(HasSubstr("has an empty first line")));
    const std::string huge = write_file(folder_.path() / "huge", std::string(10'000, 'x'));
    Environment::set("CLAVIGER_MASTER_KEY_FILE", huge);
    EXPECT_THAT(resolve_options({}).problems, ElementsAre(HasSubstr("over 4096 bytes")));
}

TEST_F(OptionsTest, TlsNeedsBothHalves) {
    Environment::set("CLAVIGER_TLS_KEY", "key.pem");
    EXPECT_THAT(resolve_options({}).problems,
                ElementsAre("tls-key without tls-cert: environment CLAVIGER_TLS_KEY; "
                            "give both or neither"));
}

TEST_F(OptionsTest, EveryMistakeIsReportedAtOnce) {
    const std::string file = write_config("threads = 0\nlog-level = \"loud\"\n");
    EXPECT_THAT(resolve_options({{"config", file}, {"listen", "8080"}}).problems,
                ElementsAre(HasSubstr("listen \"8080\" is not accepted: flag; give an IP address"),
                            HasSubstr("threads \"0\" is not accepted: file " + file +
                                      ":1; give a whole number from 1 to 64"),
                            HasSubstr("log-level \"loud\" is not accepted: file " + file +
                                      ":2; give one of debug, info, warning, error")));
}

} // namespace
} // namespace claviger
