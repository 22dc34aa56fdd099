// SPDX-License-Identifier: Apache-2.0
// spec/vectors/decisions, judged by rules that came in a signed snapshot. The lines `scopes` are
// for who lists scopes, which the library does not.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <regex>
#include <sstream>

#include "access/role.h"
#include "access/scope_type.h"
#include "verifier/rule_set.h"
#include "verifier/test_issuer.h"

namespace claviger::offline {
namespace {

namespace json = boost::json;

constexpr const char* asking_user = "user:00000000-0000-4000-8000-000000000001";

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);) {
        parts.push_back(part);
    }
    return parts;
}

struct Node {
    std::string type, id, parent; // parent as "type/id"
    std::string name() const { return type + "/" + id; }
};

/// The state that the lines of a case have made.
struct Case {
    std::vector<Node> nodes{{"tenant", "1", ""}};
    std::map<int, json::array> rules; // without the number; the last element is the scope's name
    json::object key_ceiling;
    std::optional<AccessLimit> narrowing;
};

/// A scope of a vector as type and id; another tenant's is one that is not there.
std::pair<std::string, std::string> scope_of(const std::string& text) {
    if (text == "tenant") {
        return {"tenant", "1"};
    }
    const auto parts = split(text, '/');
    return parts.size() == 3 ? std::pair(parts[1], "of-tenant-2-" + parts[2])
                             : std::pair(parts.at(0), parts.at(1));
}
std::string name_of_scope(const std::string& text) {
    const auto [type, id] = scope_of(text);
    return type + "/" + id;
}

std::int64_t role_of(const std::string& text) {
    if (text.starts_with('#')) {
        return std::stoi(text.substr(1));
    }
    return std::ranges::find(predefined_roles(), text, &PredefinedRole::name)->number;
}

json::array subject_of(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string type = text.substr(0, slash);
    return {type == "account" ? "service-account" : type, text.substr(slash + 1)};
}

json::array roles() {
    json::array roles;
    for (const PredefinedRole& role : predefined_roles()) {
        json::array permissions;
        for (const Permission permission : role.permissions.list()) {
            permissions.emplace_back(text_of(permission));
        }
        roles.push_back(json::array{role.number, std::move(permissions)});
    }
    return roles;
}

RuleSet build(const Case& state, const json::array& user) {
    std::map<std::string, std::int64_t> places;
    json::array nodes, rules;
    for (const Node& node : state.nodes) {
        const std::int64_t parent = node.parent.empty() ? -1 : places.at(node.parent);
        places.emplace(node.name(), static_cast<std::int64_t>(nodes.size()));
        nodes.push_back(json::array{node.type, node.id, parent});
    }
    for (const auto& [number, rule] : state.rules) {
        const auto at = places.find(json::value_to<std::string>(rule[3]));
        if (at != places.end()) {
            rules.push_back(json::array{number, rule[0], rule[1], rule[2], at->second});
        }
    }
    json::array limits;
    if (!state.key_ceiling.empty()) {
        limits.push_back(json::array{"ci", json::object{{"ceiling", state.key_ceiling}}});
    }
    DocumentReader::Snapshot snapshot;
    snapshot.number = 1;
    snapshot.parts.push_back({{"nodes", nodes},
                              {"roles", roles()},
                              {"users", json::array{user}},
                              {"limits", limits},
                              {"rules", rules}});
    auto built = RuleSet::build(snapshot);
    return built ? *std::move(built) : throw std::runtime_error(built.error().detail());
}

void remove(Case& state, const std::string& name) {
    std::erase_if(state.rules,
                  [&](const auto& rule) { return rule.second[3] == json::string(name); });
    std::vector<std::string> below;
    std::erase_if(state.nodes, [&](const Node& node) { return node.name() == name; });
    for (const Node& node : state.nodes) {
        if (node.parent == name) {
            below.push_back(node.name());
        }
    }
    for (const std::string& each : below) {
        remove(state, each);
    }
}

void add_key_limit(Case& state, const std::string& permissions, const std::string& scopes) {
    ASSERT_TRUE(state.key_ceiling.empty()) << "a key has one ceiling";
    if (permissions != "everything") {
        json::array list;
        for (const std::string& each : split(permissions, ',')) {
            list.emplace_back(each);
        }
        state.key_ceiling["permissions"] = std::move(list);
    }
    if (scopes != "everywhere") {
        json::array list;
        for (const std::string& each : split(scopes, ',')) {
            const auto [type, id] = scope_of(each);
            list.push_back(json::object{{"scopeType", type}, {"scopeId", id}});
        }
        state.key_ceiling["scopes"] = std::move(list);
    }
}

