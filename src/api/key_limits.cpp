// SPDX-License-Identifier: Apache-2.0
#include "api/key_limits.h"

#include "base/strict_json.h"

namespace claviger {

Result<AddressModeText> AddressModeText::decode(std::string_view text) {
    for (const AddressMode mode : {AddressMode::enforced, AddressMode::log_only}) {
        if (text == name_of(mode)) {
            return AddressModeText{mode};
        }
    }
    return fail(ErrorCode::invalid_request, "must be enforced or log-only");
}

json::object AddressModeText::schema() {
    return {{"type", "string"},
            {"enum", json::array{name_of(AddressMode::enforced), name_of(AddressMode::log_only)}}};
}

std::string limits_text(const std::optional<KeyLimits>& limits) {
    std::string text;
    JsonWriter out(text);
    encode(out, limits.value_or(KeyLimits{}));
    return text;
}

Result<KeyLimits> read_key_limits(const CredentialLimits* limits) {
    if (limits == nullptr) {
        return KeyLimits{};
    }
    const auto value = parse_strict_json(limits->text, {});
    auto decoded = value ? decode<KeyLimits>(*value, "limits") : std::unexpected(value.error());
    if (!decoded) {
        return fail(ErrorCode::internal, "the limits of a key cannot be read");
    }
    return decoded;
}

} // namespace claviger
