#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that each rule of check.py can fail."""
from __future__ import annotations

import sys
import unittest

import check

LAYERS = check.read_layers("base:\nstore: base\nserver: store base\n")
SPDX = "// SPDX-License-Identifier: Apache-2.0"


class Rules(unittest.TestCase):
    def test_includes_point_down(self):
        self.assertEqual([], check.check_layers("src/store/a.cpp", ['#include "base/b.h"'], LAYERS))
        self.assertTrue(check.check_layers("src/base/a.cpp", ['#include "store/b.h"'], LAYERS))
        self.assertTrue(check.check_layers("src/new/a.cpp", [], LAYERS))

    def test_sizes(self):
        self.assertTrue(check.check_sizes("src/base/a.cpp", ["x"] * 401))
        self.assertTrue(check.check_sizes("src/base/a.cpp", ["x" * 101]))
        long_function = ["int f(int a) {", *["    a += 1;"] * 60, "}"]
        self.assertTrue(check.check_sizes("src/base/a.cpp", long_function))
        self.assertEqual([], check.check_sizes("src/base/a.cpp", ["class C {", *["  int a;"] * 80,
                                                                  "};"]))

    def test_banned_calls(self):
        for call in ("std::chrono::system_clock::now()", "std::getenv(name)", "memcmp(a, b, 3)"):
            self.assertTrue(check.check_code("src/auth/a.cpp", [SPDX, call]), call)
        self.assertEqual([], check.check_code("src/auth/a.cpp", [SPDX, "clock.now()"]))

    def test_words_and_names(self):
        self.assertTrue(check.check_code("src/auth/a.cpp", ["no licence"]))
        self.assertTrue(check.check_code("src/auth/a.cpp", [SPDX, "class KeyManager {"]))
        self.assertTrue(check.check_code("src/auth/a.cpp", [SPDX, "// TO" + "DO"]))
        self.assertTrue(check.check_words("README.md", ["see https://pypi" + ".org/x"]))


if __name__ == "__main__":
    sys.exit(unittest.main())
