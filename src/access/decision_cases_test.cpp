// SPDX-License-Identifier: Apache-2.0
// Reads spec/vectors/decisions/*.case; the README there describes the lines. Every question is put
// to a snapshot grown line by line, to one built at once, and to the naive model.
#include <array>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "access/naive_model.h"
#include "access/test_rows.h"

namespace claviger {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);) {
        parts.push_back(part);
    }
    return parts;
}

ScopeId read_scope(const std::string& text) {
    static const std::map<std::string, ScopeType> types{{"cluster", ScopeType::cluster},
                                                        {"department", ScopeType::department},
                                                        {"project", ScopeType::project}};
    if (text == "tenant") {
        return tenant_scope(tenant_id);
    }
    auto parts = split(text, '/');
    TenantId tenant = tenant_id;
    if (parts.front() == "other-tenant") {
        tenant = TenantId{2};
        parts.erase(parts.begin());
    }
    return {tenant, types.at(parts.at(0)), parts.at(1)};
}

std::vector<Subject> read_subjects(const std::string& text) {
    static const std::map<std::string, SubjectType> types{
        {"user", SubjectType::user},
        {"group", SubjectType::group},
        {"account", SubjectType::service_account}};
    std::vector<Subject> subjects;
    for (const std::string& each : split(text, ',')) {
        const auto slash = each.find('/');
        subjects.push_back({types.at(each.substr(0, slash)), each.substr(slash + 1)});
    }
    return subjects;
}

std::int32_t read_role(const std::string& text) {
    if (text.starts_with('#')) {
        return std::stoi(text.substr(1));
    }
    const auto role = std::ranges::find(predefined_roles(), text, &PredefinedRole::name);
    return role == predefined_roles().end() ? throw std::out_of_range(text) : role->number;
}

Permission read_permission(const std::string& text) {
    const auto parts = split(text, ':');
    return {find_resource_type(parts.at(0)).value(), find_action(parts.at(1)).value()};
}

std::string name_of_reason(DecisionReason reason) {
    static const std::array<std::string, 7> names{
        "permitted",         "no_rule",    "not_permitted", "out_of_reach",
        "not_held_anywhere", "beyond_key", "beyond_token"};
    return names.at(static_cast<std::size_t>(reason));
}

std::string answer(bool allowed, std::int32_t rule, DecisionReason reason) {
    return allowed ? "allow " + std::to_string(rule) : "deny " + name_of_reason(reason);
}

