// SPDX-License-Identifier: Apache-2.0
#include "access/decide.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>

#include "access/naive_model.h"

namespace claviger {
namespace {

constexpr TenantId tenant_id{1};
constexpr std::int32_t viewer = 7;
constexpr std::int32_t department_administrator = 1710;

Tenant make_tenant() {
    Tenant tenant;
    tenant.id = tenant_id;
    tenant.name = "acme";
    tenant.realm = "acme";
    return tenant;
}

OrgUnit make_unit(ScopeType type, const std::string& value, const ScopeId& parent) {
    OrgUnit unit;
    unit.id = {tenant_id, type, value};
    unit.parent = parent;
    unit.name = "unit-" + value;
    return unit;
}

AccessRule make_rule(std::int32_t number, const Subject& subject, std::int32_t role,
                     const ScopeId& scope) {
    AccessRule rule;
    rule.id = {tenant_id, number};
    rule.subject = subject;
    rule.role = {tenant_id, role};
    rule.scope = scope;
    rule.created_by = "admin@example.com";
    return rule;
}

Permission permission(std::string_view type, Action action) {
    return {*find_resource_type(type), action};
}

/// acme > c1 > {d1 > {p1, p2}, d2 > {p3}}
class SmallTree : public ::testing::Test {
protected:
    const Tenant tenant = make_tenant();
    const ScopeId root = tenant_scope(tenant_id);
    const OrgUnit c1 = make_unit(ScopeType::cluster, "c1", root);
    const OrgUnit d1 = make_unit(ScopeType::department, "11", c1.id);
    const OrgUnit d2 = make_unit(ScopeType::department, "12", c1.id);
    const OrgUnit p1 = make_unit(ScopeType::project, "21", d1.id);
    const OrgUnit p2 = make_unit(ScopeType::project, "22", d1.id);
    const OrgUnit p3 = make_unit(ScopeType::project, "23", d2.id);
    const Subject ann{SubjectType::user, "ann@example.com"};
    const Subject team{SubjectType::group, "team"};
    AccessSnapshot snapshot = AccessSnapshot::build(tenant, {c1, d1, d2, p1, p2, p3}, {});

