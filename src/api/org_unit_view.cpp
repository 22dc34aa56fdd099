// SPDX-License-Identifier: Apache-2.0
#include "api/org_unit_view.h"

#include <algorithm>
#include <array>

namespace claviger {
namespace {

constexpr std::array<std::string_view, 3> memory_units{"Mib", "MB", "GB"};
constexpr std::size_t most_resources = 100;

double deserved_of(const auto& quota) {
    return quota ? quota->deserved.value_or(0) : 0;
}

} // namespace

Result<MemoryUnits> MemoryUnits::decode(std::string_view text) {
    if (std::ranges::find(memory_units, text) == memory_units.end()) {
        return fail(ErrorCode::invalid_request, "must be one of Mib, MB, GB");
    }
    return MemoryUnits{std::string(text)};
}

json::object MemoryUnits::schema() {
    return {{"type", "string"}, {"enum", json::array(memory_units.begin(), memory_units.end())}};
}

std::string attributes_text(const UnitAttributes& attributes) {
    std::string text;
    JsonWriter writer(text);
    encode(writer, attributes);
    return text;
}

UnitAttributes attributes_of(const OrgUnit& unit) {
    json::error_code ec;
    const json::value value = json::parse(unit.attributes, ec);
    if (ec || !value.is_object()) {
        return {};
    }
    return decode_object<UnitAttributes>(value.as_object()).value_or(UnitAttributes{});
}

TotalResources total_of(const std::vector<Resources>& resources) {
    double gpu = 0;
    double cpu = 0;
    double memory = 0;
    for (const Resources& entry : resources) {
        gpu += deserved_of(entry.gpu);
        cpu += deserved_of(entry.cpu);
        memory += deserved_of(entry.memory);
    }
    return {{gpu}, {cpu}, {memory}};
}

std::int64_t total_gpu_quota(const OrgUnit& unit) {
    const auto resources = attributes_of(unit).resources.value_or(std::vector<Resources>{});
    return static_cast<std::int64_t>(total_of(resources).gpu_quota.value.value_or(0));
}

std::vector<Resources> shown_resources(const UnitAttributes& attributes) {
    auto resources = attributes.resources.value_or(std::vector<Resources>{});
    for (Resources& entry : resources) {
        if (!entry.gpu) {
            entry.gpu = ResourceQuota{0.0, std::nullopt, std::nullopt};
        }
    }
    return resources;
}

std::vector<NodeIndex> readable_units(const Context& context, ScopeType type,
                                      std::string_view resource_type) {
    const auto subjects = subjects_of(context.caller.principal);
    const auto reach = permitted_scopes(context.access(), subjects,
                                        {*find_resource_type(resource_type), Action::read});
    std::vector<NodeIndex> nodes;
    context.access().for_each_unit(type, [&](NodeIndex node, const OrgUnit&) {
        const bool readable = std::ranges::any_of(
            reach, [&](NodeIndex scope) { return context.access().is_same_or_below(node, scope); });
        if (readable) {
            nodes.push_back(node);
        }
    });
    return nodes;
}

Result<void> check_attributes(const UnitAttributes& attributes) {
    if (attributes.resources && attributes.resources->size() > most_resources) {
        return fail(ErrorCode::invalid_request, "resources has more than 100 entries");
    }
    if (attributes.scheduling_rules) {
        bool positive = true;
        for_each_member<SchedulingRules>([&](auto member) {
            const auto& seconds = *attributes.scheduling_rules.*member.pointer;
            positive = positive && (!seconds || *seconds >= 1);
        });
        if (!positive) {
            return fail(ErrorCode::invalid_request, "schedulingRules: a time must be 1 or more");
        }
    }
    return {};
}

} // namespace claviger
