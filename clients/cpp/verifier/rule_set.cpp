// SPDX-License-Identifier: Apache-2.0
#include "verifier/rule_set.h"

#include <array>
#include <boost/json.hpp>
#include <utility>

#include "access/scope_type.h"
#include "access/subject_type.h"
#include "auth/token_id.h"
#include "base/text.h"

namespace claviger::offline {
namespace {

namespace json = boost::json;

/// Roles are numbered anew, apart from the predefined ones of this version: what a role holds is
/// what the server says.
constexpr std::int32_t first_number = 1'000'000'000;

std::unexpected<Error> malformed(const char* what) {
    return fail(ErrorCode::invalid_request,
                std::string("the snapshot of the rules is malformed: ") + what);
}

/// The elements of a row of exactly this size; null for anything else.
const json::array* row_of(const json::value& value, std::size_t size) {
    const json::array* row = value.if_array();
    return row != nullptr && row->size() == size ? row : nullptr;
}

std::optional<std::string> text_of(const json::value& value) {
    const json::string* text = value.if_string();
    return text == nullptr ? std::nullopt : std::optional(std::string(*text));
}

std::optional<std::int32_t> number_of(const json::value& value) {
    const std::int64_t* number = value.if_int64();
    const bool fits = number != nullptr && std::in_range<std::int32_t>(*number);
    return fits ? std::optional(static_cast<std::int32_t>(*number)) : std::nullopt;
}

std::optional<std::vector<std::string>> texts_of(const json::value& value) {
    if (!value.is_array()) {
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const json::value& each : value.get_array()) {
        auto text = text_of(each);
        if (!text) {
            return std::nullopt;
        }
        texts.push_back(*std::move(text));
    }
    return texts;
}

/// Takes permissions on types of protected APIs out of a ceiling: the server's own reader does not
/// know them here.
std::vector<Permission> take_local(json::value& limits, const LocalTypes& types) {
    std::vector<Permission> taken;
    json::object* object = limits.if_object();
    json::value* ceiling = object == nullptr ? nullptr : object->if_contains("ceiling");
    object = ceiling == nullptr ? nullptr : ceiling->if_object();
    json::value* permissions = object == nullptr ? nullptr : object->if_contains("permissions");
    json::array* list = permissions == nullptr ? nullptr : permissions->if_array();
    for (std::size_t i = 0; list != nullptr && i < list->size();) {
        const auto text = text_of((*list)[i]).value_or("");
        const auto local = claviger::find_permission(text) ? std::nullopt : types.find(text);
        if (local) {
            taken.push_back(*local);
            list->erase(list->begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
    return taken;
}

} // namespace

std::optional<Permission> LocalTypes::find(std::string_view text) const {
    if (const auto known = claviger::find_permission(text)) {
        return known;
    }
    const std::size_t colon = text.find(':');
    const auto type = types_.find(text.substr(0, colon));
    const auto action =
        colon == std::string_view::npos ? std::nullopt : find_action(text.substr(colon + 1));
    return action && type != types_.end() ? std::optional(Permission{type->second, *action})
                                          : std::nullopt;
}

std::optional<Permission> LocalTypes::add(std::string_view text) {
    const std::size_t colon = text.find(':');
    const bool is_new =
        colon != std::string_view::npos && colon > 0 && find_action(text.substr(colon + 1)) &&
        !find_resource_type(text.substr(0, colon)) && types_.size() < most_custom_types;
    if (is_new) {
        const auto next = static_cast<ResourceType>(resource_types().size() + types_.size());
        types_.emplace(text.substr(0, colon), next);
    }
    return find(text);
}

/// Reads the parts one after the other and puts the whole together.
class RuleSet::Builder {
public:
    Result<void> read(const json::object& part);
    Result<RuleSet> finish(std::uint64_t number);

private:
    using ReadRow = Result<void> (Builder::*)(const json::value&);

    Result<void> read_node(const json::value& value);
    Result<void> read_role(const json::value& value);
    Result<void> read_user(const json::value& value);
    Result<void> read_limits(const json::value& value);
    Result<void> read_rule(const json::value& value);

    Tenant tenant_;
    LocalTypes types_;
    std::vector<ScopeId> nodes_;
    std::vector<OrgUnit> units_;
    std::map<std::int32_t, std::int32_t> role_numbers_; // from theirs to ours
    std::vector<OwnRole> roles_;
    std::vector<AccessRule> rules_;
    TextMap<std::vector<Subject>> users_;
    TextMap<CredentialLimits> limits_;
};

Result<void> RuleSet::Builder::read(const json::object& part) {
    static constexpr std::array<std::pair<std::string_view, ReadRow>, 5> members{
        {{"nodes", &Builder::read_node},
         {"roles", &Builder::read_role},
         {"users", &Builder::read_user},
         {"limits", &Builder::read_limits},
         {"rules", &Builder::read_rule}}};
    for (const auto& [name, read_row] : members) {
        const json::value* rows = part.if_contains(name);
        if (rows == nullptr) {
            continue;
        }
        if (!rows->is_array()) {
            return malformed("a member is no list");
        }
        for (const json::value& row : rows->get_array()) {
            TRY((this->*read_row)(row));
        }
    }
    return {};
}

/// [type, id, parent]; the first one is the tenant, which gives the number of all.
Result<void> RuleSet::Builder::read_node(const json::value& value) {
    const json::array* row = row_of(value, 3);
    const auto type = row == nullptr ? std::nullopt : text_of((*row)[0]);
    const auto id = row == nullptr ? std::nullopt : text_of((*row)[1]);
    const auto parent = row == nullptr ? std::nullopt : number_of((*row)[2]);
    const auto known = type ? find_scope_type(*type) : std::nullopt;
    if (!known || !id || !parent || *parent < -1 || (*parent == -1) != nodes_.empty() ||
        *parent >= static_cast<std::int32_t>(nodes_.size())) {
        return malformed("a node");
    }
    if (nodes_.empty()) {
        const auto number = parse_integer<std::int32_t>(*id);
        if (*known != ScopeType::tenant || !number) {
            return malformed("the first node is not the tenant");
        }
        tenant_.id = TenantId{*number};
        nodes_.push_back(tenant_scope(tenant_.id));
        return {};
    }
    OrgUnit& unit = units_.emplace_back();
    unit.id = {tenant_.id, *known, *id};
    unit.parent = nodes_[static_cast<std::size_t>(*parent)];
    nodes_.push_back(unit.id);
    return {};
}

/// [id, [permission, ...]]
Result<void> RuleSet::Builder::read_role(const json::value& value) {
    const json::array* row = row_of(value, 2);
    const auto number = row == nullptr ? std::nullopt : number_of((*row)[0]);
    const auto permissions = row == nullptr ? std::nullopt : texts_of((*row)[1]);
    if (!number || !permissions) {
        return malformed("a role");
    }
    const auto ours = first_number + static_cast<std::int32_t>(roles_.size());
    role_numbers_[*number] = ours;
    OwnRole& role = roles_.emplace_back();
    role.row.id = {tenant_.id, ours};
    for (const std::string& text : *permissions) {
        // One with an action that this version does not know is left out: nobody can ask for it.
        if (const auto permission = types_.add(text)) {
            role.permissions.add(*permission);
        }
    }
    return {};
}

/// [sub, email, [group, ...]]
Result<void> RuleSet::Builder::read_user(const json::value& value) {
    const json::array* row = row_of(value, 3);
    const auto sub = row == nullptr ? std::nullopt : text_of((*row)[0]);
    const auto email = row == nullptr ? std::nullopt : text_of((*row)[1]);
    const auto groups = row == nullptr ? std::nullopt : texts_of((*row)[2]);
    if (!sub || !email || !groups) {
        return malformed("a user");
    }
    std::vector<Subject>& subjects = users_[*sub];
    subjects = {{SubjectType::user, *email}};
    for (const std::string& group : *groups) {
        subjects.push_back({SubjectType::group, group});
    }
    return {};
}

/// [client_id, limits]; what cannot be read has expired long ago, as on the server.
Result<void> RuleSet::Builder::read_limits(const json::value& value) {
    const json::array* row = row_of(value, 2);
    const auto client_id = row == nullptr ? std::nullopt : text_of((*row)[0]);
    if (!client_id) {
        return malformed("the limits of a key");
    }
    json::value said = (*row)[1];
    const auto local = take_local(said, types_);
    const auto limits = claviger::read_limits(tenant_.id, json::serialize(said));
    if (!limits) {
        return {};
    }
    CredentialLimits& kept = limits_.insert_or_assign(*client_id, *limits).first->second;
    if (kept.ceiling) {
        for (const Permission permission : local) {
            kept.ceiling->permissions->add(permission);
        }
        for (std::int32_t& role : kept.ceiling->roles) {
            const auto known = role_numbers_.find(role); // one that is not in force holds nothing
            role = known == role_numbers_.end() ? 0 : known->second;
        }
    }
    return {};
}

/// [id, subject type, subject id, role, node]
Result<void> RuleSet::Builder::read_rule(const json::value& value) {
    const json::array* row = row_of(value, 5);
    if (row == nullptr) {
        return malformed("a rule");
    }
    const auto id = number_of((*row)[0]);
    const auto type = find_subject_type(text_of((*row)[1]).value_or(""));
    const auto subject = text_of((*row)[2]);
    const auto role = number_of((*row)[3]);
    const auto node = number_of((*row)[4]);
    if (!id || !type || !subject || !role || !node || *node < 0 ||
        static_cast<std::size_t>(*node) >= nodes_.size()) {
        return malformed("a rule");
    }
    const auto known = role_numbers_.find(*role); // one that is not in force holds nothing
    AccessRule& rule = rules_.emplace_back();
    rule.id = {tenant_.id, *id};
    rule.subject = {*type, *subject};
    rule.role = {tenant_.id, known == role_numbers_.end() ? 0 : known->second};
    rule.scope = nodes_[static_cast<std::size_t>(*node)];
    return {};
}

Result<RuleSet> RuleSet::Builder::finish(std::uint64_t number) {
    if (nodes_.empty()) {
        return malformed("it has no tenant");
    }
    RuleSet rules(AccessSnapshot::build_with(tenant_, units_, rules_, std::move(roles_)));
    rules.number_ = number;
    rules.types_ = std::move(types_);
    rules.users_ = std::move(users_);
    rules.limits_ = std::move(limits_);
    return rules;
}

Result<RuleSet> RuleSet::build(const DocumentReader::Snapshot& snapshot) {
    Builder builder;
    for (const json::object& part : snapshot.parts) {
        TRY(builder.read(part));
    }
    return builder.finish(static_cast<std::uint64_t>(snapshot.number));
}

const CredentialLimits* RuleSet::limits_of(std::string_view client_id) const {
    const auto at = limits_.find(client_id);
    return at == limits_.end() ? nullptr : &at->second;
}

std::optional<NodeIndex> RuleSet::find_scope(std::string_view type, std::string_view id) const {
    const auto known = find_scope_type(type);
    return known ? access_.find({access_.tenant(), *known, std::string(id)}) : std::nullopt;
}

Decision RuleSet::decide(const Asker& asker, Permission permission, NodeIndex scope) const {
    std::array<const AccessLimit*, 2> limits{};
    std::size_t count = 0;
    const CredentialLimits* key = limits_of(asker.client_id);
    if (key != nullptr && key->ceiling) {
        limits[count++] = &*key->ceiling;
    }
    std::optional<AccessLimit> wider; // of who was narrowed to types that only the rules know
    if (asker.narrowing != nullptr) {
        limits[count++] = asker.narrowing;
        if (!asker.more.empty()) {
            limits[count - 1] = &wider.emplace(*asker.narrowing);
            for (const std::string& text : asker.more) {
                if (const auto more = find_permission(text); more && wider->permissions) {
                    wider->permissions->add(*more);
                }
            }
        }
    }
    const AccessLimits bounds(limits.data(), count);
    if (const auto user = users_.find(asker.subject); user != users_.end()) {
        return claviger::decide(access_, {user->second, permission, scope, bounds});
    }
    const auto subject = parse_subject_claim(asker.subject);
    if (!subject || subject->first != PrincipalKind::service_account) {
        return {}; // a user whom the server did not name has no rule
    }
    // As it is spelled: another spelling is another subject.
    const std::string_view id = asker.subject.substr(asker.subject.find(':') + 1);
    const Subject account{SubjectType::service_account, std::string(id)};
    return claviger::decide(access_, {std::span(&account, 1), permission, scope, bounds});
}

} // namespace claviger::offline
