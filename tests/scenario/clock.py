# SPDX-License-Identifier: Apache-2.0
"""A wall clock that stands still and is moved by tests while processes see it, by libfaketime."""
from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path


class MovableClock:
    """Begins at the next real second. Processes that are started with `environment` see it."""

    def __init__(self, folder: Path):
        assert shutil.which("faketime"), "the package faketime is missing"
        self.file = folder / "clock"
        self.begin = int(time.time()) + 1
        self.seconds_ahead = 0
        self.advance(0)
        self.library = subprocess.run(
            ["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True,
            text=True, check=True).stdout.strip()

    def advance(self, seconds: int) -> None:
        """At once for every process, since each reading of the clock reads the file."""
        self.seconds_ahead += seconds
        now = time.gmtime(self.begin + self.seconds_ahead)
        written = self.file.with_suffix(".new")
        written.write_text(time.strftime("%Y-%m-%d %H:%M:%S\n", now))
        written.rename(self.file)

    def environment(self, *, monotonic: bool = False) -> dict[str, str]:
        """`monotonic`: deadlines move with it, as those of caches that count by that clock."""
        # A sanitizer's library minds that another one comes before it.
        kept = {} if monotonic else {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return kept | {
            "LD_PRELOAD": self.library, "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1", "TZ": "UTC",
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
