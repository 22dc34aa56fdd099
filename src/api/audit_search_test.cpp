// SPDX-License-Identifier: Apache-2.0
// Pages of the audit log, compared with what a plain list of all events gives.
#include "api/audit_search.h"

#include <random>

#include <gtest/gtest.h>

#include "auth/audit.h"
#include "store/memory_access_event_log.h"
#include "store/memory_store.h"
#include "store/samples.h"

namespace claviger {
namespace {

constexpr TenantId tenant{1};
constexpr std::string_view base = "https://a.example";

struct Known {
    AuditPosition position;
    std::string payload;
};

/// Two chains, and all that is in them and shown.
class AuditSearchTest : public ::testing::Test {
protected:
    AuditSearchTest() { EXPECT_TRUE(testing::put(store_, testing::tenant(tenant))); }

    /// Times go up, but for a jitter: clocks of threads differ, and are set back.
    void fill(int changes, int accesses, std::int64_t jitter) {
        std::uniform_int_distribution<std::int64_t> off(0, jitter);
        EXPECT_TRUE(store_.write([&](Transaction& transaction) -> Result<void> {
            for (int i = 0; i < changes; ++i) {
                const Timestamp at = testing::at(i * 7 + off(random_));
                const AuditEvent event = make_event(AuditChain::changes, at);
                TRY(append_change_event(transaction, event));
                keep(AuditChain::changes, event, ++changes_);
            }
            return {};
        }));
        for (int i = 0; i < accesses; ++i) {
            const AuditEvent event =
                make_event(AuditChain::accesses, testing::at(i * 2 + off(random_)));
            EXPECT_TRUE(log_.append(tenant, event.at, audit_payload(event)));
            keep(AuditChain::accesses, event, ++accesses_);
        }
        std::ranges::sort(known_, {}, &Known::position);
    }

    AuditEvent make_event(AuditChain chain, Timestamp at) {
        static constexpr std::array<std::string_view, 4> names{"ci", "Ann@a.example", "zeta",
                                                               "b-2"};
        static constexpr std::array<std::string_view, 3> actions{"create", "update", "delete"};
        AuditEvent event;
        event.tenant = tenant;
        event.at = at;
        event.subject = names[random_() % names.size()];
        if (chain == AuditChain::changes) {
            event.action = actions[random_() % actions.size()];
            event.entity_type = "project";
            event.entity_id = std::to_string(random_() % 50);
            event.entity_name = "p" + std::to_string(random_() % 5);
        } else {
            event.action = random_() % 4 == 0 ? audit_action::refresh : audit_action::sign_in;
            event.succeeded = random_() % 3 != 0;
        }
        event.origin = {random_() % 2 == 0 ? "192.0.2.7" : "2001:db8::1", "", "", "POST",
                        "/api/v1/token"};
        return event;
    }

    void keep(AuditChain chain, const AuditEvent& event, std::uint64_t number) {
        if (event.action != audit_action::refresh) {
            known_.push_back({{event.at, chain, number}, audit_payload(event)});
        }
    }

    Result<AuditPage> find(const AuditQuery& query, AuditLimits limits = {}) {
        auto search = AuditSearch::open(store_, log_, limits);
        return search->find(query);
    }

    static AuditQuery query(std::int64_t from, std::int64_t to) {
        AuditQuery made;
        made.tenant = tenant;
        made.start = testing::at(from);
        made.end = testing::at(to);
        made.base_url = base;
        return made;
    }

