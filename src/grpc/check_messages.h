// SPDX-License-Identifier: Apache-2.0
// Envoy's question over gRPC as the head of the request that it would have sent over HTTP, and our
// answer to it as a message. So one admission and one judge serve both. Nothing is judged here, and
// no message of protobuf leaves this file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"

namespace google::protobuf::io {
class ZeroCopyInputStream;
} // namespace google::protobuf::io

namespace claviger {

/// What a gateway asks about a request that it holds.
struct GatewayQuestion {
    std::string head;               // up to the empty line; not yet admitted
    std::string body;               // what the gateway sends along
    std::string client_ip;          // whom it has the request from, as it says; may be empty
    std::string peer_ip;            // the gateway
    std::string gateway_secret;     // what it says of itself; may be empty
    std::string_view why_no_head;   // what cannot stand in one; empty: there is one
    bool has_joined_fields = false; // fields of one name were joined with commas
};

struct GatewayAnswer {
    HttpResponse response;
    std::string request_id;
};

/// Reads a CheckRequest. Nothing when it is none.
std::optional<GatewayQuestion> read_question(google::protobuf::io::ZeroCopyInputStream& message);

/// A CheckResponse: OK with the headers that the API behind the gateway is to get, in place of any
/// that are there, or the whole answer that the client is to get.
std::string write_answer(const GatewayAnswer& answer);

/// "192.0.2.1" of "ipv4:192.0.2.1:5000", as gRPC names a peer. Empty when it has no address.
std::string address_of_peer(std::string_view peer);

} // namespace claviger
