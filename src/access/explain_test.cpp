// SPDX-License-Identifier: Apache-2.0
#include "access/explain.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "access/drawn_tenant.h"

namespace claviger {
namespace {

/// A drawn tenant from which things have been taken since, and a question about it.
struct DrawnQuestion {
    std::mt19937_64& random;
    DrawnTenant tenant{random};
    AccessSnapshot snapshot = tenant.draw();
    Permission what{};
    ScopeId at{};
    NodeIndex node{};
    std::vector<Subject> subjects{drawn_caller};
    std::vector<AccessLimit> limits{};
    std::vector<const AccessLimit*> bounds{};

    void draw() {
        what = tenant.permission();
        at = tenant.node();
        node = *snapshot.find(at); // which may be removed now
        for (std::size_t count = tenant.pick(3); count > 0; --count) {
            take_something();
        }
        if (tenant.pick(3) == 0) {
            subjects.push_back({SubjectType::group, "staff"});
            tenant.rules.push_back(make_rule(50, subjects.back(), tenant.role(), tenant.node()));
            snapshot = snapshot.with(tenant.rules.back());
        }
        for (std::size_t count = tenant.pick(4); count > 2; --count) {
            limits.push_back(limit());
        }
        for (const AccessLimit& one : limits) {
            bounds.push_back(&one);
        }
    }
    void take_something() {
        if (tenant.pick(2) == 0 && !tenant.roles.empty()) {
            Role& role = tenant.roles[tenant.pick(tenant.roles.size())];
            if (tenant.pick(2) == 0) {
                role.deleted_at = Timestamp{1};
            }
            role.enabled = false;
            snapshot = snapshot.with(role);
        } else if (!tenant.units.empty()) {
            OrgUnit& unit = tenant.units[tenant.pick(tenant.units.size())];
            unit.deleted_at = Timestamp{1};
            snapshot = snapshot.with(unit);
        }
    }
    AccessLimit limit() {
        AccessLimit limit;
        limit.source = tenant.pick(2) == 0 ? LimitSource::key : LimitSource::token;
        if (tenant.pick(2) == 0) {
            limit.scopes = {tenant.node()};
        } else {
            limit.permissions.emplace();
            limit.permissions->add(what);
            limit.permissions->add(tenant.permission());
        }
        if (tenant.pick(4) == 0) {
            limit.permissions.emplace();
        }
        return limit;
    }
    ExplainedDecision explained() const {
        return explain(snapshot, {subjects, what, node, bounds});
    }
    DecisionReason reason_with(std::vector<AccessRule> more) const {
        more.insert(more.end(), tenant.rules.begin(), tenant.rules.end());
        return NaiveModel{tenant_id, tenant.units, more, tenant.roles, limits}.reason(subjects,
                                                                                      what, at);
    }
    bool turns(std::int32_t role, const ScopeId& scope) const {
        return reason_with({make_rule(99, drawn_caller, role, scope)}) == DecisionReason::permitted;
    }
    std::vector<ScopeId> scopes() const {
        std::vector<ScopeId> all{tenant_scope(tenant_id)};
        for (const OrgUnit& unit : tenant.units) {
            all.push_back(unit.id);
        }
        return all;
    }
};

/// The first suggestion turns the decision, as the snapshot has it and as the model has it; no role
/// with fewer permissions does anywhere, nor the same one further down.
void expect_smallest(const DrawnQuestion& asked, const GrantSuggestion& first) {
    const ScopeId scope = asked.snapshot.scope_id(first.scope);
    EXPECT_TRUE(asked.turns(first.role, scope));
    const AccessSnapshot next = asked.snapshot.with(make_rule(99, drawn_caller, first.role, scope));
    EXPECT_TRUE(decide(next, {asked.subjects, asked.what, asked.node, asked.bounds}).allowed());
    const auto sizes = asked.tenant.sizes();
    const auto size =
        std::ranges::find(sizes, first.role, &std::pair<std::int32_t, std::size_t>::first)->second;
    const NaiveModel model{tenant_id, asked.tenant.units, asked.tenant.rules, asked.tenant.roles};
    for (const ScopeId& other : asked.scopes()) {
        const bool is_lower = model.distance(other, scope) > 0;
        EXPECT_FALSE(is_lower && asked.turns(first.role, other));
        for (const auto& [role, smaller] : sizes) {
            EXPECT_FALSE(smaller < size && asked.turns(role, other)) << "role " << role;
        }
    }
}

/// Where nothing is suggested, no rule would do.
void expect_hopeless(const DrawnQuestion& asked) {
    for (const ScopeId& scope : asked.scopes()) {
        for (const auto& [role, size] : asked.tenant.sizes()) {
            EXPECT_FALSE(asked.turns(role, scope)) << "role " << role;
        }
    }
}

void expect_right_grounds(const DrawnQuestion& asked, const ExplainedDecision& found) {
    const NaiveModel model{tenant_id, asked.tenant.units, asked.tenant.rules, asked.tenant.roles,
                           asked.limits};
    if (found.decision.allowed()) {
        ASSERT_FALSE(found.inheritance.empty());
        EXPECT_EQ(found.inheritance.front(), *found.decision.rule_scope);
        EXPECT_EQ(found.inheritance.back(), asked.node);
        for (std::size_t i = 1; i < found.inheritance.size(); ++i) {
            EXPECT_EQ(asked.snapshot.parent(found.inheritance[i]), found.inheritance[i - 1]);
        }
        return;
    }
    if (!model.is_live(asked.at)) {
        EXPECT_TRUE(found.held_at.empty() && found.grants.empty());
        return;
    }
    EXPECT_EQ(found.held_there, model.permissions_at(asked.subjects, asked.at));
    std::set<ScopeId> held_at;
    for (const NodeIndex node : found.held_at) {
        held_at.insert(asked.snapshot.scope_id(node));
    }
    EXPECT_EQ(held_at, model.permitted_scopes(asked.subjects, asked.what));
    EXPECT_TRUE(std::ranges::is_sorted(found.held_at, {}, [&](NodeIndex node) {
        return distance(asked.snapshot, asked.node, node);
    }));
}

TEST(Explain, TheFirstSuggestionTurnsTheDecisionAndNothingSmallerDoes) {
    std::mt19937_64 random(20'261'128);
    std::size_t allowed = 0;
    std::size_t turned = 0;
    std::size_t hopeless = 0;
    std::size_t limited = 0;
    for (int round = 0; round < 300; ++round) {
        SCOPED_TRACE(round);
        DrawnQuestion asked{random};
        asked.draw();
        const ExplainedDecision found = asked.explained();
        EXPECT_EQ(found.decision.reason, asked.reason_with({}));
        expect_right_grounds(asked, found);
        if (found.decision.allowed()) {
            ++allowed;
            continue;
        }
        limited += found.limit ? 1U : 0U;
        if (found.grants.empty()) {
            ++hopeless;
            expect_hopeless(asked);
        } else {
            ++turned;
            expect_smallest(asked, found.grants.front());
        }
    }
    // Else the comparison says nothing.
    EXPECT_GT(allowed, 10U);
    EXPECT_GT(turned, 60U);
    EXPECT_GT(hopeless, 20U);
    EXPECT_GT(limited, 10U);
}

TEST(Explain, ALimitThatRefusesWhateverRulesSayIsNamedAndNothingSuggested) {
    const OrgUnit cluster = make_unit(ScopeType::cluster, "c", tenant_scope(tenant_id));
    const AccessSnapshot snapshot = AccessSnapshot::build(make_tenant(), {cluster}, {});
    AccessLimit limit{.source = LimitSource::token};
    limit.permissions.emplace();
    const AccessLimit* const bound = &limit;
    const AccessQuery query{{&drawn_caller, 1},
                            permission("cluster", Action::read),
                            *snapshot.find(cluster.id),
                            {&bound, 1}};
    const ExplainedDecision found = explain(snapshot, query);
    EXPECT_EQ(found.decision.reason, DecisionReason::no_rule);
    EXPECT_EQ(found.limit, LimitSource::token);
    EXPECT_TRUE(found.grants.empty());
}

} // namespace
} // namespace claviger
