// SPDX-License-Identifier: Apache-2.0
// Reads a tenant document into its records without building a tree of the whole: each record is
// text with the line on which it begins, to be read as strict JSON one at a time.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace claviger {

/// What is wrong, and on which line of the file (from 1).
struct DocumentProblem {
    std::size_t line = 0;
    std::string text;
};

struct TenantRecord {
    std::size_t line = 0;
    std::string_view text; // a JSON object, if it is JSON at all
};

/// It looks at the text that it was read from.
struct TenantDocument {
    std::map<std::string, std::vector<TenantRecord>, std::less<>> sections;
    std::string settings = "{}"; // JSON object
    std::size_t settings_line = 0;
};

/// Fails with what is wrong with the document as a whole: no JSON, another version, an unknown
/// section. What stands in the records is not judged.
std::expected<TenantDocument, DocumentProblem> read_tenant_document(std::string_view text);

} // namespace claviger