void add_token_limit(Case& state, const std::string& permissions, const std::string& scopes) {
    AccessLimit& limit = state.narrowing.emplace();
    limit.source = LimitSource::token;
    if (permissions != "everything") {
        limit.permissions.emplace();
        for (const std::string& each : split(permissions, ',')) {
            limit.permissions->add(find_permission(each).value());
        }
    }
    if (scopes != "everywhere") {
        limit.scopes.emplace();
        for (const std::string& each : split(scopes, ',')) {
            const auto [type, id] = scope_of(each);
            limit.scopes->push_back({TenantId{1}, *find_scope_type(type), id});
        }
    }
}

std::string answer(const Case& state, const std::smatch& words) {
    Asker asker{asking_user, "ci", state.narrowing ? &*state.narrowing : nullptr};
    std::string email = "nobody@example.com", account;
    json::array groups;
    for (const std::string& each : split(words[1], ',')) {
        const auto subject = subject_of(each);
        const std::string value = json::value_to<std::string>(subject[1]);
        if (subject[0] == json::string("user")) {
            email = value;
        } else if (subject[0] == json::string("group")) {
            groups.emplace_back(value);
        } else {
            account = "sa:" + value;
            asker.subject = account;
        }
    }
    const RuleSet rules = build(state, json::array{asking_user, email, std::move(groups)});
    const auto [type, id] = scope_of(words[3]);
    const auto scope = rules.find_scope(type, id);
    if (!scope) {
        return "deny no_scope";
    }
    static const std::array<std::string, 7> names{
        "permitted",         "no_rule",    "not_permitted", "out_of_reach",
        "not_held_anywhere", "beyond_key", "beyond_token"};
    const Decision made = rules.decide(asker, find_permission(words[2].str()).value(), *scope);
    return made.allowed() ? "allow " + std::to_string(made.rule->value)
                          : "deny " + names.at(static_cast<std::size_t>(made.reason));
}

/// The number of questions that were asked: 0 or 1.
int read(Case& state, const std::string& line) {
    static const std::regex unit(R"(unit (\w+)/(\S+) under (\S+))"), removed(R"(remove (\S+))"),
        rule(R"(rule (\d+) (\S+) at (\S+) as (.+))"), revoke(R"(revoke (\d+))"),
        limit(R"(limit (key|token) (\S+) at (\S+))"), ask(R"(ask (\S+) (\S+) at (\S+): (.+))"),
        other(R"((rename|scopes) .*)");
    std::smatch words;
    if (std::regex_match(line, words, unit)) {
        state.nodes.push_back({words[1], words[2], name_of_scope(words[3])});
    } else if (std::regex_match(line, words, removed)) {
        remove(state, name_of_scope(words[1]));
    } else if (std::regex_match(line, words, rule)) {
        json::array row = subject_of(words[2]);
        row.emplace_back(role_of(words[4]));
        row.emplace_back(name_of_scope(words[3]));
        state.rules[std::stoi(words[1])] = std::move(row);
    } else if (std::regex_match(line, words, revoke)) {
        state.rules.erase(std::stoi(words[1]));
    } else if (std::regex_match(line, words, limit)) {
        (words[1] == "key" ? add_key_limit : add_token_limit)(state, words[2], words[3]);
    } else if (std::regex_match(line, words, ask)) {
        EXPECT_EQ(answer(state, words), words[4]) << line;
        return 1;
    } else {
        EXPECT_TRUE(std::regex_match(line, other)) << "not understood: " << line;
    }
    return 0;
}

TEST(DecisionVectors, AreAnsweredAsWritten) {
    int questions = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(CLAVIGER_SOURCE_DIR "/spec/vectors/decisions")) {
        if (entry.path().extension() != ".case") {
            continue;
        }
        std::ifstream file(entry.path());
        Case state;
        std::string title;
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("case ")) {
                state = Case();
                title = line;
            } else if (!line.empty() && !line.starts_with('#')) {
                SCOPED_TRACE(entry.path().filename().string() + ": " + title);
                questions += read(state, line);
            }
        }
    }
    EXPECT_GE(questions, 90);
}

} // namespace
} // namespace claviger::offline
