// SPDX-License-Identifier: Apache-2.0
// The audit log as the API gives it.
#include <set>

#include "api/audit_event.h"
#include "api/test_api.h"

namespace claviger {
namespace {

constexpr std::string_view path = "/api/v1/audit/log";

/// Lines and cells of RFC 4180.
std::vector<std::vector<std::string>> parse_csv(std::string_view text) {
    std::vector<std::vector<std::string>> lines;
    std::vector<std::string> line(1);
    bool is_quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_quoted && c == '"' && text.substr(i + 1).starts_with('"')) {
            line.back() += text[++i];
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && c == ',') {
            line.emplace_back();
        } else if (!is_quoted && text.substr(i).starts_with("\r\n")) {
            lines.push_back(std::exchange(line, std::vector<std::string>(1)));
            ++i;
        } else {
            line.back() += c;
        }
    }
    EXPECT_EQ(line, std::vector<std::string>(1)); // the last line has an end
    return lines;
}

class AuditTest : public testing::AdminFixture {
protected:
    HttpResponse ask(std::string_view query, std::string_view of = path) {
        HttpRequest request = make(HttpMethod::get, std::string(of));
        request.authorization = "Bearer " + admin_token;
        request.query = query;
        return dispatcher.serve(request);
    }
    json::value list(std::string_view more = "") {
        const HttpResponse response = ask(all_of_it + std::string(more));
        EXPECT_EQ(response.status, 200) << response.body;
        return json::parse(response.body);
    }
    std::string file(std::string_view more = "") {
        HttpResponse response = ask(all_of_it + std::string(more), "/api/v1/audit/log/file");
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(response.content_type, "application/octet-stream");
        return response.stream == nullptr ? "" : read_to_end(*response.stream).value_or("");
    }
    void make_project(const std::string& name) {
        EXPECT_TRUE(world.units.create(
            world.admin(), {ScopeType::cluster, tenant_scope(TenantId{1}), name, "", "{}"}));
    }

    const std::string all_of_it = "start=2000-01-01T00:00:00Z&end=2100-01-01T00:00:00Z";
};

TEST_F(AuditTest, ShowsChangesAndSignInsInTheirOrder) {
    world.clock.advance_seconds(5);
    make_project("first");
    const json::value answer = list();
    const json::array& logs = answer.at("audit_logs").as_array();
    EXPECT_EQ(answer.at("total").as_int64(), static_cast<std::int64_t>(logs.size()));
    EXPECT_FALSE(answer.as_object().contains("next"));
    std::string last;
    std::set<std::string> ids;
    std::set<std::string> actions;
    for (const json::value& log : logs) {
        EXPECT_GE(log.at("timestamp").as_string(), last);
        last = log.at("timestamp").as_string();
        ids.insert(std::string(log.at("id").as_string()));
        actions.insert(std::string(log.at("action").as_string()));
        EXPECT_EQ(log.at("tenant_id").as_string(), "1");
        EXPECT_EQ(log.at("id").as_string()[14], '8');
    }
    EXPECT_EQ(ids.size(), logs.size());
    EXPECT_EQ(actions, (std::set<std::string>{"create", "sign-in"}));
    EXPECT_EQ(list(), answer); // ids as well
    const json::value turned = list("&sortOrder=desc&numberOfSamples=1");
    EXPECT_EQ(turned.at("audit_logs").at(0).at("id"), logs.back().at("id"));
    EXPECT_EQ(turned.at("next").as_int64(), 1);
}

