"""The files in `deploy/` say what the code does: settings, paths and versions are the real ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices, BaseModel

from bot.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def _in_environment(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"WEAVER_{name.upper()}"


#: Those of one value; tables are for weaver.toml.
SETTINGS = {
    _in_environment(name): field.default
    for name, field in Settings.model_fields.items()
    if not isinstance(field.default, BaseModel)
}


@pytest.fixture
def example() -> dict[str, tuple[str, bool]]:
    """Each name of env.example: its value, and whether it is set there."""
    lines = (DEPLOY / "env.example").read_text(encoding="utf8").splitlines()
    found = [match for line in lines if (match := re.fullmatch(r"(#?)([A-Z_]+)=(.*)", line))]
    assert len(found) == len({match[2] for match in found}), "a name stands there twice"
    return {match[2]: (match[3], not match[1]) for match in found}


@pytest.fixture
def compose() -> dict[str, Any]:
    """compose.yaml, read."""
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf8"))
    return read


@pytest.fixture
def dockerfile() -> str:
    """The Dockerfile, with lines that go on put together."""
    return (DEPLOY / "Dockerfile").read_text(encoding="utf8").replace("\\\n", " ")


def _filled_in() -> set[str]:
    """What compose.yaml takes from .env."""
    return set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text(encoding="utf8")))


def test_the_example_names_every_setting_and_no_other(example: dict[str, tuple[str, bool]]) -> None:
    """A new setting is documented here, or this fails."""
    assert set(example) == set(SETTINGS) | _filled_in()


def test_the_example_shows_the_real_defaults(example: dict[str, tuple[str, bool]]) -> None:
    """What stands behind a # is what holds without it."""
    assert {name: value for name, (value, _) in example.items() if name in SETTINGS} == {
        name: str(default) for name, default in SETTINGS.items()
    }


def test_the_example_sets_only_what_must_be_filled_in(example: dict[str, tuple[str, bool]]) -> None:
    """Copied as it is, nothing is set to something that somebody may forget to change: compose says what is missing."""
    assert {name: value for name, (value, is_set) in example.items() if is_set} == {
        "WEAVER_SECRET": "",
        "POSTGRES_PASSWORD": "",
    }
    required = set(re.findall(r"\$\{([A-Z_]+):\?", (DEPLOY / "compose.yaml").read_text(encoding="utf8")))
    assert required == {"WEAVER_SECRET", "POSTGRES_PASSWORD"}


def test_every_line_of_the_example_is_explained() -> None:
    """One line above each name says what it is."""
    lines = (DEPLOY / "env.example").read_text(encoding="utf8").splitlines()
    for above, line in zip(lines, lines[1:]):
        if re.match(r"#?[A-Z_]+=", line):
            assert re.match(r"# [^-]", above), f"nothing explains {line}"


def test_compose_sets_known_settings(compose: dict[str, Any]) -> None:
    """And builds from this project, waits for its database, and keeps what both hold."""
    weaver, database = compose["services"]["weaver"], compose["services"]["database"]
    assert set(weaver["environment"]) <= set(SETTINGS)
    assert (DEPLOY / weaver["build"]["context"]).resolve() == ROOT
    assert (ROOT / weaver["build"]["dockerfile"]).is_file()
    assert weaver["depends_on"]["database"]["condition"] == "service_healthy"
    assert "pg_isready" in database["healthcheck"]["test"]
    kept = {volume.partition(":")[0] for service in (weaver, database) for volume in service["volumes"]}
    assert kept == set(compose["volumes"])
    assert weaver["environment"]["WEAVER_DATABASE_URL"].endswith("@database/weaver")


def test_what_compose_builds_with_exists(compose: dict[str, Any], dockerfile: str) -> None:
    """A build argument of another name would be passed over in silence."""
    assert set(compose["services"]["weaver"]["build"]["args"]) <= set(re.findall(r"^ARG (\w+)", dockerfile, re.M))


def test_the_image_is_built_of_what_exists(dockerfile: str) -> None:
    """Every file that is copied is there and reaches the builder, and the packages are all of them."""
    copied = [
        source.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M)
        for source in line.split()[:-1]
    ]
    assert all((ROOT / source).exists() for source in copied)
    allowed = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf8"), re.M)
    assert set(allowed) == set(copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied)
    assert {project["project"]["readme"], "LICENSE"} <= set(copied)


def test_the_image_has_the_tested_versions(dockerfile: str) -> None:
    """Every pip install of the image is pinned: torch by name, the rest by the constraints file."""
    installs = re.findall(r"pip install .*$", dockerfile, re.M)
    assert len(installs) == 2
    assert "torch==$(sed -n 's/^torch==//p' requirements.txt)" in installs[0]
    assert "--constraint requirements.txt" in installs[1]
    assert re.search(r"^torch==[\d.]+$", (ROOT / "requirements.txt").read_text(encoding="utf8"), re.M)


def test_the_image_runs_as_nobody_special_and_is_watched(dockerfile: str) -> None:
    """Settings in the image are known ones; the home is a volume; the process has no rights to change its own code."""
    last = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert set(re.findall(r"\b(WEAVER_[A-Z_]+)=", last)) <= set(SETTINGS)
    assert re.search(r"^USER weaver$", last, re.M)
    home = re.search(r"WEAVER_HOME=(\S+)", last)
    assert home is not None
    assert f"\nVOLUME {home[1]}\n" in last
    assert re.search(r"^HEALTHCHECK .*/healthz", last, re.M)
    asked = dockerfile.splitlines()
    assert sum(line.startswith("FROM python:3.11-slim") for line in asked) == 2
