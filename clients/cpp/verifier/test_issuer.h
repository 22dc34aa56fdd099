// SPDX-License-Identifier: Apache-2.0
// For tests: makes keys, tokens and signed documents as the server does, and publishes the keys.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "auth/token_id.h"
#include "base/clock.h"
#include "base/seeded_random.h"
#include "jose/jwk.h"
#include "jose/jwt.h"
#include "verifier/signed_document.h"

namespace claviger::offline {

inline constexpr const char* test_issuer_url = "https://claviger.example";
inline constexpr const char* test_subject = "sa:0556eb5c-fee7-42a5-93d4-95282d9a5c08";

inline std::string json_text(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

class TestIssuer {
public:
    explicit TestIssuer(JoseAlgorithm algorithm = JoseAlgorithm::es256)
        : tokens(*PrivateKey::generate(algorithm, 2048)),
          events(*PrivateKey::generate(JoseAlgorithm::es256, 2048)) {}

    /// With what each key signs.
    std::string key_set() const {
        boost::json::array keys{published(tokens, access_token_type),
                                published(events, security_event_type)};
        return boost::json::serialize(boost::json::object{{"keys", std::move(keys)}});
    }
    static boost::json::value published(const PrivateKey& key, std::string_view type) {
        auto object = boost::json::parse(key.public_key().jwk()).as_object();
        object[token_type_member] = type;
        return object;
    }
    Answer answer() {
        ++fetches;
        return Answer{status, key_set(), max_age};
    }

    /// The claims of a good token, as JSON texts; a test replaces some, or takes some out.
    std::map<std::string, std::string> claims(std::uint32_t epoch = 1, std::uint32_t secret = 1) {
        const std::int64_t now = clock.now().seconds();
        return {{"iss", json_text(test_issuer_url)},
                {"sub", json_text(test_subject)},
                {"aud", json_text("api")},
                {"client_id", json_text("ci")},
                {"iat", std::to_string(now)},
                {"exp", std::to_string(now + 3600)},
                {"jti", json_text(make_token_id(epoch, secret, random))},
                {"tenant", "1"}};
    }
    static std::string sign(const PrivateKey& key, const std::map<std::string, std::string>& claims,
                            std::string_view type) {
        JwtBuilder builder(key, key.public_key().kid(), type);
        for (const auto& [name, value] : claims) {
            builder.add_json(name, value);
        }
        return builder.sign();
    }
    std::string token(const std::map<std::string, std::string>& claims) const {
        return sign(tokens, claims, access_token_type);
    }
    std::string token() { return token(claims()); }

    /// A signed document of the server with these claims besides the usual ones.
    std::string document(const DocumentKind& kind,
                         std::map<std::string, std::string> claims) const {
        claims.emplace("iss", json_text(test_issuer_url));
        claims.emplace("aud", json_text(kind.audience));
        claims.emplace("iat", std::to_string(clock.now().seconds()));
        claims.emplace("jti", json_text("a-name"));
        return sign(events, claims, kind.type);
    }
    std::string entry(std::uint64_t number, std::string_view event, std::string_view facts) const {
        boost::json::object said;
        said["urn:claviger:event:" + std::string(event)] = boost::json::parse(facts);
        return document(security_event, {{"number", std::to_string(number)},
                                         {"events", boost::json::serialize(said)}});
    }
    /// What the server answers: all parts have `rows`, in the form of claims.
    std::string snapshot(const DocumentKind& kind, std::uint64_t number,
                         const std::vector<std::map<std::string, std::string>>& rows) const {
        boost::json::array parts;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto claims = rows[i];
            claims["number"] = std::to_string(number);
            claims["part"] = std::to_string(i + 1);
            claims["last"] = i + 1 == rows.size() ? "true" : "false";
            parts.emplace_back(document(kind, claims));
        }
        return boost::json::serialize(
            boost::json::object{{"number", number}, {"parts", std::move(parts)}});
    }

    FakeClock clock;
    SeededRandom random{7};
    PrivateKey tokens, events;
    int status = 200;
    std::optional<std::int64_t> max_age;
    int fetches = 0;
};

} // namespace claviger::offline
