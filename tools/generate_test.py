# SPDX-License-Identifier: Apache-2.0
"""The page on compatibility cannot go stale unnoticed."""
from __future__ import annotations

import unittest

import compatibility

DOCUMENT = {"paths": {"/a": {"get": {"tags": ["things"], "summary": "List the things"},
                             "post": {"tags": ["things"], "summary": "Make a thing"}}}}
REMARKS = "# head\nGET /a\tsame\t\nPOST /a\tstricter\tNot so many.\n"


class CompatibilityTest(unittest.TestCase):
    def test_a_page_has_a_line_for_each_operation(self):
        page = compatibility.make_page(DOCUMENT, "# Title\n", compatibility.read_remarks(REMARKS))
        self.assertIn("| `GET /a` | the same | List the things. |", page)
        self.assertIn("| `POST /a` | stricter | Not so many. |", page)

    def test_what_is_missing_or_gone_is_told(self):
        self.assertEqual(find_gaps(REMARKS), [])
        self.assertEqual(find_gaps("GET /a\tsame\t\n"),
                         [f"{compatibility.REMARKS}: nothing about POST /a"])
        self.assertEqual(find_gaps(REMARKS + "GET /b\textra\t\n"),
                         [f"{compatibility.REMARKS}: there is no GET /b"])

    def test_a_line_must_be_whole(self):
        for text in ("GET /a\n", "GET /a\talike\t\n", "GET /a\tsame\t\nGET /a\textra\t\n"):
            with self.assertRaises(ValueError):
                compatibility.read_remarks(text)


def find_gaps(text: str) -> list[str]:
    return compatibility.find_gaps(DOCUMENT, compatibility.read_remarks(text))


if __name__ == "__main__":
    unittest.main()
