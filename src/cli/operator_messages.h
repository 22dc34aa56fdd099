// SPDX-License-Identifier: Apache-2.0
// The two messages of the control socket: one line of JSON each way, at most 64 KiB a request.
// Both ends are of the same release; nothing else speaks this.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/operations.h"

namespace claviger {

inline constexpr std::size_t longest_operator_request = 64 * 1024; // bytes, with the newline
inline constexpr std::string_view control_socket_name = "control.sock";

/// Ends with a newline.
std::string encode(const OperatorRequest& request);
std::string encode(const OperatorAnswer& answer);
/// `line` comes without its newline.
Result<OperatorRequest> decode_request(std::string_view line);
Result<OperatorAnswer> decode_answer(std::string_view line);

} // namespace claviger
