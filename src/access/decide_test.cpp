// SPDX-License-Identifier: Apache-2.0
#include "access/decide.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>

#include "access/naive_model.h"
#include "access/test_rows.h"

namespace claviger {
namespace {

constexpr std::int32_t department_administrator = 1710;

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
    EXPECT_EQ(rule_count(before), 1U) << "an old snapshot does not change";

    snapshot = before;
    OrgUnit gone = p1;
    gone.deleted_at = Timestamp{1};
    snapshot = snapshot.with(gone);
    EXPECT_FALSE(snapshot.find(p1.id).has_value());
    const std::vector<Subject> subjects{ann};
    EXPECT_TRUE(
        permitted_scopes(snapshot, {subjects}, permission("project", Action::read)).empty());
}

TEST_F(SmallTree, GivesNothingBelowARemovedNode) {
    const AccessSnapshot before = snapshot.with(make_rule(1, ann, viewer, d1.id));
    const NodeIndex project = *before.find(p1.id);
    snapshot = before.with(removed(d1));
    const std::vector<Subject> subjects{ann};
    const Permission read = permission("project", Action::read);
    EXPECT_FALSE(decide(snapshot, {subjects, read, project}).allowed());
    EXPECT_TRUE(permissions_at(snapshot, {subjects}, project).list().empty());
    EXPECT_TRUE(permissions_anywhere(snapshot, {subjects}).list().empty());
    EXPECT_TRUE(decide(before, {subjects, read, project}).allowed()) << "the old one is as it was";
}

TEST_F(SmallTree, DeniesAtAnIndexThatIsNoNode) {
    snapshot = snapshot.with(make_rule(1, ann, 1, root));
    const std::vector<Subject> subjects{ann};
    const Permission read = permission("project", Action::read);
    const Decision decision = decide(snapshot, {subjects, read, NodeIndex{4096}});
    EXPECT_FALSE(decision.allowed());
    EXPECT_EQ(decision.reason, DecisionReason::out_of_reach);
    EXPECT_TRUE(permissions_at(snapshot, {subjects}, NodeIndex{4096}).list().empty());
}

TEST_F(SmallTree, KnowsOnlyItsOwnTenant) {
    EXPECT_FALSE(snapshot.find({TenantId{2}, ScopeType::project, "21"}).has_value());
    EXPECT_FALSE(snapshot.rule({TenantId{2}, 1}).has_value());
    AccessRule foreign = make_rule(1, ann, viewer, p1.id);
    foreign.id.tenant = TenantId{2};
    EXPECT_EQ(rule_count(snapshot.with(foreign)), 0U);
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
    EXPECT_EQ(permitted_scopes(snapshot, {subjects}, permission("project", Action::read)),
              expected);
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
    for (const std::int32_t caller_number : all) {
        const PredefinedRole& caller = *find_role(caller_number);
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

/// The roles that the contract only names: ours are made so that the same people grant them.
TEST(Escalation, ReachesTheNewerRoles) {
    const std::map<std::int32_t, std::vector<std::int32_t>> granted_by{
        {3001, {1, 1708, 1710, 3003}}, {3002, {1}}, {3003, {1, 1708, 1710, 3003}}};
    const Permission may_create = permission("access_rules", Action::create);
    for (const auto& [number, granters] : granted_by) {
        std::vector<std::int32_t> found;
        for (const PredefinedRole& caller : predefined_roles()) {
            if (caller.permissions.contains(may_create) &&
                caller.permissions.includes(find_role(number)->permissions)) {
                found.push_back(caller.number);
            }
        }
        EXPECT_EQ(found, granters) << find_role(number)->name;
    }
}

TEST(Roles, AreTwentyOneWithoutSync) {
    EXPECT_EQ(predefined_roles().size(), 21U);
    EXPECT_LT(predefined_roles().back().number, first_own_role);
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
        switch (pick(11)) {
        case 0:
        case 1:
        case 2:
            add_unit();
            break;
        case 6:
            change_role();
            break;
        case 3:
            change_unit();
            break;
        case 4:
            tenant_.name = "acme-" + std::to_string(pick(100));
            snapshot_ = snapshot_.with(tenant_);
            break;
        case 5:
            remove_rule();
            break;
        default:
            put_rule();
        }
    }

    void compare() {
        const std::vector<AccessLimit> limits = any_limits();
        std::vector<const AccessLimit*> bounds;
        std::ranges::transform(limits, std::back_inserter(bounds),
                               [](const AccessLimit& limit) { return &limit; });
        const std::vector<Subject> subjects{subject(pick(6)), subject(pick(6)), subject(pick(6))};
        const Permission asked{static_cast<ResourceType>(pick(resource_types().size())),
                               static_cast<Action>(pick(4))};
        const ScopeId at = nodes_[pick(nodes_.size())];
        const NaiveModel model{tenant_id, units_, rules_, roles_, limits};
        const AccessSnapshot built = AccessSnapshot::build(tenant_, units_, rules_, roles_);
        EXPECT_EQ(rule_count(built), rule_count(snapshot_));
        EXPECT_EQ(node_count(built), node_count(snapshot_));
        for (const AccessSnapshot& snapshot : {snapshot_, built}) {
            const auto node = snapshot.find(at);
            ASSERT_EQ(node.has_value(), model.is_live(at));
            compare_scopes(snapshot, model, {subjects, bounds}, subjects, asked);
            if (node) {
                EXPECT_EQ(snapshot.path(*node).starts_with(tenant_.name), true);
                compare_at(snapshot, model, {subjects, asked, *node, bounds}, subjects, at);
            }
        }
    }

private:
    static void compare_at(const AccessSnapshot& snapshot, const NaiveModel& model,
                           const AccessQuery& query, const std::vector<Subject>& subjects,
                           const ScopeId& at) {
        const Decision decision = decide(snapshot, query);
        const std::int32_t nearest = model.nearest_rule(subjects, query.permission, at);
        const DecisionReason reason = model.reason(subjects, query.permission, at);
        const bool is_allowed = reason == DecisionReason::permitted;
        EXPECT_EQ(decision.allowed(), is_allowed);
        EXPECT_EQ(decision.rule ? decision.rule->value : 0, is_allowed ? nearest : 0);
        EXPECT_EQ(decision.reason, reason);
        EXPECT_EQ(permissions_at(snapshot, {subjects, query.limits}, query.scope).list(),
                  model.permissions_at(subjects, at).list());
    }
    static void compare_scopes(const AccessSnapshot& snapshot, const NaiveModel& model,
                               const AccessHolder& holder, const std::vector<Subject>& subjects,
                               Permission asked) {
        std::set<ScopeId> scopes;
        for (const NodeIndex node : permitted_scopes(snapshot, holder, asked)) {
            EXPECT_TRUE(scopes.insert(snapshot.scope_id(node)).second);
        }
        EXPECT_EQ(scopes, model.permitted_scopes(subjects, asked));
        EXPECT_EQ(permissions_anywhere(snapshot, holder).list(),
                  model.permissions_anywhere(subjects).list());
    }

    std::size_t pick(std::size_t count) { return random_() % count; }
    /// None in half of the questions; scopes and roles that are gone stand among theirs.
    std::vector<AccessLimit> any_limits() {
        std::vector<AccessLimit> limits;
        for (const LimitSource source : {LimitSource::key, LimitSource::token}) {
            if (pick(3) != 0) {
                continue;
            }
            AccessLimit& limit = limits.emplace_back();
            limit.source = source;
            if (pick(2) == 0) {
                const auto sets = predefined_permission_sets();
                limit.permissions = permissions_of_sets({&sets[pick(sets.size())].id, 1});
            }
            for (std::size_t count = pick(3); count != 0; --count) {
                limit.roles.push_back(any_role());
            }
            if (pick(2) == 0) {
                limit.scopes.emplace();
                for (std::size_t count = pick(4); count != 0; --count) {
                    limit.scopes->push_back(nodes_[pick(nodes_.size())]);
                }
            }
        }
        return limits;
    }
    static Subject subject(std::size_t number) {
        const auto type = static_cast<SubjectType>(number % 3);
        Uuid id;
        id.bytes[15] = static_cast<std::uint8_t>(number);
        return {type, type == SubjectType::service_account ? id.text()
                                                           : "s" + std::to_string(number / 3)};
    }
    void add_unit() {
        const ScopeId parent = nodes_[pick(nodes_.size())];
        if (parent.type == ScopeType::project || nodes_.size() > 60 ||
            !snapshot_.find(parent).has_value()) {
            return;
        }
        const auto type = static_cast<ScopeType>(static_cast<int>(parent.type) + 1);
        const OrgUnit unit = make_unit(type, std::to_string(++last_), parent);
        units_.push_back(unit);
        nodes_.push_back(unit.id);
        snapshot_ = snapshot_.with(unit);
    }
    /// Renames a unit or, one time in three, removes it with all that is below it.
    void change_unit() {
        if (units_.empty()) {
            return;
        }
        OrgUnit& unit = units_[pick(units_.size())];
        if (!unit.deleted_at && pick(3) == 0) {
            unit.deleted_at = Timestamp{1};
        }
        unit.name += "'";
        if (snapshot_.find(unit.id)) {
            snapshot_ = snapshot_.with(unit);
        }
    }
    /// Makes an own role, or gives it other permission sets; some are disabled, some deleted.
    void change_role() {
        const std::size_t place = pick(own_role_count);
        std::erase_if(roles_, [&](const Role& old) { return old.id == own_role(place); });
        Role& role = roles_.emplace_back();
        role.id = own_role(place);
        role.name = "role-" + std::to_string(place);
        for (std::size_t count = pick(4); count != 0; --count) {
            const auto sets = predefined_permission_sets();
            role.permission_sets.push_back(sets[pick(sets.size())].id);
        }
        role.enabled = pick(4) != 0;
        if (pick(5) == 0) {
            role.deleted_at = Timestamp{1};
        }
        snapshot_ = snapshot_.with(role);
    }
    static RoleId own_role(std::size_t place) {
        return {tenant_id, first_own_role + 1 + static_cast<std::int32_t>(place)};
    }
    /// A predefined role, an own one that may be disabled or not exist, or one that cannot exist.
    std::int32_t any_role() {
        if (pick(20) == 0) {
            return 424242;
        }
        return pick(2) == 0 ? own_role(pick(own_role_count)).value
                            : predefined_roles()[pick(predefined_roles().size())].number;
    }
    /// Adds a rule or, one time in four, gives a living one another content.
    void put_rule() {
        AccessRule rule = make_rule(0, subject(pick(6)), any_role(), nodes_[pick(nodes_.size())]);
        const bool replaces = !rules_.empty() && pick(4) == 0;
        if (replaces) {
            AccessRule& old = rules_[pick(rules_.size())];
            if (old.deleted_at || !snapshot_.rule(old.id)) {
                return;
            }
            rule.id = old.id;
            old = rule;
        } else {
            rule.id.value = ++last_rule_;
            rules_.push_back(rule);
        }
        snapshot_ = snapshot_.with(rule);
    }
    void remove_rule() {
        if (rules_.empty()) {
            return;
        }
        AccessRule& rule = rules_[pick(rules_.size())];
        rule.deleted_at = Timestamp{1};
        snapshot_ = snapshot_.with(rule);
    }

    static constexpr std::size_t own_role_count = 5;

    std::mt19937_64& random_;
    Tenant tenant_ = make_tenant();
    AccessSnapshot snapshot_;
    std::vector<OrgUnit> units_;
    std::vector<AccessRule> rules_;
    std::vector<Role> roles_;
    std::vector<ScopeId> nodes_; // removed ones as well
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