TEST_F(AuditTest, PagesLeadToTheEnd) {
    for (int i = 0; i < 12; ++i) {
        make_project("c" + std::to_string(i)); // two events each
    }
    const auto total = list().at("total").as_int64();
    EXPECT_EQ(list().at("audit_logs").as_array().size(), 20U); // as many as usual
    std::int64_t seen = 0;
    std::int64_t offset = 0;
    for (bool more = true; more;) {
        const json::value page = list("&numberOfSamples=7&offset=" + std::to_string(offset));
        seen += static_cast<std::int64_t>(page.at("audit_logs").as_array().size());
        EXPECT_EQ(page.at("total").as_int64(), total);
        more = page.as_object().contains("next");
        offset = more ? page.at("next").as_int64() : offset;
    }
    EXPECT_EQ(seen, total);
    const json::value count = list("&numberOfSamples=0");
    EXPECT_EQ(count.at("total").as_int64(), total);
    EXPECT_TRUE(count.at("audit_logs").as_array().empty());
    EXPECT_FALSE(count.as_object().contains("next"));
    EXPECT_TRUE(list("&offset=2000000000").at("audit_logs").as_array().empty());
}

TEST_F(AuditTest, RefusesWhatItCannotRead) {
    const std::string start = "start=2026-01-01T00:00:00Z";
    const std::string end = "&end=2026-02-01T00:00:00Z";
    const std::vector<std::string> refused{std::string(),
                                           start,
                                           end.substr(1),
                                           "start=2026-01-01" + end,
                                           start + end + "'--",
                                           "start=yesterday" + end,
                                           "end=2026-01-01T00:00:00Z&start=2026-01-01T00:00:01Z",
                                           start + end + "&numberOfSamples=1001",
                                           start + end + "&numberOfSamples=-1",
                                           start + end + "&numberOfSamples=x",
                                           start + end + "&offset=-1",
                                           start + end + "&sortBy=metadata",
                                           start + end + "&sortOrder=up",
                                           start + end + "&filterBy=bogus==1",
                                           start + end + "&filterBy=subject"};
    for (const std::string& query : refused) {
        const HttpResponse response = ask(query);
        EXPECT_EQ(response.status, 400) << query << " " << response.body;
        EXPECT_EQ(response.body.find("SQL"), std::string::npos);
        if (query.find("offset") == std::string::npos && query.find("sort") == std::string::npos) {
            EXPECT_EQ(ask(query, "/api/v1/audit/log/file").status, 400) << query;
        }
    }
    EXPECT_EQ(ask(start + end + "&file_type=XML", "/api/v1/audit/log/file").status, 400);
    EXPECT_EQ(ask("start=2026-01-01T00:00:00%2B02:00" + end).status, 200);
    EXPECT_EQ(ask("start=2026-01-01T00:00:00Z&end=2026-01-01T00:00:00Z").status, 200);
}

TEST_F(AuditTest, LeavesOutWhatTheContractCannotSay) {
    AuditEvent event;
    event.tenant = TenantId{1};
    event.at = world.clock.now();
    event.action = audit_action::sign_in;
    event.subject = "ci";
    event.origin = {"2001:db8::1", "no uuid", "", "BREW", ""};
    ASSERT_TRUE(world.events.append(event.tenant, event.at, audit_payload(event)));
    event.action = audit_action::refresh;
    ASSERT_TRUE(world.events.append(event.tenant, event.at, audit_payload(event)));
    const json::value logs = list("&filterBy=subject==ci").at("audit_logs");
    ASSERT_EQ(logs.as_array().size(), 1U);
    for (const char* name : {"source_ip", "request_id", "http_method", "url", "entity_type",
                             "entity_id", "entity_name", "metadata", "cluster_id"}) {
        EXPECT_FALSE(logs.at(0).as_object().contains(name)) << name;
    }
}

TEST_F(AuditTest, IsForThoseWithThePermissionInTheWholeTenant) {
    const auto account = world.accounts.create(world.admin(), "reader").value();
    HttpRequest request = make(HttpMethod::get, std::string(path));
    request.query = all_of_it;
    request.authorization = "Bearer " + world.grant(account).result->access_token;
    EXPECT_EQ(dispatcher.serve(request).status, 403);
    request.path += "/file";
    EXPECT_EQ(dispatcher.serve(request).status, 403);
}

