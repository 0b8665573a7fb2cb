"""An import killed in the middle goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bot
from bot.importers import import_profiles, import_qa, import_slack
from bot.models import ImportMark

ASKED = "How do I reset flow meter {} after a firmware update?"
CHILD = """
import asyncio, sys, time
from pathlib import Path
from bot import importers
from bot.ports import SystemClock
from bot.seal import Seal
from bot.store import Store, open_engine

def told(done, total):
    print(done, flush=True)
    time.sleep(0.1)  # so that it is never finished before it is killed

async def main(url, name, path):
    store = Store(open_engine(url), SystemClock(), Seal("a secret of the tests"))
    await getattr(importers, name)(store, Path(path), progress=told)

asyncio.run(main(*sys.argv[1:]))
"""
IMPORTS: dict[str, Any] = {"import_profiles": import_profiles, "import_qa": import_qa, "import_slack": import_slack}


@pytest.fixture
def files(tmp_path: Path, make_export: Callable[..., Path], thread: Callable[..., Any]) -> dict[str, Path]:
    """A file for each import, of many batches. The export has many channels, as progress is told by day files."""
    people = tmp_path / "people.csv"
    rows = [f"p{n}@acme.example,Person {n},Title {n % 9},python;topic {n % 90}" for n in range(12_000)]
    people.write_text("\n".join(["email,name,title,skills", *rows]))
    questions = tmp_path / "qa.jsonl"
    line = {"community": "pumps", "body": "", "asker": "u1"}
    questions.write_text(
        "\n".join(
            json.dumps(line | {"id": n, "title": ASKED.format(n), "created": "2026-01-01T00:00:00Z"}
                       | {"answers": [{"author": f"u{n % 50}", "text": f"Press {n} times."}]})
            for n in range(9_000)
        )
    )  # fmt: skip
    channels = [{"id": f"C{n}", "name": f"room-{n:02}", "members": []} for n in range(20)]
    days = {
        f"{room['name']}/2026-01-02.json": [
            message
            for n in range(300)
            for message in thread(1e6 + n * 1000, ("U1", ASKED.format(n)), ("U2", f"Press the button {n} times."))
        ]
        for room in channels
    }
    export = make_export(days, name="big.zip", channels=channels)
    return {"import_profiles": people, "import_qa": questions, "import_slack": export}


@pytest.mark.parametrize("name", list(IMPORTS))
async def test_a_killed_import_resumes(
    tmp_path: Path, opened: Any, rows: Any, everything: Any, files: dict[str, Path], name: str
) -> None:
    """Killed outright after some batches; the second run does the rest, and the result is the same."""
    address, other = f"sqlite:///{tmp_path / 'killed.db'}", f"sqlite:///{tmp_path / 'whole.db'}"
    killed, whole = await opened(address), await opened(other)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, address, name, str(files[name]),
        stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(Path(bot.__file__).parents[1])},
    )  # fmt: skip
    assert child.stdout is not None
    for _ in range(3):
        assert await child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    await child.communicate()
    [(position,)] = await rows(killed, ImportMark.position)

    second = await IMPORTS[name](killed, files[name])
    straight = await IMPORTS[name](whole, files[name])

    assert position > 0
    assert second.earlier > 0
    assert second.taken > 0
    assert straight.taken == second.earlier + second.taken
    assert await everything(whole) == await everything(killed)
    assert await rows(killed, ImportMark.position) == []
    await killed.close()
    await whole.close()