    /// The positions that `query` must give, by the plainest way; and how many there are in all.
    AuditPage expected(const AuditQuery& query, std::string_view sort_by, bool descending,
                       std::string_view field, std::string_view value) {
        std::vector<std::pair<std::string, AuditPosition>> rows;
        for (const Known& each : known_) {
            const json::value event = json::parse(each.payload);
            const auto text = [&](std::string_view name) {
                const json::value* found = event.as_object().if_contains(name);
                return found == nullptr ? std::string() : std::string(found->as_string());
            };
            const bool is_in_time =
                each.position.at >= query.start && each.position.at <= query.end;
            if (is_in_time && (field.empty() || text(field) == value)) {
                rows.emplace_back(sort_by.empty() ? "" : text(sort_by), each.position);
            }
        }
        std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.second; });
        if (sort_by.empty() && descending) {
            std::ranges::reverse(rows);
        } else if (descending) {
            std::ranges::stable_sort(rows, std::greater(), [](const auto& r) { return r.first; });
        } else {
            std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.first; });
        }
        AuditPage page;
        page.total = rows.size();
        for (std::size_t i = query.page.offset;
             i < rows.size() && page.entries.size() < query.page.limit; ++i) {
            page.entries.push_back(rows[i].second);
        }
        return page;
    }

    void compare_random_pages(int count) {
        static constexpr std::array<std::string_view, 5> sorts{"", "", "subject", "entity_name",
                                                               "action"};
        for (int i = 0; i < count; ++i) {
            const auto from = static_cast<std::int64_t>(random_() % 16'000) - 1'000;
            AuditQuery asked = query(from, from + static_cast<std::int64_t>(random_() % 16'000));
            asked.page = {random_() % 4'000, random_() % 60};
            const std::string_view sort_by = sorts[random_() % sorts.size()];
            const bool descending = random_() % 2 == 0;
            const bool filters = random_() % 3 == 0;
            asked.list.sort_order = descending ? "desc" : "asc";
            if (!sort_by.empty()) {
                asked.list.sort_by = std::string(sort_by);
            } else if (random_() % 2 == 0) {
                asked.list.sort_by = "timestamp";
            }
            if (filters) {
                asked.list.filter_by = FilterText{{"subject==zeta"}};
            }
            const bool is_sorted_list = filters && asked.list.sort_by == "timestamp";
            if (is_sorted_list) {
                asked.list.sort_by.reset(); // equal times stay in order there, as in any list
            }
            const auto page = find(asked);
            ASSERT_TRUE(page) << page.error().detail();
            const AuditPage right =
                expected(asked, sort_by, descending, filters ? "subject" : "", "zeta");
            ASSERT_EQ(page->total, right.total) << i;
            ASSERT_EQ(page->entries, right.entries) << i;
        }
    }

    std::mt19937 random_{11};
    MemoryStore store_;
    MemoryAccessEventLog log_{chain_hash};
    std::uint64_t changes_ = 0;
    std::uint64_t accesses_ = 0;
    std::vector<Known> known_; // in order
};

TEST_F(AuditSearchTest, NothingIsThere) {
    AuditQuery asked = query(0, 100);
    asked.page = {0, 20};
    EXPECT_EQ(find(asked)->total, 0U);
    EXPECT_TRUE(find(asked)->entries.empty());
}

TEST_F(AuditSearchTest, PagesAreThoseOfAPlainList) {
    fill(2'100, 7'300, 0);
    compare_random_pages(150);
}

TEST_F(AuditSearchTest, PagesAreRightThoughTimesAreOutOfOrder) {
    fill(1'500, 5'000, 9'000);
    compare_random_pages(150);
}

TEST_F(AuditSearchTest, PagesAreRightWhenManyTimesAreEqual) {
    fill(1'100, 100, 0);
    for (int i = 0; i < 3'000; ++i) {
        const AuditEvent event = make_event(AuditChain::accesses, testing::at(300));
        EXPECT_TRUE(log_.append(tenant, event.at, audit_payload(event)));
        keep(AuditChain::accesses, event, ++accesses_);
    }
    std::ranges::sort(known_, {}, &Known::position);
    compare_random_pages(100);
}

TEST_F(AuditSearchTest, PagesAreRightAfterOldEventsWereRemoved) {
    fill(2'000, 6'000, 50);
    const Timestamp before = testing::at(5'000);
    while (store_.remove_oldest(tenant, before).value() > 0) {
    }
    while (log_.remove_oldest(tenant, before).value() > 0) {
    }
    const std::uint64_t gone[] = {store_.open_audit_reader().value()->anchor(tenant)->number,
                                  log_.open_audit_reader().value()->anchor(tenant)->number};
    EXPECT_GT(gone[0], 0U);
    EXPECT_GT(gone[1], 1'024U);
    std::erase_if(known_, [&](const Known& each) {
        return each.position.number <= gone[static_cast<std::size_t>(each.position.chain)];
    });
    compare_random_pages(60);
}

TEST_F(AuditSearchTest, APageOfALongLogReadsLittle) {
    fill(3'000, 40'000, 0);
    AuditQuery asked = query(0, 1'000'000);
    for (const std::size_t offset : {0U, 10'000U, 20'000U, 30'000U}) {
        asked.page = {offset, 100};
        for (const char* order : {"asc", "desc"}) {
            asked.list.sort_order = order;
            const auto page = find(asked, {.most_examined = 10'000});
            ASSERT_TRUE(page) << page.error().detail();
            EXPECT_EQ(page->total, known_.size());
            EXPECT_EQ(page->entries.size(), 100U);
        }
    }
}

TEST_F(AuditSearchTest, WhatWouldTakeTooLongIsRefused) {
    fill(0, 5'000, 0);
    AuditQuery asked = query(0, 1'000'000);
    asked.page = {0, 20};
    asked.list.filter_by = FilterText{{"subject==zeta"}};
    EXPECT_TRUE(find(asked, {.most_examined = 5'000}));
    const auto refused = find(asked, {.most_examined = 4'999});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_request);
    EXPECT_NE(refused.error().detail().find("narrow start and end"), std::string::npos);
    EXPECT_TRUE(find(asked, {.deepest_page = 20}));
    asked.page.offset = 1;
    EXPECT_FALSE(find(asked, {.deepest_page = 20}));
}

TEST_F(AuditSearchTest, FieldsAreThoseOfTheContract) {
    fill(200, 400, 0);
    AuditQuery asked = query(0, 1'000'000);
    asked.page = {0, 1'000};
    for (const char* filter :
         {"timestamp>=2026-01-01T00:00:00Z", "subject=@a", "subject_type==App",
          "source_ip==192.0.2.7", "action==sign-in", "result!=Failed", "url=^https://a.example/api",
          "entity_type==project", "entity_name=$1", "cluster_name!@x", "http_method==POST",
          "subject==ci,result==Failed"}) {
        asked.list.filter_by = FilterText{{filter}};
        const auto page = find(asked);
        ASSERT_TRUE(page) << filter << " " << page.error().detail();
        EXPECT_GT(page->total, 0U) << filter;
    }
    asked.list.filter_by = FilterText{{"source_ip==2001:db8::1"}}; // is not shown
    EXPECT_EQ(find(asked)->total, 0U);
    asked.list.filter_by = FilterText{{"metadata==x"}};
    EXPECT_FALSE(find(asked));
    asked.list.filter_by.reset();
    for (const char* sort :
         {"timestamp", "subject", "subject_type", "source_ip", "action", "http_method", "result",
          "url", "entity_type", "entity_name", "entity_id", "Fields.ENTITY_ID"}) {
        asked.list.sort_by = sort;
        EXPECT_TRUE(find(asked)) << sort;
    }
    asked.list.sort_by = "id";
    EXPECT_FALSE(find(asked));
}

} // namespace
} // namespace claviger