TEST_F(AuditTest, FilesHoldTheSameEvents) {
    make_project("a, \"b\"");
    const json::value logs = list("&numberOfSamples=1000").at("audit_logs");
    for (const char* type : {"&file_type=JSON", "&fileType=json", "&fileType=FileType.JSON"}) {
        EXPECT_EQ(json::parse(file(type)), logs) << type;
    }
    for (const char* type : {"", "&file_type=CSV", "&fileType=csv"}) {
        const auto lines = parse_csv(file(type));
        ASSERT_EQ(lines.size(), logs.as_array().size() + 1);
        EXPECT_EQ(lines[0].front(), "id");
        EXPECT_EQ(lines[0].back(), "metadata");
        for (std::size_t row = 0; row < logs.as_array().size(); ++row) {
            const json::object& log = logs.at(row).as_object();
            ASSERT_EQ(lines[row + 1].size(), lines[0].size());
            for (std::size_t column = 0; column < lines[0].size(); ++column) {
                const json::value* value = log.if_contains(lines[0][column]);
                const std::string& cell = lines[row + 1][column];
                if (value == nullptr) {
                    EXPECT_EQ(cell, "");
                } else if (value->is_string()) {
                    EXPECT_EQ(cell, std::string(value->as_string()));
                } else {
                    EXPECT_EQ(json::parse(cell), *value);
                }
            }
        }
    }
    EXPECT_EQ(json::parse(file("&fileType=JSON&numberOfSamples=1")).as_array().size(), 1U);
    EXPECT_EQ(file("&fileType=JSON&filterBy=subject==nobody"), "[]");
    EXPECT_EQ(parse_csv(file("&filterBy=subject==nobody")).size(), 1U);
    EXPECT_EQ(ask(all_of_it, "/api/v1/audit/log/file").headers.front().second,
              R"(attachment; filename="audit-log.csv")");
}

TEST_F(AuditTest, AFileHoldsNoFormula) {
    for (const char* name : {"=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "plain"}) {
        make_project(name);
    }
    std::set<std::string> names;
    for (const auto& line : parse_csv(file())) {
        for (const std::string& cell : line) {
            EXPECT_FALSE(cell.find_first_of("=+-@\t\r") == 0) << cell;
            names.insert(cell);
        }
    }
    EXPECT_TRUE(names.contains("'=cmd|' /C calc'!A0"));
    EXPECT_TRUE(names.contains("'@SUM(A1)"));
    EXPECT_TRUE(names.contains("plain"));
}

TEST_F(AuditTest, AFileEndsAtTwentyThousandRows) {
    AuditEvent event;
    event.tenant = TenantId{1};
    event.action = audit_action::sign_in;
    event.subject = "ci";
    for (int i = 0; i < 20'050; ++i) {
        event.at = world.clock.now().plus_seconds(i);
        ASSERT_TRUE(world.events.append(event.tenant, event.at, audit_payload(event)));
    }
    const HttpResponse response = ask(all_of_it, "/api/v1/audit/log/file");
    ASSERT_NE(response.stream, nullptr);
    std::size_t lines = 0;
    std::string chunk;
    while (response.stream->next(chunk).value()) {
        lines += static_cast<std::size_t>(std::ranges::count(chunk, '\n'));
        EXPECT_LT(chunk.size(), 4 * usual_chunk);
        chunk.clear();
    }
    EXPECT_EQ(lines, 20'001U);
}

TEST(AuditCsvTest, CellsAreQuotedWhereTheyMustBe) {
    AuditEntry entry;
    entry.payload = R"({"subject":"\tx","action":"create","entity_name":"a,\"b\"",)"
                    R"("metadata":{"k":"v"}})";
    std::string line;
    append_csv_line(line, view_of(entry, ""));
    EXPECT_NE(line.find(",'\tx,"), std::string::npos);
    EXPECT_NE(line.find(R"(,"a,""b""",)"), std::string::npos);
    EXPECT_NE(line.find(R"(,"{""k"":""v""}")"), std::string::npos);
    EXPECT_TRUE(line.ends_with("\r\n"));
}

} // namespace
} // namespace claviger
