"""`weaver doctor`: what is configured, reachable, and wrong, each with what to do about it."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass

from sqlalchemy import func, select

from bot.delivery import backlog
from bot.errors import ConfigurationError
from bot.models import Channel, Community, Entry, Person
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    about: str
    ok: bool
    says: str


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in the order in which one thing needs another."""
    found = [_home(settings)]
    from bot.app import open_bot

    try:
        async with open_bot(settings) as bot:
            kind = "PostgreSQL" if settings.database.startswith("postgresql") else "SQLite"
            found.append(Finding("Database", True, f"{kind}, reachable and up to date"))
            async with bot.store.reading() as tx:
                people, entries, communities, homes = [
                    int(await tx.first(select(func.count()).select_from(table)) or 0)
                    for table in (Person, Entry, Community, Channel)
                ]
            says = f"{people} people, {entries} entries, {communities} communities, {homes} channels"
            lacks = "" if people and communities else ". Import some: weaver import profiles, weaver import qa"
            found.append(Finding("Contents", True, says + lacks))
            work = await backlog(bot.store)
            trouble = work["given_up"] or work["late"]
            says = f"{work['waiting']} waiting, {work['late']} late, {work['given_up']} given up"
            found.append(Finding("Work", not trouble, says + (". Is `weaver serve` running?" if trouble else "")))
            counted = await bot.index.count()
            says = ", ".join(f"{count} {name}" for name, count in counted.items())
            owed = counted.get("owed", 0)
            found.append(Finding("Index", True, says + (". weaver reindex catches up" if owed else "")))
            found.append(await _model(bot.index.embedder.encode(["Is the model there?"]), settings))
    except ConfigurationError as error:
        found.append(Finding("Settings", False, str(error)))
    except Exception as error:  # a doctor reports whatever is wrong
        found.append(Finding("Database", False, f"not reachable ({error}). Check WEAVER_DATABASE_URL"))
    return found


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
