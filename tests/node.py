"""Programs of others from npm, for tests to hold ours against: installed once, inside the virtual environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def _environment() -> dict[str, str]:
    """Node.js brings its own list of certificate authorities; the machine's, where there is one, counts, too."""
    more = {"NODE_EXTRA_CA_CERTS": str(AUTHORITIES)} if AUTHORITIES.is_file() else {}
    return more | dict(os.environ)


def node_modules(*packages: str) -> Path:
    """The folder with these packages ("name@version"). Skips where Node.js, npm or its registry is missing."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"Node.js and npm are not installed, so {packages[0]} cannot run.")
    folder = Path(sys.prefix) / "node" / "-".join(name.rpartition("/")[2] for name in packages)
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _install(folder, packages)
            done.touch()
    return folder / "node_modules"


def _install(folder: Path, packages: tuple[str, ...]) -> None:
    install = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--fetch-retries=1", *packages]
    install += ["--cache", str(folder / "cache")]
    said = subprocess.run(install, capture_output=True, text=True, check=False, timeout=240, env=_environment())
    if said.returncode:
        pytest.skip(f"npm could not install {packages[0]}: {said.stderr.strip()[-300:]}")
