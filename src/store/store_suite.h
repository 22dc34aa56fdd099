// SPDX-License-Identifier: Apache-2.0
// Each backend of Store with two tenants in it, for the tests that run on all of them.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/data_directory.h"
#include "store/memory_store.h"
#include "store/samples.h"
#include "store/sqlite_store.h"
#include "store/store.h"

namespace claviger::testing {

/// Makes a backend, and opens it again where that means something.
class Backend {
public:
    virtual ~Backend() = default;
    virtual Store& store() = 0;
    virtual void reopen() = 0;
};

class MemoryBackend final : public Backend {
public:
    Store& store() override { return store_; }
    void reopen() override {}

private:
    MemoryStore store_;
};

class SqliteBackend final : public Backend {
public:
    SqliteBackend() { reopen(); }
    Store& store() override { return *store_; }
    void reopen() override {
        store_.reset();
        auto opened = SqliteStore::open(directory_.path());
        if (!opened) {
            throw std::runtime_error(opened.error().detail());
        }
        store_ = *std::move(opened);
    }

private:
    TemporaryDirectory directory_;
    std::unique_ptr<SqliteStore> store_;
};

template <class Kind>
class StoreTest : public ::testing::Test {
protected:
    void SetUp() override {
        must(put(store(), tenant(first)));
        must(put(store(), tenant(second)));
    }

    Store& store() { return backend_.store(); }
    void reopen() { backend_.reopen(); }

    static void must(const Result<void>& done) {
        ASSERT_TRUE(done.has_value()) << (done ? "" : done.error().detail());
    }

    /// What `find` gives inside a write, as text; "none" or "some" where there is nothing or more.
    template <class Find>
    std::string found(Find find) {
        std::string text = "none";
        must(store().write([&](Transaction& transaction) -> Result<void> {
            const auto row = TRY(find(transaction));
            text = row ? text_of(*row) : "none";
            return {};
        }));
        return text;
    }
    template <class Find>
    std::vector<std::string> found_all(Find find) {
        std::vector<std::string> texts;
        must(store().write([&](Transaction& transaction) -> Result<void> {
            const auto rows = TRY(find(transaction));
            for (const auto& row : rows) {
                texts.push_back(text_of(row));
            }
            return {};
        }));
        return texts;
    }

    static ErrorCode code_of(const Result<void>& done) {
        return done ? ErrorCode::too_large : done.error().code(); // too_large: no store says it
    }

private:
    Kind backend_;
};

using Backends = ::testing::Types<MemoryBackend, SqliteBackend>;
using Texts = std::vector<std::string>;

} // namespace claviger::testing
