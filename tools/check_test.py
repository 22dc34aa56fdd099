#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that each rule of check.py can fail, and what it lets pass."""
from __future__ import annotations

import sys
import unittest

import check

LAYERS = check.read_layers("# a comment\nbase:\nstore: base\nserver: store base\n")
SPDX = "// SPDX-License-Identifier: Apache-2.0"


def words(breaches: list[str]) -> str:
    return " / ".join(breaches)


class Layers(unittest.TestCase):
    def breaches(self, name: str, line: str) -> str:
        return words(check.check_layers(name, [line], LAYERS))

    def test_includes_point_down(self):
        self.assertEqual("", self.breaches("src/store/a.cpp", '#include "base/b.h"'))
        self.assertEqual("", self.breaches("src/store/a.cpp", '#include "store/b.h"'))
        self.assertIn("must not include store",
                      self.breaches("src/base/a.cpp", '#include "store/b.h"'))

    def test_unknown_modules_are_refused(self):
        self.assertIn("not in src/layers.txt", self.breaches("src/new/a.cpp", ""))
        self.assertIn("must not include new",
                      self.breaches("src/server/a.cpp", '#include "new/b.h"'))

    def test_includes_name_their_module(self):
        self.assertIn("module path", self.breaches("src/base/a.cpp", '#include "b.h"'))

    def test_tests_may_reach_up(self):
        self.assertEqual("", self.breaches("src/base/a_test.cpp", '#include "server/b.h"'))

    def test_libraries_have_layers_as_well(self):
        self.assertEqual("", self.breaches("clients/cpp/store/a.cpp", '#include "base/b.h"'))
        self.assertIn("must not include server",
                      self.breaches("clients/cpp/store/a.cpp", '#include "server/b.h"'))
        self.assertEqual("", self.breaches("clients/cpp/probe/a.cpp", '#include "any/b.h"'))

    def test_public_headers_are_free_of_boost(self):
        for line, expected in (("#include <boost/json.hpp>", 1), ('#include "base/a.h"', 1),
                               ("#include <string>", 0)):
            for name, factor in (("verifier.h", 1), ("beast.h", 0)):
                found = check.check_public_header(f"clients/cpp/include/claviger/{name}", [line])
                self.assertEqual(expected * factor, len(found), (name, line))

    def test_no_cycles(self):
        self.assertEqual([], check.check_cycles(LAYERS))
        self.assertTrue(check.check_cycles(check.read_layers("base: store\nstore: base\n")))


class Sizes(unittest.TestCase):
    def test_files(self):
        self.assertEqual([], check.check_sizes("src/base/a.cpp", ["x"] * 400))
        self.assertIn("400 lines", words(check.check_sizes("src/base/a.cpp", ["x"] * 401)))
        self.assertEqual([], check.check_sizes("src/base/a_test.cpp", ["x"] * 401))
        self.assertIn("800 lines", words(check.check_sizes("src/base/a_test.cpp", ["x"] * 801)))

    def test_lines(self):
        self.assertEqual([], check.check_sizes("src/base/a.cpp", ["x" * 100]))
        self.assertIn("columns", words(check.check_sizes("src/base/a.cpp", ["x" * 101])))

    def test_cpp_functions(self):
        body = ["    a += 1; // }", '    b = "}";'] * 30
        for head in (["int f(int a) {"], ["int A::f(int a) const noexcept {"], ["A::A(int a)",
                     "    : a_(a), b_(f(a)) {"], ["auto f() -> Result<int> {"],
                     ["TEST(Name, case) {"], ["class A {", "    int f() {", "    }", "};", "",
                                              "void f() {", "    if (a) {", "    }"]):
            found = check.check_sizes("src/base/a.cpp", [*head, *body, "}"])
            self.assertIn("a function of more", words(found), head)
        self.assertEqual([(1, 3)], check.cpp_functions(["void f() {", "    g({1});", "}"]))

    def test_types_and_tables_are_no_functions(self):
        for head in ("class C {", "namespace a {", "constexpr std::array<int, 3> table{{",
                     "enum class E {"):
            found = check.check_sizes("src/base/a.cpp", [head, *["    int a;"] * 80, "};"])
            self.assertEqual([], found, head)

    def test_python_and_shell_functions(self):
        self.assertIn("a function of more", words(check.check_sizes(
            "tools/a.py", ["def f():", *["    a = 1"] * 60])))
        self.assertEqual([], check.check_sizes("tools/a.py", ["def f():", *["    a = 1"] * 59]))
        self.assertIn("a function of more", words(check.check_sizes(
            "dev", ["f() {", *["    a=1"] * 60, "}"])))


