// SPDX-License-Identifier: Apache-2.0
// Signed documents of the server that are no tokens: the entries and parts of the feed and of the
// snapshot of rules. Nothing in them is believed before the signature was checked.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "verifier/key_store.h"

namespace claviger::offline {

/// What a kind of document says of itself.
struct DocumentKind {
    std::string_view type;     // typ
    std::string_view audience; // aud
};
inline constexpr DocumentKind security_event{"secevent+jwt", "urn:claviger:revocations"};
inline constexpr DocumentKind access_snapshot{"access-snapshot+jwt",
                                              "urn:claviger:access-snapshot"};

class DocumentReader {
public:
    DocumentReader(KeyStore& keys, std::string issuer);

    /// The claims of a document of this kind. A key that is not known is asked for once.
    Result<boost::json::object> read(std::string_view text, const DocumentKind& kind) const;

    /// A snapshot as the server answers it: its number, and the claims of all its parts, which are
    /// of this number, in order and complete.
    struct Snapshot {
        std::int64_t number = 0;
        std::vector<boost::json::object> parts;
    };
    Result<Snapshot> read_snapshot(std::string_view answer, const DocumentKind& kind) const;

private:
    KeyStore& keys_;
    std::string issuer_;
};

/// A member that must be there, or an error that names it.
Result<std::int64_t> number_member(const boost::json::object& object, std::string_view name);
Result<std::string_view> text_member(const boost::json::object& object, std::string_view name);
Result<bool> bool_member(const boost::json::object& object, std::string_view name);

} // namespace claviger::offline
