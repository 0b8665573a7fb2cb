"""Sealing: what only the bot may read (who asked anonymously, private messages) is encrypted before it is stored.

Fernet (AES-128-CBC with HMAC-SHA256, from the `cryptography` package); the key lives in a file beside the database, or
in `WEAVER_SECRET` where several replicas share one database. Whoever has the database alone learns nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from bot.errors import ConfigurationError


class Seal:
    """Encrypts text and small JSON values, and makes keyed hashes that cannot be guessed without the key."""

    def __init__(self, secret: str) -> None:
        digest = hashlib.sha256(secret.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._key = hashlib.sha256(b"hash:" + digest).digest()

    def seal(self, text: str) -> str:
        """Encrypt. The same text gives another result each time."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt. Raises `ConfigurationError` where the key is not the one it was sealed with."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ConfigurationError(
                "The secret key does not fit this database. Put back the secret.key file (or WEAVER_SECRET) that it "
                "was made with."
            ) from None

    def seal_json(self, value: Any) -> str:
        """Encrypt a JSON value."""
        return self.seal(json.dumps(value))

    def open_json(self, sealed: str) -> Any:
        """Decrypt a JSON value."""
        return json.loads(self.open(sealed))

    def mark(self, text: str) -> str:
        """A keyed hash: equal for equal texts, and tells nothing without the key."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:40]


def secret_in(home: Path) -> str:
    """The secret of this home folder, made on first use and readable by its owner only."""
    path = home / "secret.key"
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    secret = path.read_text().strip()
    if not secret:
        raise ConfigurationError(f"{path} is empty. Put back the secret.key file that this database was made with.")
    return secret


def _make(path: Path) -> None:
    """Write a new secret. It appears whole or not at all, and of several processes the first one's stays."""
    draft = path.with_name(f".secret-{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(Fernet.generate_key().decode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
