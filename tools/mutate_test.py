#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of mutations is read right and fits the sources as they are."""
from __future__ import annotations

import sys
import unittest

import mutate

BLOCK = "// a note\n\n# what\nfile a.cpp\ntest a_test A.b\n-   old;\n- more;\n+   new;\n"


class Mutations(unittest.TestCase):
    def test_blocks(self):
        self.assertEqual([mutate.Mutation("what", "a.cpp", "a_test A.b", ["  old;", "more;"],
                                          ["  new;"])], mutate.read_mutations(BLOCK))
        with self.assertRaises(ValueError):
            mutate.read_mutations(BLOCK + "stray\n")

    def test_old_lines_must_stand_once(self):
        mutation = mutate.read_mutations(BLOCK)[0]
        self.assertEqual("a;\n  new;\n", mutate.mutate("a;\n  old;\nmore;\n", mutation))
        for text in ("a;\n", "  old;\nmore;\n  old;\nmore;\n"):
            with self.assertRaises(ValueError):
                mutate.mutate(text, mutation)

    def test_the_list_fits_the_sources(self):
        listed = (mutate.REPOSITORY / "tools" / "mutations.txt").read_text()
        for mutation in mutate.read_mutations(listed):
            with self.subTest(mutation.title):
                mutate.mutate((mutate.REPOSITORY / mutation.file).read_text(), mutation)


if __name__ == "__main__":
    sys.exit(unittest.main())
