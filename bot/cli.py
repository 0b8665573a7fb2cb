"""The `weaver` command. Each command is thin: it opens the bot, calls one use case, and prints."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import select

from bot import experts, indexing, knowledge, logs, questions, routing
from bot.acquaintance import align
from bot.errors import BotError, ConfigurationError
from bot.models import ORG, Person
from bot.ports import BOARDS, Place, SystemClock
from bot.replies import ago, day, listed
from bot.settings import Settings, load
from bot.store import Store, Transaction

app = typer.Typer(
    help="Ask the expert in chat; what experts answer becomes knowledge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
importing = typer.Typer(help="Bring in people and past answers. Safe to interrupt and to repeat.", no_args_is_help=True)
app.add_typer(importing, name="import")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
As = Annotated[str | None, typer.Option("--as", help="the e-mail address of the person who asks")]


def main() -> None:
    """Run a command; known problems become one sentence and exit code 1."""
    logs.configure()
    try:
        app()
    except (BotError, ConfigurationError) as problem:
        err.print(f"[red]weaver:[/red] {problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("Stopped. Start it again and it goes on where it was.")
        sys.exit(130)


# --- serving --------------------------------------------------------------------------------------------------------


@app.command()
def serve() -> None:
    """Run the bot."""
    asyncio.run(_serve(load(), demo=False))


@app.command()
def demo() -> None:
    """Run the bot with a sample organisation, in a folder of its own."""
    settings = load()
    home = settings.home / "demo"
    from bot.demo import organisation

    name = organisation()["organisation"]["name"]
    asyncio.run(_serve(settings.model_copy(update={"home": home, "organisation": name}), demo=True))


async def _serve(settings: Settings, *, demo: bool) -> None:
    from bot.app import open_bot, running
    from bot.demo import load as load_sample

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_bot(settings, demo=demo) as bot:
        if demo:
            await load_sample(bot.store, bot.web)
            await _up_to_date(bot)  # the first time only: whoever looks in next finds everything
        try:
            async with running(bot):
                out.print(f"Weaver runs at [bold]{settings.address}[/bold]  (Ctrl-C stops it)")
                await stop.wait()
        except OSError as error:
            raise ConfigurationError(
                f"Port {settings.port} cannot be used: {error.strerror}. Set WEAVER_PORT to a free one."
            ) from None


@app.command()
def signin(email: str) -> None:
    """Print a link that signs EMAIL in to the web chat. Good for a day."""

    async def link(bot: Any) -> str:
        async with bot.store.reading() as tx:
            person = await _known(tx, email)
        if not person.active:
            raise BotError(f"{person.name} has left, as the last import or the chat platform says. Nobody signs in so.")
        profile = await bot.web.welcome(f"p{person.id}", person.name, person.email, person.title)
        profile = replace(profile, guest=person.guest)
        await bot.store.run(lambda tx: experts.introduce(tx, profile))
        return str(bot.web.signin_link(profile.ref.id))

    out.print(_with_bot(link), soft_wrap=True)


@app.command()
def community(
    name: str,
    about: Annotated[str, typer.Option(help="its subjects, with commas: questions find their way here by them")],
    moderator: Annotated[list[str], typer.Option(help="the e-mail address of who looks after it; may be repeated")],
    channel: Annotated[str, typer.Option(help="its channel in the web chat; made of the name by default")] = "",
    rule: Annotated[str, typer.Option(help="what becomes of an accepted answer: publish, draft or review")] = "publish",
    webhook: Annotated[
        str | None, typer.Option(help='a name in TEAMS_WEBHOOKS that shows its questions; "": none')
    ] = None,
) -> None:
    """Found a community with a channel in the web chat. (In Slack and Teams: say /community in its channel.)

    The same name and channel again change what the community says of itself, and its webhook.
    """
    from bot import founding

    async def found(bot: Any) -> str:
        board = None
        if webhook:
            if webhook not in bot.settings.webhooks:
                known = listed(list(bot.settings.webhooks)) or "none"
                raise BotError(f"There is no {webhook} in TEAMS_WEBHOOKS, but {known}. Add it there, or name another.")
            board = await bot.platforms["teams"].place(Place("teams", BOARDS, webhook))
        async with bot.store.reading() as tx:
            people = [await _known(tx, email) for email in moderator]
        room = founding.short(channel or name)
        await bot.web.add_channel(room, room, about, False, [])
        info = await bot.web.place(bot.web.at(room))

        async def establish(tx: Transaction) -> None:
            made = await founding.establish(tx, info, name=name, domain=about, rule=rule, by=people)
            if webhook is not None:
                await founding.show_on(tx, made, board)

        await bot.store.run(establish)
        await _up_to_date(bot)
        shown = f" Its questions are shown through the webhook {webhook}, too." if board else ""
        return f"{name} lives in #{room} of the web chat. Its moderators: {listed([p.name for p in people])}.{shown}"

    out.print(_with_bot(found), soft_wrap=True)


@app.command()
def migrate() -> None:
    """Bring the database to the newest shape."""
    from bot.migrations import migrate as bring

    settings = load()
    settings.home.mkdir(parents=True, exist_ok=True)
    bring(settings.database)
    out.print("The database is up to date.")


def _with_bot(act: Callable[[Any], Awaitable[Any]]) -> Any:
    from bot.app import open_bot

    async def run() -> Any:
        async with open_bot(load()) as bot:
            return await act(bot)

    return asyncio.run(run())


async def _known(tx: Any, email: str | None) -> Person:
    person: Person | None = await tx.first(select(Person).where(Person.email == (email or "").strip().lower()))
    if person is None:
        raise BotError(f"I know nobody with the address {email}. Import profiles first, or check the spelling.")
    return person


# --- asking ---------------------------------------------------------------------------------------------------------


@app.command()
def ask(text: str, who: As = None, as_json: AsJson = False) -> None:
    """What the bot would answer: past answers this person may see, or community and experts. Posts nothing."""

    async def act(bot: Any) -> dict[str, Any]:
        question = questions.readable_question(text)
        async with bot.store.reading() as tx:
            person = await _known(tx, who) if who else None
            spaces = await tx.readable(person) if person else frozenset({ORG})
        await _up_to_date(bot)
        found = await knowledge.find(bot.store, bot.index, person, question, at_least=bot.settings.suggest_at)
        route = await routing.route(
            bot.store, bot.index, question, readable=spaces, without={person.id} if person else set()
        )
        return {"question": question, "suggestions": [_past(*pair) for pair in found], "route": route}

    result = _with_bot(act)
    if as_json:
        out.print_json(json.dumps(result))
        return
    for item in result["suggestions"]:
        _print_past(item)
    if not result["suggestions"]:
        out.print("No past answer fits.")
    route = result["route"]
    out.print(f"\nCommunity: [bold]{route['community'] or 'none'}[/bold]")
    if route["why"]:
        out.print(f"  {route['why']}", markup=False)
    _print_people(route["experts"])


@app.command()
def search(text: str, who: As = None, as_json: AsJson = False, limit: int = 10) -> None:
    """Search what everybody may see, or (--as) what one person may see."""

    async def act(bot: Any) -> list[dict[str, Any]]:
        async with bot.store.reading() as tx:
            person = await _known(tx, who) if who else None
        await _up_to_date(bot)
        found = await knowledge.find(bot.store, bot.index, person, questions.readable_question(text), limit=limit)
        return [_past(*pair) for pair in found]

    result = _with_bot(act)
    if as_json:
        out.print_json(json.dumps(result))
        return
    for item in result:
        _print_past(item)
    if not result:
        out.print("Nothing found.")


@app.command(name="experts")
def who_knows(text: str, who: As = None, as_json: AsJson = False, limit: int = 5) -> None:
    """Who knows about TEXT, and why."""

    async def act(bot: Any) -> list[dict[str, Any]]:
        async with bot.store.reading() as tx:
            person = await _known(tx, who) if who else None
            spaces = await tx.readable(person) if person else frozenset({ORG})
        await _up_to_date(bot)
        found = await experts.who_knows(bot.store, bot.index, text, readable=spaces, limit=limit)
        return [{"name": c.name, "title": c.title, "why": c.why.replace("\\", "")} for c in found]

    result = _with_bot(act)
    if as_json:
        out.print_json(json.dumps(result))
    else:
        _print_people(result)


def _past(past: Any, match: Any) -> dict[str, Any]:
    now = SystemClock().now()
    return {
        "entry_id": past.entry_id,
        "question": past.title,
        "answer": past.answer,
        "score": round(match.score, 4),
        "author": past.author,
        "owner": past.owner,
        "community": past.community,
        "reviewed": past.reviewed is not None,
        "created": past.created.isoformat(),
        "age": ago(past.created, now),
        "source": past.link,
        "why": past.why.replace("\\", ""),
    }


def _print_past(item: dict[str, Any]) -> None:
    out.print(f"\n[bold]{item['question']}[/bold]  ({item['score']:.2f})", markup=True)
    out.print(item["answer"], markup=False)
    facts = [item["author"], item["community"], item["age"], "reviewed" if item["reviewed"] else "not reviewed yet"]
    out.print(f"[dim]{' · '.join(fact for fact in facts if fact)}\nWhy: {item['why']}[/dim]")


def _print_people(people: list[dict[str, Any]]) -> None:
    for person in people:
        out.print(f"[bold]{person['name']}[/bold], {person['title']}\n  {person['why']}")
    if not people:
        out.print("I know of nobody for that yet.")


# --- bringing in and looking after ------------------------------------------------------------------------------------


@importing.command(name="profiles")
def profiles(file: Path, as_json: AsJson = False) -> None:
    """People from a CSV file of your HR system."""
    from bot.importers import import_profiles

    _import(lambda store, progress: import_profiles(store, file, progress=progress), as_json)


@importing.command(name="slack")
def slack(file: Path, workspace: str | None = None, url: str | None = None, as_json: AsJson = False) -> None:
    """Past questions and answers from a Slack export (zip). They enter as drafts."""
    from bot.importers import import_slack

    _import(lambda store, progress: import_slack(store, file, workspace=workspace, url=url, progress=progress), as_json)


@importing.command(name="qa")
def qa(file: Path, community: str | None = None, as_json: AsJson = False) -> None:
    """Questions and answers, one JSON object a line."""
    from bot.importers import import_qa

    _import(lambda store, progress: import_qa(store, file, community=community, progress=progress), as_json)


def _import(read: Callable[[Store, Callable[[int, int], None]], Awaitable[Any]], as_json: bool) -> None:
    async def act(bot: Any) -> Any:
        with _bar() as bar:
            task = bar.add_task("Reading", total=None)
            report = await read(bot.store, lambda done, total: bar.update(task, completed=done, total=total))
            await align(bot.store, bot.web)
            await _up_to_date(bot, bar)
        return report

    report = _with_bot(act)
    if as_json:
        out.print_json(json.dumps(report.as_dict(), default=str))
        return
    out.print(report.summary)
    for sentence in report.news:
        out.print(sentence, markup=False)
    for where, reason in report.left[:20]:
        out.print(f"  {where}: {reason}", markup=False)
    if len(report.left) > 20:
        out.print("  … --json prints them all, with a count for each reason.")


async def _up_to_date(bot: Any, bar: Progress | None = None) -> None:
    """Do the index work that is due, with a progress bar where it is long."""
    await bot.worker.settle(kinds=("index",))
    owed = await bot.index.owed()
    if not owed:
        return
    with bar or _bar() as shown:
        task = shown.add_task("Learning", total=owed)
        while done := await bot.index.embed_owed():
            shown.advance(task, done)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err)


@app.command()
def reindex() -> None:
    """Make the index fit the database and the model. Safe to repeat and to interrupt."""

    async def act(bot: Any) -> dict[str, int]:
        await indexing.ask_for_all(bot.store)
        await _up_to_date(bot)
        return dict(await bot.index.count())

    counted = _with_bot(act)
    out.print("In the index: " + ", ".join(f"{count} {kind}" for kind, count in counted.items()))


SET_FORMAT = (
    "A set is a folder with entries.jsonl (id, title, body, asker, created, answers or answer_key) and queries.jsonl "
    "(id, title, body, asker, created, split: dev or test, answer_key), either with .xz, and similar.qrels or "
    "experts.qrels (TREC: query 0 item grade) where there is no answer_key."
)


@app.command(help=f"Measure matching on a set of questions, such as your own history. {SET_FORMAT}")
def evaluate(
    folder: Path,
    run: Annotated[Path | None, typer.Option(help="a folder for similar.run and experts.run (TREC)")] = None,
    least: Annotated[int, typer.Option(help="how many earlier threads make somebody an expert to be named")] = 10,
    as_json: AsJson = False,
) -> None:
    """Measure matching on a set of questions (`entries`, `queries`, `qrels`), such as your own history."""
    from expertise_index import SentenceEmbedder
    from expertise_index.evaluation import evaluate as measure

    if not folder.is_dir():
        raise BotError(f"{folder} is not a folder. Give the folder with entries.jsonl and queries.jsonl in it.")

    async def act() -> Any:
        embedder = SentenceEmbedder(load().model)
        await embedder.start()
        with _bar() as bar:
            task = bar.add_task("Measuring", total=None)
            step = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731
            try:
                return await measure(folder, embedder, run=run, least=least, progress=step)
            except FileNotFoundError as error:
                raise BotError(f"{error.filename} is missing. {SET_FORMAT}") from None
            except (KeyError, TypeError, ValueError) as error:
                raise BotError(f"This set cannot be read: {type(error).__name__} {error}. {SET_FORMAT}") from None
            finally:
                await embedder.close()

    report = asyncio.run(act())
    if as_json:
        out.print_json(json.dumps(report.as_dict()))
        return
    table = Table(*report.rows[0])
    for row in report.rows[1:]:
        table.add_row(*(str(cell) for cell in row))
    out.print(table)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """What is configured, what is reachable, what is wrong. Exit code 1 where something is."""
    from bot.doctor import examine

    findings = asyncio.run(examine(load()))
    if as_json:
        out.print_json(json.dumps([{"about": f.about, "ok": f.ok, "says": f.says} for f in findings]))
    else:
        for f in findings:
            out.print(f"[{'green' if f.ok else 'red'}]{'✓' if f.ok else '✗'}[/] {f.about}: {escape(f.says)}")
    sys.exit(0 if all(f.ok for f in findings) else 1)


@app.command()
def export(file: Path) -> None:
    """Write the knowledge that everybody may see as JSON lines (the format `weaver import qa` reads)."""

    async def act(bot: Any) -> int:
        async with bot.store.reading() as tx:
            rows = await knowledge.exported(tx)
        with file.open("w", encoding="utf8") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return len(rows)

    out.print(f"{_with_bot(act)} entries written to {file}, {day(SystemClock().now())}.")