/// One case while its lines are read.
class Case {
public:
    void read(const std::string& line) {
        using Step = void (Case::*)(const std::smatch&);
        static const std::vector<std::pair<std::regex, Step>> steps{
            {std::regex(R"(unit (\S+) under (\S+))"), &Case::add_unit},
            {std::regex(R"(rename (\S+) to (.+))"), &Case::rename},
            {std::regex(R"(remove (\S+))"), &Case::remove},
            {std::regex(R"(rule (\d+) (\S+) at (\S+) as (.+))"), &Case::put_rule},
            {std::regex(R"(revoke (\d+))"), &Case::revoke},
            {std::regex(R"(limit (key|token) (\S+) at (\S+))"), &Case::add_limit},
            {std::regex(R"(ask (\S+) (\S+) at (\S+): (.+))"), &Case::ask},
            {std::regex(R"(scopes (\S+) (\S+): (.+))"), &Case::list_scopes}};
        for (const auto& [form, step] : steps) {
            if (std::smatch words; std::regex_match(line, words, form)) {
                (this->*step)(words);
                return;
            }
        }
        ADD_FAILURE() << "not understood: " << line;
    }

private:
    void add_unit(const std::smatch& words) {
        const ScopeId id = read_scope(words[1]);
        units_.push_back(make_unit(id.type, id.value, read_scope(words[2])));
        grown_ = grown_.with(units_.back());
    }
    OrgUnit& unit(const std::string& scope) {
        return *std::ranges::find(units_, read_scope(scope), &OrgUnit::id);
    }
    void rename(const std::smatch& words) {
        unit(words[1]).name = words[2];
        grown_ = grown_.with(unit(words[1]));
    }
    void remove(const std::smatch& words) {
        unit(words[1]).deleted_at = Timestamp{1};
        grown_ = grown_.with(unit(words[1]));
    }
    void put_rule(const std::smatch& words) {
        const AccessRule rule = make_rule(std::stoi(words[1]), read_subjects(words[2]).at(0),
                                          read_role(words[4]), read_scope(words[3]));
        std::erase_if(rules_, [&](const AccessRule& old) { return old.id == rule.id; });
        rules_.push_back(rule);
        grown_ = grown_.with(rule);
    }
    void revoke(const std::smatch& words) {
        AccessRule& rule = *std::ranges::find(rules_, AccessRuleId{tenant_id, std::stoi(words[1])},
                                              &AccessRule::id);
        rule.deleted_at = Timestamp{1};
        grown_ = grown_.with(rule);
    }
    void add_limit(const std::smatch& words) {
        AccessLimit& limit = limits_.emplace_back();
        limit.source = words[1] == "key" ? LimitSource::key : LimitSource::token;
        if (words[2] != "everything") {
            limit.permissions.emplace();
            for (const std::string& permission : split(words[2], ',')) {
                limit.permissions->add(read_permission(permission));
            }
        }
        if (words[3] != "everywhere") {
            limit.scopes.emplace();
            for (const std::string& scope : split(words[3], ',')) {
                limit.scopes->push_back(read_scope(scope));
            }
        }
    }
    std::vector<const AccessLimit*> limits() const {
        std::vector<const AccessLimit*> limits;
        for (const AccessLimit& limit : limits_) {
            limits.push_back(&limit);
        }
        return limits;
    }
    void ask(const std::smatch& words) {
        const auto subjects = read_subjects(words[1]);
        const Permission permission = read_permission(words[2]);
        const ScopeId scope = read_scope(words[3]);
        const std::string expected = words[4];
        const auto bounds = limits();
        for (const AccessSnapshot& snapshot : {grown_, built()}) {
            const auto node = snapshot.find(scope);
            std::string given = "deny no_scope";
            if (node) {
                const Decision decision = decide(snapshot, {subjects, permission, *node, bounds});
                given = answer(decision.allowed(), decision.rule ? decision.rule->value : 0,
                               decision.reason);
            }
            EXPECT_EQ(given, expected) << words[0];
        }
        const NaiveModel model{tenant_id, units_, rules_, {}, limits_};
        const std::int32_t nearest = model.nearest_rule(subjects, permission, scope);
        const DecisionReason reason = model.reason(subjects, permission, scope);
        EXPECT_EQ(model.is_live(scope)
                      ? answer(reason == DecisionReason::permitted, nearest, reason)
                      : "deny no_scope",
                  expected)
            << "the model: " << words[0];
    }
    void list_scopes(const std::smatch& words) {
        const auto subjects = read_subjects(words[1]);
        const Permission permission = read_permission(words[2]);
        const auto bounds = limits();
        std::set<ScopeId> expected;
        for (const std::string& scope :
             words[3] == "none" ? std::vector<std::string>{} : split(words[3], ' ')) {
            expected.insert(read_scope(scope));
        }
        for (const AccessSnapshot& snapshot : {grown_, built()}) {
            std::set<ScopeId> given;
            for (const NodeIndex node :
                 permitted_scopes(snapshot, {subjects, bounds}, permission)) {
                given.insert(snapshot.scope_id(node));
            }
            EXPECT_EQ(given, expected) << words[0];
        }
        const NaiveModel model{tenant_id, units_, rules_, {}, limits_};
        EXPECT_EQ(model.permitted_scopes(subjects, permission), expected) << "the model";
    }
    AccessSnapshot built() const { return AccessSnapshot::build(make_tenant(), units_, rules_); }

    std::vector<OrgUnit> units_;
    std::vector<AccessRule> rules_;
    std::vector<AccessLimit> limits_;
    AccessSnapshot grown_{make_tenant()};
};

TEST(DecisionCases, AreAnsweredAsWritten) {
    int cases = 0;
    const std::filesystem::path folder = CLAVIGER_SOURCE_DIR "/spec/vectors/decisions";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".case") {
            continue;
        }
        std::ifstream file(entry.path());
        Case current;
        std::string title;
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("case ")) {
                current = Case();
                title = line;
                ++cases;
            } else if (!line.empty() && !line.starts_with('#')) {
                SCOPED_TRACE(entry.path().filename().string() + ": " + title);
                current.read(line);
            }
        }
    }
    EXPECT_GE(cases, 30);
}

} // namespace
} // namespace claviger
