// SPDX-License-Identifier: Apache-2.0
#include "jose/ecdsa_signature.h"

#include <algorithm>

namespace claviger {
namespace {

/// The order of P-256 (FIPS 186-5, SEC 2).
constexpr std::array<std::uint8_t, 32> order{
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

/// Takes one INTEGER of at most 32 significant bytes into `out`, right-aligned.
bool take_integer(std::span<const std::uint8_t>& der, std::span<std::uint8_t> out) {
    if (der.size() < 2 || der[0] != 0x02 || der[1] > 33 || der.size() < 2U + der[1]) {
        return false;
    }
    std::span<const std::uint8_t> digits = der.subspan(2, der[1]);
    der = der.subspan(2U + digits.size());
    while (digits.size() > 1 && digits.front() == 0) {
        digits = digits.subspan(1);
    }
    if (digits.empty() || digits.size() > out.size()) {
        return false;
    }
    std::ranges::copy(digits,
                      out.begin() + static_cast<std::ptrdiff_t>(out.size() - digits.size()));
    return true;
}

void append_integer(DerSignature& der, std::span<const std::uint8_t> number) {
    while (number.size() > 1 && number.front() == 0) {
        number = number.subspan(1);
    }
    const bool needs_zero = (number.front() & 0x80) != 0;
    der.bytes[der.size++] = 0x02;
    der.bytes[der.size++] = static_cast<std::uint8_t>(number.size() + (needs_zero ? 1 : 0));
    if (needs_zero) {
        der.bytes[der.size++] = 0;
    }
    std::ranges::copy(number, der.bytes.begin() + static_cast<std::ptrdiff_t>(der.size));
    der.size += number.size();
}

bool in_range(std::span<const std::uint8_t> number) {
    const bool zero = std::ranges::all_of(number, [](std::uint8_t byte) { return byte == 0; });
    return !zero && std::ranges::lexicographical_compare(number, order);
}

/// Replaces s by n - s when that is smaller: of the two signatures that verify, one is ours.
void make_low(std::span<std::uint8_t> s) {
    std::array<std::uint8_t, 32> twin{};
    int borrow = 0;
    for (std::size_t i = 32; i-- > 0;) {
        const int digit = int{order[i]} - int{s[i]} - borrow;
        borrow = digit < 0 ? 1 : 0;
        twin[i] = static_cast<std::uint8_t>(digit + (borrow != 0 ? 256 : 0));
    }
    if (std::ranges::lexicographical_compare(twin, s)) {
        std::ranges::copy(twin, s.begin());
    }
}

bool is_low(std::span<const std::uint8_t> s) {
    std::array<std::uint8_t, 32> copy{};
    std::ranges::copy(s, copy.begin());
    make_low(copy);
    return std::ranges::equal(copy, s);
}

} // namespace

std::optional<JoseSignature> jose_from_der(std::span<const std::uint8_t> der) {
    if (der.size() < 2 || der[0] != 0x30 || der[1] != der.size() - 2) {
        return std::nullopt;
    }
    der = der.subspan(2);
    JoseSignature out{};
    if (!take_integer(der, std::span(out).first(32)) ||
        !take_integer(der, std::span(out).last(32)) || !der.empty()) {
        return std::nullopt;
    }
    make_low(std::span(out).last(32));
    return out;
}

std::optional<DerSignature> der_from_jose(std::span<const std::uint8_t> signature) {
    if (signature.size() != 64) {
        return std::nullopt;
    }
    const auto r = signature.first(32);
    const auto s = signature.last(32);
    if (!in_range(r) || !in_range(s) || !is_low(s)) {
        return std::nullopt;
    }
    DerSignature der;
    der.size = 2;
    append_integer(der, r);
    append_integer(der, s);
    der.bytes[0] = 0x30;
    der.bytes[1] = static_cast<std::uint8_t>(der.size - 2);
    return der;
}

} // namespace claviger
