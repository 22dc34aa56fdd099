// SPDX-License-Identifier: Apache-2.0
// The part of a connection that needs no socket: from bytes to requests, from answers to bytes,
// and the records that are kept of them.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>

#include "server/admit.h"
#include "server/io_thread.h"
#include "server/own_routes.h"

namespace claviger {

/// What is known of a request once its head has been read, besides the head.
struct Task {
    HttpRequest request;
    RoutePlan plan;
    bool is_own = false; // the server answers it by itself
};

class Conversation {
public:
    Conversation(IoThread& thread, const boost::asio::ip::address& peer, Serves serves);
    ~Conversation();
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    /// The next task, in the memory of the one before.
    Task& begin_task(const AdmittedHead& head);
    /// The answer at once, from the server itself or from the API on this thread.
    HttpResponse serve_here(const Task& task);
    bool must_block(const Task& task) const;
    /// The answer when there is no room or no record: nothing was done, try again.
    HttpResponse unavailable(std::string_view detail, const HttpRequest& request);

    /// Wipes the answer's body. After an answer with a stream, its chunks must be put.
    void put_answer(HttpResponse& response, const HttpRequest& request, std::string_view route);
    void put_chunk(std::string_view chunk);
    void put_end_of_chunks();
    /// Says in the log that an answer with a stream was cut off.
    void record_cut(const Error& error, const HttpRequest& request);
    /// Puts the answer to what cannot be served, after which the connection closes. Always false.
    bool refuse(int status, std::string_view detail, const HttpRequest& request);
    bool refuse(int status, std::string_view detail);

    /// Wipes what of the request may be secret.
    void forget_secrets();
    /// Gives memory back while nothing goes on.
    void release_memory();

    std::string in;           // read and not yet used
    std::string out;          // answered and not yet sent
    bool close_after = false; // the answers in `out` are the last ones

private:
    void record(const HttpResponse& response, const HttpRequest& request, std::string_view route);

    IoThread& thread_;
    ServerEnvironment& environment_;
    Task task_;
    boost::asio::ip::address peer_;
    std::string peer_text_;
    bool is_peer_trusted_; // about the address of the client
    Serves serves_;
    bool http_1_0_ = false;
    std::int64_t began_microseconds_ = 0;
};

} // namespace claviger
