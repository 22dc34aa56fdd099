// SPDX-License-Identifier: Apache-2.0
#include "auth/password.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utf8proc.h>

#include "base/text.h"

namespace claviger {
namespace {

constexpr unsigned longest_queue = 16;
constexpr std::int64_t idle_milliseconds = 30'000;

/// Words that guessing programs try first and join together.
constexpr std::array<std::string_view, 72> common_words{
    "password", "passwort", "passw",     "secret",   "admin",    "administrator",
    "root",     "user",     "test",      "guest",    "login",    "welcome",
    "letmein",  "changeme", "default",   "qwerty",   "qwertz",   "azerty",
    "abc",      "iloveyou", "love",      "monkey",   "dragon",   "master",
    "football", "baseball", "sunshine",  "princess", "shadow",   "superman",
    "batman",   "michael",  "jordan",    "hunter",   "trustno",  "freedom",
    "whatever", "hello",    "charlie",   "summer",   "winter",   "spring",
    "autumn",   "january",  "february",  "march",    "april",    "june",
    "july",     "august",   "september", "october",  "november", "december",
    "monday",   "friday",   "company",   "service",  "server",   "system",
    "computer", "internet", "access",    "key",      "token",    "claviger",
    "runai",    "run",      "my",        "the",      "is",       "a"};

constexpr std::array<std::string_view, 8> keyboard_runs{
    "abcdefghijklmnopqrstuvwxyz",   "zyxwvutsrqponmlkjihgfedcba", "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",   "01234567890123456789",       "98765432109876543210",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "azertyuiopqsdfghjklmwxcvbn"};

Result<std::string> normalise(std::string_view password) {
    if (password.size() > longest_password || !is_utf8(password)) {
        return fail(ErrorCode::invalid_request, "a password is UTF-8 text of at most 1024 bytes");
    }
    utf8proc_uint8_t* composed = nullptr;
    const utf8proc_ssize_t length =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(password.data()),
                     static_cast<utf8proc_ssize_t>(password.size()), &composed,
                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (length < 0) {
        return fail(ErrorCode::invalid_request, "the password cannot be read as text");
    }
    std::string text(reinterpret_cast<const char*>(composed), static_cast<std::size_t>(length));
    wipe(std::span(composed, static_cast<std::size_t>(length)));
    std::free(composed); // utf8proc allocates with malloc
    return text;
}

std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(std::ranges::count_if(
        utf8, [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80; }));
}

/// Lower case with the usual substitutions undone: "P4$$w0rd" reads "password".
std::string fold_for_guessing(std::string_view text) {
    constexpr std::string_view from = "4@3!10$57";
    constexpr std::string_view to = "aaeiiosst";
    std::string folded;
    for (const char c : text) {
        const std::size_t at = from.find(c);
        folded += at == std::string_view::npos ? ascii_lower(c) : to[at];
    }
    return folded;
}

/// The longest prefix of `text` that is a run on a keyboard or of one character (4 or more).
std::size_t run_length(std::string_view text) {
    std::size_t longest = 0;
    for (const std::string_view run : keyboard_runs) {
        for (std::size_t length = std::min(text.size(), run.size()); length >= 4; --length) {
            if (run.find(text.substr(0, length)) != std::string_view::npos) {
                longest = std::max(longest, length);
                break;
            }
        }
    }
    const std::size_t same = std::min(text.find_first_not_of(text.front()), text.size());
    return same >= 4 ? std::max(longest, same) : longest;
}

std::size_t word_length(std::string_view text, const std::vector<std::string>& words) {
    std::size_t longest = 0;
    for (const std::string& word : words) {
        if (word.size() >= 2 && text.starts_with(word)) {
            longest = std::max(longest, word.size());
        }
    }
    for (const std::string_view word : common_words) {
        if (text.starts_with(word)) {
            longest = std::max(longest, word.size());
        }
    }
    return longest;
}

/// The number of characters that are neither part of a known word nor of a run.
std::size_t unguessable_characters(std::string_view text, const std::vector<std::string>& words) {
    std::size_t free = 0;
    while (!text.empty()) {
        const std::size_t known = std::max(word_length(text, words), run_length(text));
        const bool filler =
            std::string_view("0123456789 .,-_!?#").find(text.front()) != std::string_view::npos;
        free += known == 0 && !filler ? 1 : 0;
        text.remove_prefix(std::max<std::size_t>(known, 1));
    }
    return free;
}

bool repeats_a_short_part(std::string_view text) {
    for (std::size_t period = 1; period <= 4; ++period) {
        if (text.substr(period) == text.substr(0, text.size() - period)) {
            return true;
        }
    }
    return false;
}

} // namespace

