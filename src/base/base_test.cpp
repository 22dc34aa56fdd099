// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <map>
#include <random>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/secret.h"
#include "base/seeded_random.h"
#include "base/sharded_table.h"
#include "base/strict_json.h"
#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"

namespace claviger {
namespace {

TEST(Time, RoundTrips) {
    for (const char* text : {"1970-01-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z",
                             "2038-01-19T03:14:08.000001Z", "2106-02-07T06:28:16.500000Z"}) {
        const auto at = parse_rfc3339(text);
        ASSERT_TRUE(at) << text;
        EXPECT_EQ(format_rfc3339(*at), text);
    }
    EXPECT_EQ(parse_rfc3339("2026-01-01T02:00:00+02:00"), parse_rfc3339("2026-01-01T00:00:00Z"));
    EXPECT_EQ(parse_rfc3339("2026-01-01T00:00:00.5Z")->microseconds % 1'000'000, 500'000);
}

TEST(Time, RefusesWhatIsNoDate) {
    for (const char* text : {"", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-01-01",
                             "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00Zx",
                             "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+2:00"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(Encoding, KnowsTheVectorsOfRfc4648) {
    EXPECT_EQ(base64url(as_bytes("foobar")), "Zm9vYmFy");
    EXPECT_EQ(base64url(as_bytes("fooba")), "Zm9vYmE");
    EXPECT_EQ(base64url(as_bytes("foob")), "Zm9vYg");
    EXPECT_EQ(as_text(*decode_base64("Zm9vYg==")), "foob");
    EXPECT_EQ(base32(as_bytes("fooba")), "mzxw6ytb");
    EXPECT_EQ(hex(as_bytes("fo")), "666f");
    EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
    EXPECT_EQ(base62(Bytes{0xFF}, 4), "0047");
    EXPECT_EQ(decode_base62("0047", 1), Bytes{0xFF});
    EXPECT_EQ(decode_base62("0047", 3), (Bytes{0, 0, 0xFF}));
    EXPECT_EQ(decode_base62("0048", 1), std::nullopt) << "256 needs more than a byte";
    EXPECT_EQ(decode_base62("00_7", 4), std::nullopt);
    const Bytes largest(32, 0xFF);
    EXPECT_EQ(decode_base62(base62(largest, 43), 32), largest);
}

TEST(Encoding, TakesCanonicalTextOnly) {
    for (const char* text : {"Zm9vYh", "Zm9v=", "Zm9v\n", "Zm+v", "Z", "Zm9vYg=="}) {
        EXPECT_FALSE(decode_base64url(text)) << text;
    }
    for (const char* text : {"Zm9vYg", "Zm9vYh==", "Zm9v====", "Zm-v"}) {
        EXPECT_FALSE(decode_base64(text)) << text;
    }
    EXPECT_FALSE(decode_hex("abc"));
    EXPECT_FALSE(decode_hex("zz"));
}

TEST(Text, WritesJsonThatNeedsNoUrlAlphabet) {
    std::mt19937 random(7);
    const std::vector<std::string> parts{"?", ">", "~",  "\x7F", "é",  "日本",
                                         "𝄞", "a", "\"", "\\",   "\n", "\xFF"};
    for (int round = 0; round < 2000; ++round) {
        std::string json = "{\"n\":";
        std::string name;
        for (unsigned i = random() % 8; i > 0; --i) {
            name += parts[random() % parts.size()];
        }
        append_json_string(json, name);
        json += '}';
        const std::string encoded = base64url(as_bytes(json));
        EXPECT_EQ(encoded.find_first_of("-_"), std::string::npos) << json;
    }
}

TEST(Text, KnowsUtf8) {
    EXPECT_TRUE(is_printable_utf8("é日本𝄞"));
    for (const std::string_view text :
         {"\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE3\x81", "\x80"}) {
        EXPECT_FALSE(is_utf8(text));
    }
    EXPECT_FALSE(is_printable_utf8("a\x01"));
    EXPECT_FALSE(parse_integer<int>("1x"));
    EXPECT_FALSE(parse_integer<std::int8_t>("300"));
}

TEST(Secret, IsWipedWhenMovedFrom) {
    Secret from(std::string("hush"));
    const Secret to(std::move(from));
    EXPECT_EQ(to.reveal(), "hush");
    EXPECT_TRUE(from.empty()); // NOLINT(bugprone-use-after-move): that is the promise
    const std::string_view memory(reinterpret_cast<const char*>(&from), sizeof from);
    EXPECT_EQ(memory.find("hush"), std::string_view::npos);
    EXPECT_TRUE(constant_time_equal(std::string_view("ab"), std::string_view("ab")));
    EXPECT_FALSE(constant_time_equal(std::string_view("ab"), std::string_view("ac")));
    EXPECT_FALSE(constant_time_equal(std::string_view("ab"), std::string_view("abc")));
}

TEST(Uuid, RoundTrips) {
    SeededRandom random(1);
    const Uuid id = Uuid::make(random);
    EXPECT_EQ(Uuid::parse(id.text()), id);
    EXPECT_EQ(id.text()[14], '4');
    for (const char* text :
         {"", "0", "0556eb5c-fee7-42a5-93d4-95282d9a5c0", "0556eb5cxfee7-42a5-93d4-95282d9a5c08",
          "g556eb5c-fee7-42a5-93d4-95282d9a5c08"}) {
        EXPECT_FALSE(Uuid::parse(text)) << text;
    }
}

TEST(Random, DiffersInAForkedChild) {
    SystemRandom random;
    std::array<std::uint8_t, 16> warm_up{};
    random.fill(warm_up);
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    std::array<std::uint8_t, 16> own{};
    random.fill(own);
    if (child == 0) {
        const bool written = ::write(pipe[1], own.data(), own.size()) == 16;
        ::_exit(written ? 0 : 1);
    }
    std::array<std::uint8_t, 16> other{};
    ASSERT_EQ(::read(pipe[0], other.data(), other.size()), 16);
    ::waitpid(child, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    EXPECT_NE(own, other);
}

#ifndef __SANITIZE_THREAD__ // a thread of the sanitizer would outlive the one that is killed
TEST(Random, MostFillsMakeNoSystemCall) {
    const pid_t child = ::fork();
    if (child == 0) {
        SystemRandom random;
        std::array<std::uint8_t, 16> bytes{};
        random.fill(bytes);
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT); // the next call but exit(2) kills
        for (int i = 0; i < 200; ++i) {
            random.fill(bytes);
        }
        ::syscall(SYS_exit, 7);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
#endif

TEST(StrictJson, RefusesWhatBoostWouldTake) {
    const StrictJsonLimits limits{4, 8, true};
    for (const std::string_view text :
         {R"({"a":1,"A":2})", R"({"a":1,"a":2})", R"({"a":"\u0000"})", R"({"a":1e400})", "{}x",
          R"([[[[[1]]]]])", "{", "", "{\"a\":\"\xFF\"}", R"({"a":{"b":1,"B":1}})",
          R"({"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1})"}) {
        EXPECT_FALSE(parse_strict_json(text, limits)) << text;
    }
    EXPECT_TRUE(parse_strict_json(R"({"a":[1,2,{"b":"é"}],"c":null})", limits));
    const StrictJsonLimits exact{4, 8, false};
    EXPECT_TRUE(parse_strict_json(R"({"a":1,"A":2})", exact));
}

struct NumberRow {
    std::int64_t key = 0;
    int value = 0;
};
struct NumberKey {
    std::int64_t operator()(const NumberRow& row) const { return row.key; }
};

template <class Table>
class ShardedTableTest : public ::testing::Test {};
using ShardedTables =
    ::testing::Types<ShardedTable<NumberRow, NumberKey>, ShardedTable<NumberRow, NumberKey, true>>;
TYPED_TEST_SUITE(ShardedTableTest, ShardedTables);

TYPED_TEST(ShardedTableTest, BehavesAsAMultimap) {
    using Table = TypeParam;
    std::mt19937 random(11);
    std::multimap<std::int64_t, int> model;
    Table table;
    for (int step = 0; step < 20'000; ++step) {
        const auto key = static_cast<std::int64_t>(random() % 3000);
        const int value = static_cast<int>(random() % 1000);
        switch (random() % 3) {
        case 0:
            table = table.put({key, value});
            model.erase(key);
            model.emplace(key, value);
            break;
        case 1:
            table = table.add({key, value});
            model.emplace(key, value);
            break;
        default:
            table = table.remove(key);
            model.erase(key);
        }
    }
    EXPECT_EQ(table.size(), model.size());
    for (std::int64_t key = 0; key < 3000; ++key) {
        std::multiset<int> found;
        table.for_each_equal(key, [&](const NumberRow& row) { found.insert(row.value); });
        std::multiset<int> expected;
        const auto [begin, end] = model.equal_range(key);
        for (auto at = begin; at != end; ++at) {
            expected.insert(at->second);
        }
        EXPECT_EQ(found, expected) << key;
    }
}

TYPED_TEST(ShardedTableTest, LeavesOldTablesAlone) {
    using Table = TypeParam;
    const Table before = Table::build({{1, 10}, {2, 20}});
    const Table after = before.put({1, 11}).remove(2);
    EXPECT_EQ(before.find(1)->value, 10);
    EXPECT_NE(before.find(2), nullptr);
    EXPECT_EQ(after.find(1)->value, 11);
    EXPECT_EQ(after.find(2), nullptr);
}

} // namespace
} // namespace claviger
