// SPDX-License-Identifier: Apache-2.0
// What a connection's coroutine waits for on its thread, as things to co_await, and the pieces of
// bodies without exceptions.
#pragma once

#include <boost/asio/post.hpp>
#include <string>

#include "server/io_thread.h"
#include "server/wire.h"

namespace claviger {

/// Until the ticket is decided.
Awaitable<Durability> wait_for_ticket(IoThread& thread, AuditTicket ticket);
/// Until the other requests of this round of the loop have been answered as well: a system call
/// leaves little in the caches for the request that follows.
Awaitable<void> wait_for_end_of_round(IoThread& thread);
/// Until the directory has changed, or for a second.
Awaitable<void> wait_for_change(IoThread& thread);

/// Until `work`, which has a place in the pool, has been done by a worker.
template <class Outcome, class Work>
Awaitable<Outcome> run_on(IoThread& thread, WorkerPool& pool, Work& work) {
    auto start = [&thread, &pool, &work](auto handler) {
        WorkerPool::Work job = [&thread, &work, done = std::move(handler)]() mutable {
            Outcome outcome = work();
            boost::asio::post(thread.context(),
                              [done = std::move(done), outcome = std::move(outcome)]() mutable {
                                  done(std::move(outcome));
                              });
        };
        pool.submit(std::move(job));
    };
    auto pending = boost::asio::async_initiate<const boost::asio::use_awaitable_t<LoopExecutor>,
                                               void(Outcome)>(start, use_awaitable);
    auto outcome = co_await std::move(pending);
    co_return outcome;
}

/// As the stream does, without exceptions.
Result<bool> next_chunk(BodyStream& stream, std::string& chunk);
Result<FollowedBody::Progress> next_piece(FollowedBody& body, std::string& chunk, bool is_stopping);

} // namespace claviger
