// SPDX-License-Identifier: Apache-2.0
#include "server/waits.h"

namespace claviger {

namespace asio = boost::asio;

Awaitable<Durability> wait_for_ticket(IoThread& thread, AuditTicket ticket) {
    auto start = [&thread, ticket](auto handler) {
        IoThread::Resume resume = [done = std::move(handler)](Durability decided) mutable {
            done(decided);
        };
        thread.wait_for(ticket, std::move(resume));
    };
    auto pending =
        asio::async_initiate<const asio::use_awaitable_t<LoopExecutor>, void(Durability)>(
            start, use_awaitable);
    auto outcome = co_await std::move(pending);
    co_return outcome;
}

Awaitable<void> wait_for_end_of_round(IoThread& thread) {
    auto start = [&thread](auto handler) { thread.at_end_of_round(std::move(handler)); };
    auto pending = asio::async_initiate<const asio::use_awaitable_t<LoopExecutor>, void()>(
        start, use_awaitable);
    co_await std::move(pending);
}

Awaitable<void> wait_for_change(IoThread& thread) {
    auto start = [&thread](auto handler) { thread.wait_for_change(std::move(handler)); };
    auto pending = asio::async_initiate<const asio::use_awaitable_t<LoopExecutor>, void()>(
        start, use_awaitable);
    co_await std::move(pending);
}

Result<bool> next_chunk(BodyStream& stream, std::string& chunk) {
    try {
        return stream.next(chunk);
    } catch (const std::exception& error) {
        return fail(ErrorCode::internal, error.what());
    }
}

Result<FollowedBody::Progress> next_piece(FollowedBody& body, std::string& chunk,
                                          bool is_stopping) {
    try {
        return body.next(chunk, is_stopping);
    } catch (const std::exception& error) {
        return fail(ErrorCode::internal, error.what());
    }
}

} // namespace claviger
