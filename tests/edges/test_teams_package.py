"""The app package: as Microsoft's published schema has it, and offering exactly what the adapter understands."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from adapters.teams.invokes import POINTERS, QUERY_TEXT, SEARCH, query_of
from adapters.teams.manifest import EXAMPLE_ID, VERSION, manifest, printed
from adapters.teams.text import command_in
from tests.edges.teams_local.playground import packages

DEPLOY = Path(__file__).parents[2] / "deploy" / "teams"
APP = "1b7f6b0e-1111-4222-8333-444455556666"


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    """Microsoft's own schema of the manifest's version, from its npm package."""
    folder = packages() / "@microsoft" / "app-manifest" / "build" / "json-schemas" / "teams"
    return Draft4Validator(json.loads((folder / f"v{VERSION}" / "MicrosoftTeams.schema.json").read_text("utf8")))


def build(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as an administrator does."""
    command = [sys.executable, str(DEPLOY / "build.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pixels(png: bytes) -> tuple[int, int, set[tuple[int, ...]]]:
    """Width, height and the colours of a PNG without filters."""
    width, height = struct.unpack(">II", png[16:24])
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    raw = zlib.decompress(data)
    rows = [raw[row * (width * 4 + 1) + 1 : (row + 1) * (width * 4 + 1)] for row in range(height)]
    return width, height, {tuple(row[x * 4 : x * 4 + 4]) for row in rows for x in range(width)}


def test_manifest_is_as_microsoft_has_it(schema: Draft4Validator) -> None:
    assert [error.message for error in schema.iter_errors(manifest(APP, "https://weaver.acme.example"))] == []


def test_schema_would_notice(schema: Draft4Validator) -> None:
    """A manifest that is wrong is found out."""
    wrong: dict[str, Any] = manifest(APP)
    wrong["name"]["short"] = "x" * 31
    wrong["bots"][0]["colour"] = "teal"
    assert len(list(schema.iter_errors(wrong))) == 2


def test_files_are_what_the_code_makes() -> None:
    assert (DEPLOY / "manifest.json").read_text("utf8") == printed()
    assert EXAMPLE_ID in printed()


def test_icons() -> None:
    """Color: 192 by 192, nothing transparent. Outline: 32 by 32, white and transparent only."""
    width, height, colours = pixels((DEPLOY / "color.png").read_bytes())
    assert (width, height) == (192, 192)
    assert {alpha for *_, alpha in colours} == {255}
    width, height, colours = pixels((DEPLOY / "outline.png").read_bytes())
    assert (width, height) == (32, 32)
    assert {tuple(rgb) for *rgb, _ in colours} == {(255, 255, 255)}
    assert {0, 255} <= {alpha for *_, alpha in colours}


def test_package_is_made(tmp_path: Path) -> None:
    to = tmp_path / "weaver.zip"
    done = build(APP, "https://weaver.acme.example/", str(to))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(to) as archive:
        assert sorted(archive.namelist()) == ["color.png", "manifest.json", "outline.png"]
        made = json.loads(archive.read("manifest.json"))
    assert made["id"] == made["bots"][0]["botId"] == made["webApplicationInfo"]["id"] == APP
    assert made["validDomains"] == ["weaver.acme.example"]
    [handler] = made["composeExtensions"][0]["messageHandlers"]
    assert (handler["type"], handler["value"]["domains"]) == ("link", ["weaver.acme.example"])


@pytest.mark.parametrize("arguments", [("not-an-id", "https://x.example"), (APP, "http://x.example"), (APP,)])
def test_wrong_arguments_are_answered_with_the_right_ones(arguments: tuple[str, ...]) -> None:
    done = build(*arguments)
    assert done.returncode == 1
    assert "app id" in done.stderr


def test_every_command_of_the_menu_is_understood() -> None:
    """Teams puts a command's title into the message."""
    [bot] = manifest()["bots"]
    for command in bot["commandLists"][0]["commands"]:
        assert command_in(command["title"]) == (command["title"], "")


def test_every_command_of_the_message_extension_is_known() -> None:
    [extension] = manifest()["composeExtensions"]
    offered = {(one["id"], one["type"]) for one in extension["commands"]}
    assert offered == {(SEARCH.id, "query"), *((one.id, "action") for one in POINTERS)}
    [search] = [one for one in extension["commands"] if one["type"] == "query"]
    [parameter] = search["parameters"]
    assert parameter["name"] == QUERY_TEXT
    assert query_of({"value": {"parameters": [{"name": parameter["name"], "value": " pumps "}]}}) == ("pumps", False)
