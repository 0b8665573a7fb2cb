"""`weaver doctor`: what is configured, reachable, and wrong, each with what to do about it."""

from __future__ import annotations

import asyncio
import shutil

from sqlalchemy import func, select

from adapters import slack, teams
from bot.delivery import backlog
from bot.errors import ConfigurationError
from bot.models import Channel, Community, Entry, Person
from bot.ports import Finding
from bot.replies import counted, listed
from bot.settings import Settings
from expertise_index import Embedder


async def examine(settings: Settings, *, embedder: Embedder | None = None) -> list[Finding]:
    """Look at everything, in the order in which one thing needs another."""
    found = [_home(settings)]
    from bot.app import open_bot

    try:
        async with open_bot(settings, embedder=embedder) as bot:
            kind = "PostgreSQL" if settings.database.startswith("postgresql") else "SQLite"
            found.append(Finding("Database", True, f"{kind}, reachable and up to date"))
            async with bot.store.reading() as tx:
                people, entries, communities, homes = [
                    int(await tx.first(select(func.count()).select_from(table)) or 0)
                    for table in (Person, Entry, Community, Channel)
                ]
            says = listed(
                [
                    counted(people, "person", "people"),
                    counted(entries, "entry", "entries"),
                    counted(communities, "community", "communities"),
                    counted(homes, "channel"),
                ]
            )
            lacks = "" if people and communities else ". Import some: weaver import profiles, weaver import qa"
            found.append(Finding("Contents", True, says + lacks))
            work = await backlog(bot.store)
            trouble = work["given_up"] or work["late"]
            found.append(
                Finding("Work", not trouble, _work(**work) + (". Is `weaver serve` running?" if trouble else ""))
            )
            found.append(Finding("Index", True, _index(await bot.index.count())))
            found += await slack.examine(bot.slack)
            found += await teams.examine(bot.teams)
            found.append(await _model(bot.index.embedder.encode(["Is the model there?"]), settings))
    except ConfigurationError as error:
        found.append(Finding("Settings", False, str(error)))
    except Exception as error:  # a doctor reports whatever is wrong
        found.append(Finding("Database", False, f"not reachable ({error}). Check WEAVER_DATABASE_URL"))
    return found


def _work(*, waiting: int, late: int, given_up: int) -> str:
    says = [f"{counted(waiting, 'thing')} {'waits' if waiting == 1 else 'wait'} to be done"]
    if late:
        says.append(f"{late} of them {'is' if late == 1 else 'are'} late")
    if given_up:
        says.append(f"{counted(given_up, 'more thing')} {'was' if given_up == 1 else 'were'} given up")
    return listed(says)


def _index(items: dict[str, int]) -> str:
    """The items of each kind, and what has no vector yet."""
    names = {"entry": ("entry", "entries"), "community": ("community", "communities")}
    kinds = [counted(count, *names.get(kind, (kind,))) for kind, count in items.items() if kind != "owed"]
    if not (owed := items.get("owed", 0)):
        return listed(kinds)
    return f"{listed(kinds)}; {owed} {'has' if owed == 1 else 'have'} no vector yet. weaver reindex catches up"


async def _model(encoding: object, settings: Settings) -> Finding:
    try:
        await asyncio.wait_for(encoding, timeout=120)  # type: ignore[arg-type]
    except Exception as error:
        return Finding("Model", False, f"{settings.model} cannot be loaded ({error}). Check WEAVER_MODEL")
    return Finding("Model", True, f"{settings.model}, loaded and working")


def _home(settings: Settings) -> Finding:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free / 2**30
    return Finding("Home", free > 1, f"{settings.home}, {free:.0f} GB free" + ("" if free > 1 else ": too little"))
