// SPDX-License-Identifier: Apache-2.0
#include "api/unit_attributes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace claviger {
namespace {

constexpr std::array<std::string_view, 3> memory_units{"Mib", "MB", "GB"};
constexpr std::size_t most_resources = 100;
constexpr std::size_t longest_text = 65'536; // bytes of a unit's attributes
constexpr double largest_quantity = 1e12;
/// Clients of earlier days spell "no limit" so.
constexpr double no_limit = -1;

Result<void> check_quantity(std::string_view name, const std::optional<double>& quantity,
                            double least = 0) {
    if (quantity && (*quantity < least || *quantity > largest_quantity)) {
        return fail(ErrorCode::invalid_request,
                    std::string(name) + " must be from " + number_text(least) + " to 1e12");
    }
    return {};
}

Result<void> check_quota(const auto& quota) {
    if (quota) {
        TRY(check_quantity("deserved", quota->deserved));
        TRY(check_quantity("limit", quota->limit, no_limit));
        TRY(check_quantity("overQuotaWeight", quota->over_quota_weight));
    }
    return {};
}

std::string_view pool_of(const Resources& entry) {
    return entry.node_pool ? std::string_view(entry.node_pool->id) : "";
}

Result<void> check_resources(const std::vector<Resources>& resources) {
    if (resources.size() > most_resources) {
        return fail(ErrorCode::invalid_request, "resources has more than 100 entries");
    }
    std::vector<std::string_view> pools;
    for (const Resources& entry : resources) {
        TRY(check_quota(entry.gpu));
        TRY(check_quota(entry.cpu));
        TRY(check_quota(entry.memory));
        pools.push_back(pool_of(entry));
    }
    std::ranges::sort(pools);
    if (std::ranges::adjacent_find(pools) != pools.end()) {
        return fail(ErrorCode::invalid_request, "resources names the same nodePool twice");
    }
    return {};
}

Result<void> check_scheduling_rules(const SchedulingRules& rules) {
    bool positive = true;
    for_each_member<SchedulingRules>([&](auto member) {
        const auto& seconds = rules.*member.pointer;
        positive = positive && (!seconds || *seconds >= 1);
    });
    if (!positive) {
        return fail(ErrorCode::invalid_request, "schedulingRules: a time must be 1 or more");
    }
    return {};
}

double deserved_of(const auto& quota) {
    return quota ? quota->deserved.value_or(0) : 0;
}

/// Changes the resources of a unit as they are when the change is made.
template <class Edit>
Result<std::vector<Resources>> edit_resources(Context& context, const ScopeId& id, Edit edit) {
    OrgUnitChange change;
    change.attributes = [&edit](const std::string& before) -> Result<std::string> {
        UnitAttributes attributes = attributes_of(before);
        edit(attributes.resources);
        return attributes_text(attributes);
    };
    const OrgUnit unit = TRY(context.services.org_units.update(context.caller, id, change));
    return shown_resources(attributes_of(unit.attributes));
}

template <class Field>
void take_if_there(std::optional<Field>& field, const std::optional<Field>& said) {
    if (said) {
        field = said;
    }
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

double MemoryUnits::megabytes() const {
    return value == "Mib" ? 1.048576 : value == "GB" ? 1000 : 1;
}

Result<std::string> attributes_text(const UnitAttributes& attributes) {
    if (attributes.resources) {
        TRY(check_resources(*attributes.resources));
    }
    if (attributes.scheduling_rules) {
        TRY(check_scheduling_rules(*attributes.scheduling_rules));
    }
    std::string text;
    JsonWriter writer(text);
    encode(writer, attributes);
    if (text.size() > longest_text) {
        return fail(ErrorCode::invalid_request,
                    "what is set of this unit is longer than 64 KiB together");
    }
    return text;
}

UnitAttributes attributes_of(std::string_view text) {
    json::error_code ec;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), ec);
    if (ec || !value.is_object()) {
        return {};
    }
    return decode_object<UnitAttributes>(value.get_object()).value_or(UnitAttributes{});
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

TotalResources total_of(const std::vector<Resources>& resources) {
    double gpu = 0;
    double cpu = 0;
    double memory = 0;
    for (const Resources& entry : resources) {
        gpu += deserved_of(entry.gpu);
        cpu += deserved_of(entry.cpu);
        memory += entry.memory ? deserved_of(entry.memory) * entry.memory->units.megabytes() : 0;
    }
    return {{gpu}, {cpu}, {memory}};
}

std::int64_t total_gpu_quota(const OrgUnit& unit) {
    // A list is sorted by this, so the text is searched, not parsed. attributes_text() writes it
    // like that, and nothing else can read so: inside a string the quotes would be escaped.
    constexpr std::string_view start = R"("gpu":{"deserved":)";
    const std::string_view text = unit.attributes;
    double total = 0;
    for (std::size_t at = text.find(start); at != std::string_view::npos;
         at = text.find(start, at)) {
        at += start.size();
        double deserved = 0;
        std::from_chars(text.data() + at, text.data() + text.size(), deserved);
        total += deserved;
    }
    return std::llround(std::min(total, largest_quantity) * 1e6);
}

Result<std::vector<Resources>> replace_resources(Context& context, const ScopeId& id,
                                                 const std::vector<Resources>& resources) {
    return edit_resources(context, id, [&](auto& kept) { kept = resources; });
}

Result<std::vector<Resources>> merge_resources(Context& context, const ScopeId& id,
                                               const std::vector<Resources>& resources) {
    TRY(check_resources(resources));
    return edit_resources(context, id, [&](std::optional<std::vector<Resources>>& kept) {
        auto& entries = kept ? *kept : kept.emplace();
        for (const Resources& said : resources) {
            const auto at = std::ranges::find(entries, pool_of(said), pool_of);
            if (at == entries.end()) {
                entries.push_back(said);
                continue;
            }
            take_if_there(at->node_pool, said.node_pool);
            take_if_there(at->gpu, said.gpu);
            take_if_there(at->cpu, said.cpu);
            take_if_there(at->memory, said.memory);
            take_if_there(at->priority, said.priority);
        }
    });
}

} // namespace claviger
