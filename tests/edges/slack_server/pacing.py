"""Slack's limit on chat.postMessage: about one message a second in each channel, short bursts allowed.

https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Pacing:
    """A bucket of `burst` messages for each channel, filled by `per_second`. On with `server.pacing = Pacing()`."""

    def __init__(self, *, per_second: float = 1.0, burst: int = 3, timer: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._timer = per_second, burst, timer
        self._buckets: dict[str, tuple[float, float]] = {}
        self.refused = 0

    def wait(self, channel: str) -> int:
        """0 and one message less; or the whole seconds to wait."""
        now = self._timer()
        level, then = self._buckets.get(channel, (float(self._burst), now))
        level = min(float(self._burst), level + (now - then) * self._rate)
        if level >= 1.0:
            self._buckets[channel] = (level - 1.0, now)
            return 0
        self._buckets[channel] = (level, now)
        self.refused += 1
        return math.ceil((1.0 - level) / self._rate)
