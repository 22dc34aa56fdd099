// SPDX-License-Identifier: Apache-2.0
#include "jose/password_hash.h"

#include <algorithm>
#include <argon2.h>
#include <array>
#include <sys/mman.h>
#include <vector>

#include "base/encoding.h"
#include "base/secret.h"
#include "base/text.h"

namespace claviger {
namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t hash_size = 32;

/// The arena that the callbacks below hand out; set for the length of one call.
thread_local void* lent_arena = nullptr;
thread_local std::size_t lent_size = 0;

int lend(std::uint8_t** memory, std::size_t size) {
    if (size > lent_size) {
        return ARGON2_MEMORY_ALLOCATION_ERROR;
    }
    *memory = static_cast<std::uint8_t*>(lent_arena);
    return ARGON2_OK;
}

void take_back(std::uint8_t*, std::size_t) {}

struct Phc {
    Argon2Parameters parameters;
    Bytes salt;
    Bytes hash;
};

/// Standard base64 without padding, as PHC strings have it.
std::string base64_unpadded(std::span<const std::uint8_t> bytes) {
    std::string text = base64url(bytes);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    return text;
}

std::optional<Bytes> decode_unpadded(std::string_view text) {
    std::string padded(text);
    padded.append((4 - padded.size() % 4) % 4, '=');
    return decode_base64(padded);
}

std::optional<std::uint32_t> take_parameter(std::string_view& text, std::string_view name) {
    if (!text.starts_with(name)) {
        return std::nullopt;
    }
    text.remove_prefix(name.size());
    const std::string_view digits = text.substr(0, text.find_first_of(",$"));
    text.remove_prefix(std::min(digits.size() + 1, text.size()));
    return parse_integer<std::uint32_t>(digits);
}

std::optional<Phc> parse_phc(std::string_view text) {
    constexpr std::string_view head = "$argon2id$v=19$";
    if (!text.starts_with(head)) {
        return std::nullopt;
    }
    text.remove_prefix(head.size());
    const auto memory = take_parameter(text, "m=");
    const auto passes = take_parameter(text, "t=");
    const auto lanes = take_parameter(text, "p=");
    const std::size_t dollar = text.find('$');
    if (!memory || !passes || lanes != 1 || dollar == std::string_view::npos ||
        *memory > 4 * 1024 * 1024 || *passes > 64) {
        return std::nullopt;
    }
    const auto salt = decode_unpadded(text.substr(0, dollar));
    const auto hash = decode_unpadded(text.substr(dollar + 1));
    if (!salt || !hash || salt->size() < 8 || hash->size() != hash_size) {
        return std::nullopt;
    }
    return Phc{{*memory, *passes}, *salt, *hash};
}

} // namespace

Argon2::Argon2(Argon2Parameters parameters) : parameters_(parameters) {}

Argon2::~Argon2() {
    release_memory();
}

void Argon2::release_memory() {
    if (arena_ != nullptr) {
        ::munmap(arena_, arena_size_);
        arena_ = nullptr;
        arena_size_ = 0;
    }
}

Result<Bytes> Argon2::compute(const Argon2Parameters& parameters, std::span<std::uint8_t> salt,
                              std::span<const std::uint8_t> password) {
    const std::size_t needed = std::size_t{parameters.memory_kib} * 1024;
    if (arena_size_ < needed) {
        release_memory();
        void* const mapped =
            ::mmap(nullptr, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) {
            return fail(ErrorCode::unavailable, "no memory to hash a password");
        }
        ::madvise(mapped, needed, MADV_HUGEPAGE); // advice only: fewer page faults
        ::madvise(mapped, needed, MADV_DONTDUMP);
        arena_ = mapped;
        arena_size_ = needed;
    }
    Bytes hash(hash_size);
    Bytes input(password.begin(), password.end());
    argon2_context context{};
    context.out = hash.data();
    context.outlen = hash_size;
    context.pwd = input.data();
    context.pwdlen = static_cast<std::uint32_t>(input.size());
    context.salt = salt.data();
    context.saltlen = static_cast<std::uint32_t>(salt.size());
    context.t_cost = parameters.passes;
    context.m_cost = parameters.memory_kib;
    context.lanes = 1;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    context.allocate_cbk = lend;
    context.free_cbk = take_back;
    context.flags = ARGON2_FLAG_CLEAR_PASSWORD;
    lent_arena = arena_;
    lent_size = arena_size_;
    const int outcome = argon2id_ctx(&context);
    lent_size = 0;
    wipe(input);
    if (outcome != ARGON2_OK) {
        return fail(ErrorCode::internal, argon2_error_message(outcome));
    }
    return hash;
}

Result<std::string> Argon2::hash(std::span<const std::uint8_t> keyed_password, Random& random) {
    std::array<std::uint8_t, salt_size> salt{};
    random.fill(salt);
    const Bytes hash = TRY(compute(parameters_, salt, keyed_password));
    return "$argon2id$v=19$m=" + std::to_string(parameters_.memory_kib) +
           ",t=" + std::to_string(parameters_.passes) + ",p=1$" + base64_unpadded(salt) + "$" +
           base64_unpadded(hash);
}

Result<bool> Argon2::verify(std::string_view phc, std::span<const std::uint8_t> keyed_password) {
    auto stored = parse_phc(phc);
    if (!stored) {
        return fail(ErrorCode::internal, "a stored password hash is unreadable");
    }
    const Bytes hash = TRY(compute(stored->parameters, stored->salt, keyed_password));
    return constant_time_equal(hash, stored->hash);
}

bool Argon2::is_outdated(std::string_view phc) const {
    const auto stored = parse_phc(phc);
    return stored && (stored->parameters.memory_kib < parameters_.memory_kib ||
                      stored->parameters.passes < parameters_.passes);
}

} // namespace claviger
