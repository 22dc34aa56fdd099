// SPDX-License-Identifier: Apache-2.0
// Decisions and their explanations in one process, over a tenant with many rules.
#include <array>
#include <cstdio>
#include <random>

#include "access/explain.h"
#include "base/huge_pages.h"
#include "bench/bench.h"

namespace claviger::bench {
namespace {

constexpr TenantId tenant_id{1};
constexpr std::int32_t projects = 10'000;
constexpr std::int32_t projects_of_department = 20;
constexpr std::size_t questions = 1 << 14;

ScopeId project_of(std::int64_t number) {
    return {tenant_id, ScopeType::project, std::to_string(number % projects)};
}

Subject user_of(std::int64_t number) {
    return {SubjectType::user, "user-" + std::to_string(number) + "@bench.example"};
}

std::vector<OrgUnit> make_units() {
    const ScopeId cluster{tenant_id, ScopeType::cluster, "c"};
    std::vector<OrgUnit> units;
    const auto add = [&](const ScopeId& id, const ScopeId& parent) {
        OrgUnit unit;
        unit.id = id;
        unit.parent = parent;
        unit.name = id.value;
        units.push_back(std::move(unit));
    };
    add(cluster, tenant_scope(tenant_id));
    for (std::int32_t i = 0; i < projects / projects_of_department; ++i) {
        add({tenant_id, ScopeType::department, "d" + std::to_string(i)}, cluster);
    }
    for (std::int32_t i = 0; i < projects; ++i) {
        add(project_of(i),
            {tenant_id, ScopeType::department, "d" + std::to_string(i / projects_of_department)});
    }
    return units;
}

/// Ten rules a user, of all roles in turn.
std::vector<AccessRule> make_rules(std::int64_t count) {
    const auto roles = predefined_roles();
    std::vector<AccessRule> rules;
    rules.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
        AccessRule rule;
        rule.id = {tenant_id, static_cast<std::int32_t>(i + 1)};
        rule.subject = user_of(i / 10);
        rule.role = {tenant_id, roles[static_cast<std::size_t>(i) % roles.size()].number};
        rule.scope = project_of(i * 7);
        rule.created_by = "bench";
        rules.push_back(std::move(rule));
    }
    return rules;
}

struct Question {
    Subject subject;
    Permission permission;
    NodeIndex scope{};
};

/// Half of them where the user has a rule.
std::vector<Question> make_questions(const AccessSnapshot& snapshot, std::int64_t rules) {
    std::mt19937_64 random(42);
    const auto types = resource_types();
    std::vector<Question> all;
    while (all.size() < questions) {
        const auto rule = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rules));
        const std::int64_t place =
            all.size() % 2 == 0 ? rule * 7 : static_cast<int>(random() >> 40);
        all.push_back({user_of(rule / 10),
                       {types[random() % types.size()].id, Action::read},
                       *snapshot.find(project_of(place))});
    }
    return all;
}

/// The CPU time of one call, in nanoseconds. Who asks has just read whose rights it asks for: the
/// question itself is no part of what the memory has to be waited for.
template <class Ask>
double nanoseconds_of(const std::vector<Question>& all, double seconds, Ask ask) {
    std::array<Question, 64> next;
    double used = 0;
    std::size_t calls = 0;
    while (used < seconds) {
        for (Question& question : next) {
            question = all[calls++ % all.size()];
        }
        const double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        for (const Question& question : next) {
            ask(question);
        }
        used += seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
    return used * 1e9 / static_cast<double>(calls);
}

} // namespace

Result<void> measure_decisions(std::int64_t rules, double seconds) {
    Tenant tenant;
    tenant.id = tenant_id;
    const AccessSnapshot snapshot = AccessSnapshot::build(tenant, make_units(), make_rules(rules));
    move_heap_to_huge_pages(); // as the server does when it has read everything
    const std::vector<Question> all = make_questions(snapshot, rules);
    std::size_t allowed = 0;
    std::size_t asked = 0;
    const double decide_ns = nanoseconds_of(all, seconds, [&](const Question& question) {
        const AccessQuery query{{&question.subject, 1}, question.permission, question.scope};
        allowed += decide(snapshot, query).allowed() ? 1U : 0U;
        ++asked;
    });
    std::size_t suggested = 0;
    const double explain_ns = nanoseconds_of(all, seconds, [&](const Question& question) {
        const AccessQuery query{{&question.subject, 1}, question.permission, question.scope};
        suggested += explain(snapshot, query).grants.size();
    });
    if (allowed == 0 || allowed == asked || suggested == 0) {
        return fail(ErrorCode::internal, "the questions are not of all kinds");
    }
    std::printf("decide %.0f explain %.0f\n", decide_ns, explain_ns);
    return {};
}

} // namespace claviger::bench
