"""`weaver doctor`: what is configured, reachable, and wrong, each with what to do about it."""

from __future__ import annotations

import asyncio
import shutil

from sqlalchemy import func, select

from adapters import slack, teams
from bot import communities
from bot.delivery import backlog
from bot.errors import ConfigurationError
from bot.models import Channel, Community, Entry, Person, Work
from bot.ports import BOARDS, Finding, Place
from bot.replies import counted, listed
from bot.settings import Settings
from bot.store import Transaction
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
                people, entries, groups, homes = [
                    int(await tx.first(select(func.count()).select_from(table)) or 0)
                    for table in (Person, Entry, Community, Channel)
                ]
                found += await webhooks(tx, settings)
            says = listed(
                [
                    counted(people, "person", "people"),
                    counted(entries, "entry", "entries"),
                    counted(groups, "community", "communities"),
                    counted(homes, "channel"),
                ]
            )
            lacks = "" if people and groups else ". Import some: weaver import profiles, weaver import qa"
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


async def webhooks(tx: Transaction, settings: Settings) -> list[Finding]:
    """Each webhook of Teams: whether it has an address, whose questions it shows, and whether Teams takes them."""
    used = (Channel.workspace == BOARDS, Channel.community_id.is_not(None))
    rows: list[Channel] = await tx.all(select(Channel).where(*used))
    shows = {row.channel: await communities.name(tx, row.community_id) for row in rows}
    found = []
    for name in sorted({*settings.webhooks, *shows}):
        late = select(Work.error).where(Work.lane == tx.lane(Place("teams", BOARDS, name)), Work.error != "")
        if name not in settings.webhooks:
            says = f"not configured, so it shows no questions of {shows[name]}: add its address to TEAMS_WEBHOOKS"
        elif name not in shows:
            says = f"configured, but no community uses it: weaver community NAME … --webhook {name}"
        elif error := await tx.first(late.order_by(Work.id.desc())):
            says = f"configured for {shows[name]}, but not everything gets there: {error}"
        else:
            found.append(Finding(f"Teams webhook {name}", True, f"configured, shows the questions of {shows[name]}"))
            continue
        found.append(Finding(f"Teams webhook {name}", False, says))
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
