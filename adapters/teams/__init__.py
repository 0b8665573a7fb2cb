"""Microsoft Teams: a chat platform on botbuilder. `install` mounts it, `resume` on the chat sets it to work."""

from __future__ import annotations

from adapters.teams.app import at_work, install
from adapters.teams.checkup import examine
from adapters.teams.client import TeamsChat
from adapters.teams.schema import metadata
from adapters.teams.settings import TeamsSettings
from adapters.teams.webhook import TeamsWebhooks

__all__ = ["TeamsChat", "TeamsSettings", "TeamsWebhooks", "at_work", "examine", "install", "metadata"]
