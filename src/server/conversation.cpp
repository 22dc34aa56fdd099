// SPDX-License-Identifier: Apache-2.0
#include "server/conversation.h"

#include "base/secret.h"
#include "base/text.h"
#include "server/answer.h"
#include "server/answer_record.h"

namespace claviger {
namespace {

constexpr std::size_t most_kept_memory = 4 * 1024; // of each buffer of an idle connection

} // namespace

Conversation::Conversation(IoThread& thread, const boost::asio::ip::address& peer, Serves serves)
    : thread_(thread), environment_(thread.environment()), peer_(peer),
      peer_text_(peer.to_string()), is_peer_trusted_(environment_.proxies.contains(peer)),
      serves_(serves) {}

Conversation::~Conversation() {
    wipe(in);
    wipe(out);
    forget_secrets();
}

Task& Conversation::begin_task(const AdmittedHead& head) {
    began_microseconds_ = environment_.clock.now().microseconds;
    close_after = head.close;
    http_1_0_ = head.http_1_0;
    Task& task = task_;
    HttpRequest& request = task.request;
    forget_secrets();
    take_head(head, request);
    request.source_ip = is_peer_trusted_
                            ? environment_.proxies.client_address(peer_, head.forwarded_for)
                            : peer_text_;
    request.is_behind_proxy = is_peer_trusted_;
    request.request_id = as_text(thread_.new_request_id().characters());
    const auto own = own_route(request.path, serves_);
    task.is_own = own.has_value();
    task.plan = own ? RoutePlan{0, RequestClass::health, *own, false}
                    : environment_.handler.plan(request.method, request.path);
    request.peer_ip.clear();
    request.header_lines.clear();
    if (task.plan.needs_header_lines) {
        request.peer_ip = peer_text_;
        request.header_lines = head.header_lines;
    }
    return task;
}

HttpResponse Conversation::serve_here(const Task& task) {
    return task.is_own ? serve_own_route(task.request, serves_, thread_.is_stopping(), environment_)
                       : environment_.handler.serve(task.request);
}

bool Conversation::must_block(const Task& task) const {
    return !task.is_own && environment_.handler.runs_on(task.request) == RunsOn::worker;
}

HttpResponse Conversation::unavailable(std::string_view detail, const HttpRequest& request) {
    HttpResponse response = environment_.handler.refuse(503, detail, request);
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

void Conversation::put_answer(HttpResponse& response, const HttpRequest& request,
                              std::string_view route) {
    const bool ends_by_closing = response.comes_in_pieces() && http_1_0_;
    close_after = close_after || ends_by_closing || (thread_.is_stopping() && in.empty());
    AnswerFrame frame;
    frame.date = thread_.date(environment_.clock.now());
    frame.request_id = request.request_id;
    frame.close = close_after;
    frame.http_1_0 = http_1_0_;
    frame.head_only = request.method == HttpMethod::head;
    append_answer(out, response, frame);
    record(response, request, route);
    wipe(response.body); // it may hold a secret or a token
}

void Conversation::put_chunk(std::string_view chunk) {
    if (http_1_0_) {
        out += chunk;
    } else {
        append_chunk(out, chunk);
    }
}

void Conversation::put_end_of_chunks() {
    if (!http_1_0_) {
        append_chunk(out, {});
    }
}

void Conversation::record_cut(const Error& error, const HttpRequest& request) {
    environment_.log.write(LogLevel::error, "an answer was cut off: " + error.detail(),
                           {{"path", std::string_view(request.path)},
                            {"request_id", std::string_view(request.request_id)}});
}

void Conversation::record(const HttpResponse& response, const HttpRequest& request,
                          std::string_view route) {
    const std::int64_t elapsed = environment_.clock.now().microseconds - began_microseconds_;
    record_answer(thread_.metrics(), environment_.log, request, {response.status, route, elapsed});
}

bool Conversation::refuse(int status, std::string_view detail, const HttpRequest& request) {
    close_after = true;
    HttpResponse response = status == 503 ? unavailable(detail, request)
                                          : environment_.handler.refuse(status, detail, request);
    if (status == 405) {
        response.headers.emplace_back("Allow", ""); // RFC 9110 10.2.1: no method at all
    }
    put_answer(response, request, "refused");
    return false;
}

bool Conversation::refuse(int status, std::string_view detail) {
    began_microseconds_ = environment_.clock.now().microseconds;
    HttpRequest request;
    request.source_ip = peer_text_;
    request.request_id = thread_.new_request_id().text();
    return refuse(status, detail, request);
}

void Conversation::forget_secrets() {
    wipe(task_.request.body);
    wipe(task_.request.header_lines);
    if (task_.request.authorization) {
        wipe(*task_.request.authorization);
    }
}

void Conversation::release_memory() {
    for (std::string* buffer : {&in, &out, &task_.request.body}) {
        if (buffer->capacity() > most_kept_memory) {
            *buffer = std::string();
        }
    }
}

} // namespace claviger