    Decision ask(const Subject& subject, std::string_view type, Action action,
                 const OrgUnit& at) const {
        const std::vector<Subject> subjects{subject};
        return decide(snapshot, {subjects, permission(type, action), *snapshot.find(at.id)});
    }
};

TEST_F(SmallTree, DeniesWithoutARule) {
    const Decision decision = ask(ann, "project", Action::read, p1);
    EXPECT_FALSE(decision.allowed());
    EXPECT_EQ(decision.reason, DecisionReason::no_rule);
}

TEST_F(SmallTree, InheritsDownwardsOnly) {
    snapshot = snapshot.with(make_rule(1, ann, viewer, d1.id));
    EXPECT_TRUE(ask(ann, "project", Action::read, p1).allowed());
    EXPECT_TRUE(ask(ann, "project", Action::read, d1).allowed());
    EXPECT_EQ(ask(ann, "project", Action::read, p3).reason, DecisionReason::out_of_reach);
    EXPECT_EQ(ask(ann, "project", Action::read, c1).reason, DecisionReason::out_of_reach);
    EXPECT_EQ(ask(ann, "project", Action::create, p1).reason, DecisionReason::not_permitted);
    EXPECT_EQ(ask(ann, "project", Action::create, p3).reason, DecisionReason::not_held_anywhere);
}

TEST_F(SmallTree, NamesTheNearestRule) {
    snapshot = snapshot.with(make_rule(1, ann, viewer, root));
    snapshot = snapshot.with(make_rule(9, ann, viewer, p1.id));
    snapshot = snapshot.with(make_rule(5, ann, viewer, p1.id));
    const Decision decision = ask(ann, "project", Action::read, p1);
    EXPECT_EQ(decision.rule->value, 5);
    EXPECT_EQ(decision.rule_scope, snapshot.find(p1.id));
}

TEST_F(SmallTree, ReadsGroupsAlike) {
    snapshot = snapshot.with(make_rule(1, team, viewer, d2.id));
    const std::vector<Subject> both{ann, team};
    EXPECT_TRUE(decide(snapshot, {both, permission("project", Action::read), *snapshot.find(p3.id)})
                    .allowed());
    EXPECT_FALSE(ask(ann, "project", Action::read, p3).allowed());
}

TEST_F(SmallTree, ForgetsRemovedRulesAndNodes) {
    AccessRule rule = make_rule(1, ann, viewer, p1.id);
    const AccessSnapshot before = snapshot.with(rule);
    rule.deleted_at = Timestamp{1};
    snapshot = before.with(rule);
    EXPECT_FALSE(ask(ann, "project", Action::read, p1).allowed());
    EXPECT_EQ(before.rule_count(), 1U) << "an old snapshot does not change";

    snapshot = before;
    OrgUnit gone = p1;
    gone.deleted_at = Timestamp{1};
    snapshot = snapshot.with(gone);
    EXPECT_FALSE(snapshot.find(p1.id).has_value());
    const std::vector<Subject> subjects{ann};
    EXPECT_TRUE(permitted_scopes(snapshot, subjects, permission("project", Action::read)).empty());
}

TEST_F(SmallTree, KnowsOnlyItsOwnTenant) {
    EXPECT_FALSE(snapshot.find({TenantId{2}, ScopeType::project, "21"}).has_value());
    EXPECT_FALSE(snapshot.rule({TenantId{2}, 1}).has_value());
    AccessRule foreign = make_rule(1, ann, viewer, p1.id);
    foreign.id.tenant = TenantId{2};
    EXPECT_EQ(snapshot.with(foreign).rule_count(), 0U);
}

TEST_F(SmallTree, GrantsNothingForAnUnknownRole) {
    snapshot = snapshot.with(make_rule(1, ann, 424242, root));
    EXPECT_FALSE(ask(ann, "project", Action::read, p1).allowed());
}

TEST_F(SmallTree, ListsTopmostScopes) {
    snapshot = snapshot.with(make_rule(1, ann, viewer, d1.id));
    snapshot = snapshot.with(make_rule(2, ann, viewer, p1.id));
    snapshot = snapshot.with(make_rule(3, ann, viewer, p3.id));
    const std::vector<Subject> subjects{ann};
    const std::vector<NodeIndex> expected{*snapshot.find(d1.id), *snapshot.find(p3.id)};
    EXPECT_EQ(permitted_scopes(snapshot, subjects, permission("project", Action::read)), expected);
    EXPECT_EQ(snapshot.path(*snapshot.find(p1.id)), "acme/unit-c1/unit-11/unit-21");
}

/// Who may grant which role by the subset rule, as the contract lists it (contract 4.2).
TEST(Escalation, FollowsTheContract) {
    const std::vector<std::int32_t> all{1,  3,  4,  5,   6,    7,    8,    9,    10,
                                        11, 12, 13, 373, 1708, 1709, 1710, 1711, 2256};
    const std::map<std::int32_t, std::vector<std::int32_t>> grants{
        {1, all},
        {1708, {1708, 1710, 3, 4, 5, 8, 6, 7, 13, 9, 10, 11, 12, 373, 2256}},
        {1710, {1710, 4, 5, 8, 6, 7, 13, 9, 10, 11, 12, 373, 2256}},
        {3, {3, 4, 5, 8, 7, 13, 9, 10, 11, 12, 373, 2256}},
        {4, {4, 13, 9, 10, 11, 12, 2256}}};
    const Permission may_create = permission("access_rules", Action::create);
    for (const PredefinedRole& caller : predefined_roles()) {
        const auto listed = grants.find(caller.number);
        EXPECT_EQ(caller.permissions.contains(may_create), listed != grants.end()) << caller.name;
        if (listed == grants.end()) {
            continue;
        }
        for (const std::int32_t number : all) {
            const bool expected = std::ranges::find(listed->second, number) != listed->second.end();
            EXPECT_EQ(caller.permissions.includes(find_role(number)->permissions), expected)
                << caller.name << " grants " << find_role(number)->name;
        }
    }
}

TEST(Roles, AreEighteenWithoutSync) {
    EXPECT_EQ(predefined_roles().size(), 18U);
    for (const PredefinedRole& role : predefined_roles()) {
        for (const Permission held : role.permissions.list()) {
            EXPECT_NE(held.action, Action::sync) << role.name;
        }
    }
    EXPECT_EQ(find_role(department_administrator)->name, "Department administrator");
    EXPECT_EQ(find_role(2), nullptr);
}

// --- against the model --------------------------------------------------------------------------

/// A random tree with rules, grown by single changes.
class RandomWorld {
public:
    explicit RandomWorld(std::mt19937_64& random) : random_(random), snapshot_(make_tenant()) {
        nodes_.push_back(tenant_scope(tenant_id));
    }

