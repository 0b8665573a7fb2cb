"""Bringing in what an organisation has already: people, a Slack workspace's past, questions answered elsewhere.

Each import takes a file and gives a `Report`. All of them commit batch by batch, go on where they were killed, add
nothing twice, and bring up to date what has changed. Where the file as a whole cannot be used they raise
`ImportProblem`; single rows that cannot be taken are left out with a reason.
"""

from __future__ import annotations

from bot.importers.profiles import import_profiles
from bot.importers.qa import import_qa
from bot.importers.report import Progress, Report
from bot.importers.slack import import_slack

__all__ = ["Progress", "Report", "import_profiles", "import_qa", "import_slack"]
