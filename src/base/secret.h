// SPDX-License-Identifier: Apache-2.0
// Text that must not be seen: it has no printer, no ==, and is wiped when it dies or is moved from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace claviger {

/// Overwrites memory in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> bytes);
void wipe(std::string& text);

/// Compares in a time that depends on the lengths only.
bool constant_time_equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);
bool constant_time_equal(std::string_view a, std::string_view b);

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) { take(text); }
    explicit Secret(std::string_view text) : text_(text) {}
    Secret(Secret&& other) noexcept { take(other.text_); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            forget(text_);
            take(other.text_);
        }
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { forget(text_); }

    bool empty() const { return text_.empty(); }
    std::size_t size() const { return text_.size(); }
    /// The text itself. Each call is a place to review.
    std::string_view reveal() const { return text_; }

private:
    /// Into an empty Secret.
    void take(std::string& text) noexcept {
        text_.swap(text);
        forget(text);
    }
    /// Wipes all of the memory, in which a short text that was taken still lies.
    static void forget(std::string& text) {
        text.resize(text.capacity());
        wipe(text);
    }

    std::string text_;
};

} // namespace claviger
