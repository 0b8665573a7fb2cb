"""Sealing: only the key opens, and nothing shows through."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigurationError
from bot.seal import Seal, secret_in

SEAL = Seal("a secret")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(text: str) -> None:
    """Any text."""
    assert SEAL.open(SEAL.seal(text)) == text


SIMPLE = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_so_do_json_values(value: object) -> None:
    """Any value."""
    assert SEAL.open_json(SEAL.seal_json(value)) == value


def test_equal_texts_do_not_look_alike() -> None:
    """Who reads the table cannot tell that two rows name the same person."""
    assert SEAL.seal("ana") != SEAL.seal("ana")
    assert "ana.duarte" not in SEAL.seal("ana.duarte")  # a shorter one could be there by chance


def test_another_key_does_not_open() -> None:
    """And the sentence says which file to put back."""
    with pytest.raises(ConfigurationError, match=r"secret\.key"):
        Seal("another").open(SEAL.seal("ana"))
    with pytest.raises(ConfigurationError):
        SEAL.open("not sealed at all")


def test_marks_are_equal_for_equal_texts_and_keys_only() -> None:
    """So that rows can be found by them."""
    assert SEAL.mark("ana") == Seal("a secret").mark("ana")
    assert SEAL.mark("ana") != SEAL.mark("ben")
    assert SEAL.mark("ana") != Seal("another").mark("ana")
    assert len(SEAL.mark("ana")) == 40


def test_the_secret_of_a_home_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    """Also when several processes start on it at once."""
    home = tmp_path / "new" / "home"
    found: set[str] = set()
    threads = [threading.Thread(target=lambda: found.add(secret_in(home))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {secret_in(home)}
    assert len(found.pop()) >= 32
    assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    """A file emptied by a full disk must not become the key that everybody knows."""
    (tmp_path / "secret.key").write_text("")
    with pytest.raises(ConfigurationError, match=r"secret\.key"):
        secret_in(tmp_path)