class Calls(unittest.TestCase):
    BAD = ["std::chrono::system_clock::now()", "std::getenv(name)", "memcmp(a, b, 3)",
           "RAND_bytes(a, 3)", "std::random_device r;", "#include <openssl/evp.h>",
           "#include <boost/asio.hpp>", "co_await f()", "std::this_thread::sleep_for(s)",
           "#include <format>"]

    def test_banned(self):
        for call in self.BAD:
            self.assertIn("use ", words(check.check_calls("src/auth/a.cpp", [call])), call)

    def test_allowed_where_they_live(self):
        for name, call in (("src/base/clock.cpp", self.BAD[0]), ("src/cli/a.cpp", self.BAD[1]),
                           ("src/base/random.cpp", "getrandom(a, b, 0)"),
                           ("src/jose/a.cpp", self.BAD[5]), ("src/server/tls.cpp", self.BAD[5]),
                           ("src/server/a.cpp", self.BAD[6]), ("src/server/a.cpp", self.BAD[7])):
            self.assertEqual([], check.check_calls(name, [call]), name)
        self.assertEqual([], check.check_calls("src/auth/a.cpp", ["clock.now() // not getenv"]))


class Text(unittest.TestCase):
    def code(self, *lines: str, name: str = "src/auth/a.cpp") -> str:
        return words(check.check_code(name, [SPDX, "// What it is for.", *lines]))

    def test_first_lines(self):
        self.assertEqual("", self.code())
        self.assertIn("SPDX", words(check.check_code("src/auth/a.cpp", ["int a;"])))
        self.assertIn("opens with", words(check.check_code("src/auth/a.h", [SPDX, "#pragma once"])))

    def test_markers(self):
        for marker in ("// TO" + "DO", "// FIX" + "ME later", "GTEST" + "_SKIP();",
                       "TEST(A, DIS" + "ABLED_a)", '"not impl' + 'emented"',
                       "@pytest.mark.xf" + "ail", "@pytest.mark.sk" + "ip(1)"):
            self.assertIn("promise", self.code(marker), marker)

    def test_names(self):
        for line in ("class KeyManager {", "struct RequestInfo final {", "    struct Data;"):
            self.assertIn("says nothing", self.code(line), line)
        for line in ("class DataDirectory {", "struct Information {"):
            self.assertEqual("", self.code(line), line)
        self.assertIn("says nothing", self.code(name="src/auth/key_utils.cpp"))
        self.assertEqual("", self.code(name="src/store/data_directory.cpp"))

    def test_machines_and_registries(self):
        for line in ("see https://pypi" + ".org/x", "cd /wo" + "rk/a", "/tmp/bash" + "_jobs.0"):
            self.assertIn("names a machine", words(check.check_words("README.md", [line])), line)
        self.assertEqual([], check.check_words("README.md", ["a piece of frame/wo" + "rk/"]))

    def test_lock_files_name_no_host(self):
        line = '"resolved": "https://example.com/a.tgz"'
        for name in ("a/package-lock.json", "tests/clients/lock/base.txt", "a/go.sum"):
            self.assertIn("lock file", words(check.check_words(name, [line])), name)
        self.assertEqual([], check.check_words("a/package.json", [line]))

    def test_links_lead_somewhere(self):
        lines = ["[a](ARCHITECTURE.md#modules), [b](https://example.com/x), [c](docs/adr)"]
        self.assertEqual([], check.check_links("README.md", lines))
        self.assertIn("nothing at", words(check.check_links("docs/glossary.md", lines)))

    def test_records_are_numbered(self):
        self.assertEqual([], check.check_records(["docs/adr/0002-b.md", "docs/adr/0001-a.md"]))
        self.assertTrue(check.check_records(["docs/adr/0001-a.md", "docs/adr/0003-c.md"]))
        self.assertTrue(check.check_records(["docs/adr/0001-a.md", "docs/adr/0001-b.md"]))


class TypeNames(unittest.TestCase):
    def test_a_name_is_one_type_of_the_headers(self):
        twice = {"src/a/a.h": ["struct Answer {", "struct Other;"],
                 "src/b/b.h": ["class Other final : public Base {", "class Answer : Base {"]}
        self.assertEqual(["src/b/b.h:2: src/a/a.h has a Answer as well"],
                         check.check_type_names(twice))
        nested = {"src/a/a.h": ["struct Answer {"], "src/b/b.h": ["    struct Answer {"]}
        self.assertEqual([], check.check_type_names(nested))


class Exceptions(unittest.TestCase):
    def test_listed_breaches_pass_wherever_they_moved(self):
        self.assertEqual([], check.apply_exceptions(["a.cpp:7: too long"], ["a.cpp: too long"]))

    def test_the_list_can_only_shrink(self):
        self.assertTrue(check.apply_exceptions([], ["a.cpp: too long"]))
        self.assertTrue(check.apply_exceptions(["b.cpp:1: too long"], []))


if __name__ == "__main__":
    sys.exit(unittest.main())
