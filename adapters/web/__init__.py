"""The embedded web chat: Weaver's default platform, and the third one that keeps the chat port honest."""

from __future__ import annotations

from adapters.web.app import install, web_application
from adapters.web.client import COMMANDS, Command, WebChat
from adapters.web.schema import metadata
from adapters.web.store import Sealer

__all__ = ["COMMANDS", "Command", "Sealer", "WebChat", "install", "metadata", "web_application"]
