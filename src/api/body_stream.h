// SPDX-License-Identifier: Apache-2.0
// A body that is made while it is sent, so that an answer of any length takes little memory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "api/json_writer.h"
#include "base/error.h"

namespace claviger {

/// It owns what it reads from: the request is over before the body is. Nothing secret may be in it.
class BodyStream {
public:
    virtual ~BodyStream() = default;
    /// Puts the next piece, about `usual_chunk` bytes, into `chunk`, which is empty. False when
    /// there is none. A failure cuts the answer off. May block; called from one thread at a time.
    virtual Result<bool> next(std::string& chunk) = 0;
};

inline constexpr std::size_t usual_chunk = 64 * 1024; // bytes

/// A handler's answer of type T: whole, or in pieces when it may be long.
template <class T>
struct Streamed {
    std::variant<T, std::unique_ptr<BodyStream>> body;
};

/// Writes the next element of an array. False when there is none.
using WriteElement = std::move_only_function<Result<bool>(JsonWriter&)>;

/// A JSON array.
std::unique_ptr<BodyStream> stream_array(WriteElement write_next);

/// All of a stream, for those who need it whole.
Result<std::string> read_to_end(BodyStream& stream);

} // namespace claviger
