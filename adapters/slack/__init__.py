"""Slack: a chat platform on slack-bolt and slack-sdk. `install` mounts it, `at_work` sets it to work, `examine`
says how it fares."""

from __future__ import annotations

from adapters.slack.app import at_work, install
from adapters.slack.checkup import examine
from adapters.slack.client import SlackChat
from adapters.slack.schema import metadata
from adapters.slack.settings import SlackSettings

__all__ = ["SlackChat", "SlackSettings", "at_work", "examine", "install", "metadata"]
