// SPDX-License-Identifier: Apache-2.0
// The information model of the AuthZEN Authorization API 1.0 (section 5) in our words: a subject is
// one of access rules, an action and a resource type make a permission, a resource is such a type
// at a node of the tree, and its id is the node's. Members that say more are allowed and not read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/context.h"
#include "api/scope_text.h"

namespace claviger {

struct AuthzenSubject {
    std::string type; // a subjectType of the contract; an unknown one may do nothing
    std::string id;
};
BOOST_DESCRIBE_STRUCT(AuthzenSubject, (), (type, id))

struct AuthzenAction {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(AuthzenAction, (), (name))

struct ResourceProperties {
    std::optional<ScopeTypeText> scope_type; // when the id alone could be of several nodes
};
BOOST_DESCRIBE_STRUCT(ResourceProperties, (), (scope_type))

struct AuthzenResource {
    std::string type, id;
    std::optional<ResourceProperties> properties;
};
BOOST_DESCRIBE_STRUCT(AuthzenResource, (), (type, id, properties))

/// What an answer says besides the decision.
struct EvaluationError {
    std::int32_t status = 0;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(EvaluationError, (), (status, message))

struct EvaluationContext {
    std::optional<std::string> reason;    // of a denial
    std::optional<std::int32_t> rule;     // that permits: an access rule's id
    std::optional<EvaluationError> error; // when nothing was decided
};
BOOST_DESCRIBE_STRUCT(EvaluationContext, (), (reason, rule, error))

/// Nothing when one of the two is not known here.
std::optional<Permission> permission_of(std::string_view resource_type, std::string_view action);

/// The kind of node that a resource type names, if it names one.
std::optional<ScopeType> scope_type_named(std::string_view resource_type);

/// A resource that is itself a node of the tree is meant by its id first; what is about to be
/// created is named by the node above it.
std::optional<NodeIndex> node_of(const Context& context, const AuthzenResource& resource);

/// Nothing when it can be nobody.
std::optional<Subject> subject_of(const Context& context, const AuthzenSubject& asked);

} // namespace claviger