    void change() {
        switch (pick(6)) {
        case 0:
        case 1:
            add_unit();
            break;
        case 2:
            remove_unit();
            break;
        case 3:
            remove_rule();
            break;
        default:
            add_rule();
        }
    }

    void compare() {
        const std::vector<Subject> subjects{subject(pick(6)), subject(pick(6))};
        const Permission asked{static_cast<ResourceType>(pick(resource_types().size())),
                               static_cast<Action>(pick(4))};
        const ScopeId at = nodes_[pick(nodes_.size())];
        const auto node = snapshot_.find(at);
        ASSERT_TRUE(node.has_value());
        const NaiveModel model{units_, rules_};
        const Decision decision = decide(snapshot_, {subjects, asked, *node});
        EXPECT_EQ(decision.allowed(), model.allows(subjects, asked, at));
        EXPECT_EQ(decision.rule ? decision.rule->value : 0,
                  model.nearest_rule(subjects, asked, at));
        EXPECT_EQ(permissions_at(snapshot_, subjects, *node).contains(asked), decision.allowed());
        const AccessSnapshot built = AccessSnapshot::build(make_tenant(), units_, rules_);
        EXPECT_EQ(decide(built, {subjects, asked, *built.find(at)}).allowed(), decision.allowed());
        EXPECT_EQ(built.rule_count(), snapshot_.rule_count());
    }

private:
    std::size_t pick(std::size_t count) { return random_() % count; }
    static Subject subject(std::size_t number) {
        const auto type = static_cast<SubjectType>(number % 3);
        Uuid id;
        id.bytes[15] = static_cast<std::uint8_t>(number);
        return {type,
                type == SubjectType::service_account ? id.text() : "s" + std::to_string(number)};
    }
    void add_unit() {
        const ScopeId parent = nodes_[pick(nodes_.size())];
        if (parent.type == ScopeType::project || nodes_.size() > 60) {
            return;
        }
        const auto type = static_cast<ScopeType>(static_cast<int>(parent.type) + 1);
        const OrgUnit unit = make_unit(type, std::to_string(++last_), parent);
        units_.push_back(unit);
        nodes_.push_back(unit.id);
        snapshot_ = snapshot_.with(unit);
    }
    void remove_unit() {
        const ScopeId id = nodes_[pick(nodes_.size())];
        const bool has_children =
            std::ranges::any_of(units_, [&](const OrgUnit& unit) { return unit.parent == id; });
        if (id.type == ScopeType::tenant || has_children) {
            return;
        }
        const auto unit = std::ranges::find(units_, id, &OrgUnit::id);
        for (AccessRule& rule : rules_) { // as the service does, in one transaction
            if (rule.scope == id) {
                rule.deleted_at = Timestamp{1};
                snapshot_ = snapshot_.with(rule);
            }
        }
        std::erase_if(rules_, [](const AccessRule& rule) { return rule.deleted_at.has_value(); });
        unit->deleted_at = Timestamp{1};
        snapshot_ = snapshot_.with(*unit);
        units_.erase(unit);
        std::erase(nodes_, id);
    }
    void add_rule() {
        const PredefinedRole& role = predefined_roles()[pick(predefined_roles().size())];
        rules_.push_back(
            make_rule(++last_rule_, subject(pick(6)), role.number, nodes_[pick(nodes_.size())]));
        snapshot_ = snapshot_.with(rules_.back());
    }
    void remove_rule() {
        if (rules_.empty()) {
            return;
        }
        const std::size_t at = pick(rules_.size());
        rules_[at].deleted_at = Timestamp{1};
        snapshot_ = snapshot_.with(rules_[at]);
        rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(at));
    }

    std::mt19937_64& random_;
    AccessSnapshot snapshot_;
    std::vector<OrgUnit> units_;
    std::vector<AccessRule> rules_;
    std::vector<ScopeId> nodes_;
    int last_ = 0;
    std::int32_t last_rule_ = 0;
};

TEST(Decide, AgreesWithTheModelInTenThousandCases) {
    const char* given = std::getenv("CLAVIGER_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "CLAVIGER_SEED=" << seed << "\n";
    std::mt19937_64 random(seed);
    for (int world = 0; world < 100; ++world) {
        RandomWorld at(random);
        for (int step = 0; step < 100; ++step) {
            at.change();
            at.compare();
            if (::testing::Test::HasFailure()) {
                FAIL() << "world " << world << ", step " << step << ", seed " << seed;
            }
        }
    }
}

} // namespace
} // namespace claviger
