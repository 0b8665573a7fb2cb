"""Slack: a chat platform on slack-bolt and slack-sdk. `install` mounts it, `resume` on the chat sets it to work."""

from __future__ import annotations

from adapters.slack.app import SocketMode, install
from adapters.slack.client import SlackChat
from adapters.slack.schema import metadata
from adapters.slack.settings import SlackSettings

__all__ = ["SlackChat", "SlackSettings", "SocketMode", "install", "metadata"]
