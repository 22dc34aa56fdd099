# SPDX-License-Identifier: Apache-2.0
"""Time, which tests set."""
from __future__ import annotations

import time


class Clock:
    def now(self) -> float:
        """Seconds since 1970, as tokens tell them."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()
