"""Errors worded for people. Each message says what happened and what to do next; dispatch shows it, privately."""

from __future__ import annotations


class BotError(Exception):
    """That did not work. Please try again."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.__class__.__doc__)

    @property
    def sentence(self) -> str:
        """What to show the person."""
        return str(self)


class InvalidQuestion(BotError):
    """I could not read a question in that. Write it in a sentence or two, as you would to a colleague."""


class NotAllowed(BotError):
    """You may not do that here. The community's moderators can."""


class AlreadyDone(BotError):
    """Somebody has done that already."""


class Unknown(BotError):
    """I do not know that any more: it may have been removed. Ask again and I will look afresh."""


class Stranger(BotError):
    """I cannot find your profile here, so I do not know who asks. Nothing was posted; an administrator can add you."""


class NoCommunity(BotError):
    """There is no community that you could post this in. Say /community in the channel where one should live."""


class ConfigurationError(Exception):
    """A setting is missing or wrong. The message says which, and what to put there."""


class ImportProblem(BotError):
    """That file could not be imported. The message says where and why."""