Result<void> check_new_password(std::string_view password,
                                const std::vector<std::string>& context) {
    const std::string text = TRY(normalise(password));
    if (count_characters(text) < shortest_password) {
        return fail(ErrorCode::invalid_request, "the password has fewer than " +
                                                    std::to_string(shortest_password) +
                                                    " characters; choose a longer one");
    }
    std::vector<std::string> words;
    for (const std::string& word : context) {
        words.push_back(ascii_lower(word));
        words.push_back(fold_for_guessing(word));
    }
    const std::string lower = ascii_lower(text);
    const std::size_t free = std::min(unguessable_characters(lower, words),
                                      unguessable_characters(fold_for_guessing(text), words));
    if (free < 4 || repeats_a_short_part(lower)) {
        return fail(ErrorCode::invalid_request,
                    "the password is easy to guess (common words, names or runs of characters); "
                    "choose another one");
    }
    return {};
}

Result<bool> is_same_password(std::string_view a, std::string_view b) {
    std::string first = TRY(normalise(a));
    std::string second = TRY(normalise(b));
    const bool same = constant_time_equal(first, second);
    wipe(first);
    wipe(second);
    return same;
}

Secret generate_password(Random& random) {
    std::array<std::uint8_t, 15> bytes{};
    random.fill(bytes);
    std::string letters = base32(bytes).substr(0, 20); // 100 bits
    wipe(bytes);
    for (std::size_t dash = 16; dash >= 4; dash -= 4) {
        letters.insert(dash, 1, '-');
    }
    return Secret(std::move(letters));
}

/// One caller at a time hashes; the others wait in a bounded queue.
class Passwords::Turn {
public:
    static Result<Turn> take(Passwords& owner) {
        std::unique_lock lock(owner.mutex_);
        if (owner.busy_ && owner.waiting_ >= longest_queue) {
            return fail(ErrorCode::too_many_requests, "too many sign-ins at once; try again");
        }
        ++owner.waiting_;
        owner.free_.wait(lock, [&] { return !owner.busy_; });
        --owner.waiting_;
        owner.busy_ = true;
        return Turn(owner);
    }
    Turn(Turn&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
        if (owner_ == nullptr) {
            return;
        }
        const std::scoped_lock lock(owner_->mutex_);
        owner_->busy_ = false;
        owner_->last_use_milliseconds_ = owner_->clock_.monotonic_milliseconds();
        owner_->free_.notify_one();
    }

private:
    explicit Turn(Passwords& owner) : owner_(&owner) {}
    Passwords* owner_;
};

Passwords::Passwords(const Pepper& pepper, Argon2Parameters parameters, Random& random,
                     Clock& clock)
    : pepper_(pepper), random_(random), clock_(clock), argon2_(parameters) {}

Result<std::string> Passwords::hash(std::string_view password) {
    std::string text = TRY(normalise(password));
    Digest keyed = pepper_.keyed_password(text);
    wipe(text);
    const Turn turn = TRY(Turn::take(*this));
    auto phc = argon2_.hash(keyed, random_);
    wipe(keyed);
    return phc;
}

Result<bool> Passwords::verify(std::string_view phc, std::string_view password) {
    auto text = normalise(password);
    const bool readable = text.has_value();
    std::string normalised = readable ? *std::move(text) : std::string();
    Digest keyed = pepper_.keyed_password(normalised);
    wipe(normalised);
    const Turn turn = TRY(Turn::take(*this));
    if (decoy_.empty()) {
        std::array<std::uint8_t, 32> nobody{};
        random_.fill(nobody);
        decoy_ = TRY(argon2_.hash(nobody, random_));
    }
    const bool known = !phc.empty();
    auto matches = argon2_.verify(known ? phc : std::string_view(decoy_), keyed);
    wipe(keyed);
    if (!matches) {
        return matches;
    }
    return *matches && known && readable;
}

void Passwords::release_idle_memory() {
    const std::scoped_lock lock(mutex_);
    const std::int64_t idle = clock_.monotonic_milliseconds() - last_use_milliseconds_;
    if (!busy_ && waiting_ == 0 && idle > idle_milliseconds) {
        argon2_.release_memory();
    }
}

} // namespace claviger
