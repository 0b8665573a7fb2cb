"""`python -m adapters.slack [address]` prints the app manifest: for HTTP with an address, for Socket Mode without."""

from __future__ import annotations

import sys

from adapters.slack.manifest import printed

sys.stdout.write(printed(*sys.argv[1:2]))
