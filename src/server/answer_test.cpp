// SPDX-License-Identifier: Apache-2.0
#include "server/answer.h"

#include <gtest/gtest.h>

namespace claviger {
namespace {

AnswerFrame frame() {
    AnswerFrame made;
    made.date = "Tue, 24 Nov 2026 08:30:00 GMT";
    made.request_id = "0b1e7a3c-0000-4000-8000-000000000000";
    return made;
}

std::string text_of(const HttpResponse& response, const AnswerFrame& framed) {
    std::string out;
    append_answer(out, response, framed);
    return out;
}

TEST(Answer, CarriesTheStandingHeaders) {
    HttpResponse response;
    response.status = 201;
    response.body = "{}";
    response.headers.emplace_back("Location", "/x");
    EXPECT_EQ(text_of(response, frame()), "HTTP/1.1 201 Created\r\n"
                                          "Date: Tue, 24 Nov 2026 08:30:00 GMT\r\n"
                                          "Content-Type: application/json\r\n"
                                          "Content-Length: 2\r\n"
                                          "X-Request-Id: 0b1e7a3c-0000-4000-8000-000000000000\r\n"
                                          "X-Content-Type-Options: nosniff\r\n"
                                          "Location: /x\r\n"
                                          "Cache-Control: no-store\r\n"
                                          "\r\n{}");
}

TEST(Answer, LeavesCachingToTheResponseThatSpeaksOfIt) {
    HttpResponse response;
    response.headers.emplace_back("cache-control", "max-age=60");
    const std::string text = text_of(response, frame());
    EXPECT_NE(text.find("cache-control: max-age=60\r\n"), std::string::npos);
    EXPECT_EQ(text.find("no-store"), std::string::npos);
}

TEST(Answer, EmptyAnswersAreEmptyAndStillHaveAType) {
    HttpResponse response;
    response.status = 204;
    std::string text = text_of(response, frame());
    EXPECT_TRUE(text.ends_with("\r\n\r\n"));
    EXPECT_EQ(text.find("Content-Length"), std::string::npos);
    EXPECT_NE(text.find("Content-Type: application/json\r\n"), std::string::npos);
    response.status = 202;
    text = text_of(response, frame());
    EXPECT_NE(text.find("Content-Length: 0\r\n"), std::string::npos);
}

TEST(Answer, HeadGetsTheHeadersOfGet) {
    HttpResponse response;
    response.body = "12345";
    AnswerFrame head = frame();
    head.head_only = true;
    const std::string text = text_of(response, head);
    EXPECT_NE(text.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(Answer, SaysWhatBecomesOfTheConnection) {
    AnswerFrame framed = frame();
    EXPECT_EQ(text_of({}, framed).find("Connection"), std::string::npos);
    framed.http_1_0 = true;
    EXPECT_NE(text_of({}, framed).find("Connection: keep-alive\r\n"), std::string::npos);
    framed.close = true;
    EXPECT_NE(text_of({}, framed).find("Connection: close\r\n"), std::string::npos);
}

TEST(Answer, ALineBreakInAValueMakesNoHeader) {
    HttpResponse response;
    response.headers.emplace_back("Location", "/x\r\nSet-Cookie: a=b");
    const std::string text = text_of(response, frame());
    EXPECT_NE(text.find("Location: /x\r\n"), std::string::npos);
    EXPECT_EQ(text.find("Set-Cookie"), std::string::npos);
}

} // namespace
} // namespace claviger
