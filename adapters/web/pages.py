"""The pages themselves: the chat, the chooser of the demo, signing in; and the files they are made of."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.web.access import message_of, room_of, signed_in
from adapters.web.client import WebChat
from adapters.web.requests import RequestError
from adapters.web.rooms import Person

_HERE = Path(__file__).parent
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
STATIC = "/chat/static"


class Pages:
    """Handlers that answer with HTML, and the static files under an address that changes when they do."""

    def __init__(self, chat: WebChat) -> None:
        self._chat = chat
        self._files = {path.name: path.read_bytes() for path in sorted((_HERE / "static").iterdir()) if path.is_file()}
        everything = b"\0".join(name.encode() + b"\0" + content for name, content in self._files.items())
        self._version = hashlib.sha256(everything).hexdigest()[:12]
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The chat; without a session the chooser (demo) or how to sign in."""
        chat = self._chat
        person = await signed_in(chat, request)
        if person is None:
            return await self._entrance(request)
        await chat.direct(chat.ref(person.id))
        if "message" in request.match_info:
            _, room = await message_of(chat, request.match_info["message"], person)
            if room.id != request.match_info["channel"]:
                raise RequestError(404, "This message is not here any more, or not for you to see.")
        elif "channel" in request.match_info:
            await room_of(chat, request.match_info["channel"], person)
        return self._page("chat.html", person=person)

    async def choose(self, request: web.Request) -> web.Response:
        """The demo's chooser."""
        if not self._chat.demo:
            raise RequestError(404, "There is no such page.")
        return await self._entrance(request)

    async def become(self, request: web.Request) -> web.StreamResponse:
        """In the demo, be one of the sample people."""
        form = await request.post()
        person = await self._chat.rooms.person(str(form.get("person", "")))
        if not self._chat.demo or person is None or not person.active:
            raise RequestError(404, "There is nobody of that name to be.")
        return await self._begin(person, str(form.get("next", "")))

    async def signin(self, request: web.Request) -> web.StreamResponse:
        """A sign-in link was opened."""
        token = request.query.get("token", "")
        person_id = self._chat.sessions.signed_in_by(token)
        person = await self._chat.rooms.person(person_id) if person_id else None
        if person is None or not person.active:
            return self._page("signin.html", status=403 if token else 200, used=bool(token))
        return await self._begin(person, request.query.get("next", ""))

    async def signout(self, request: web.Request) -> web.StreamResponse:
        """Forget the browser."""
        response = web.Response(status=303, headers={"Location": "/"})
        self._chat.sessions.end(response)
        return response

    async def static(self, request: web.Request) -> web.Response:
        """A file of ours. Its address holds the version, so browsers keep it for good."""
        name = request.match_info["name"]
        content = self._files.get(name)
        if content is None:
            raise RequestError(404, "There is no such file.")
        lasting = request.match_info["version"] == self._version
        return web.Response(
            body=content,
            content_type=_TYPES.get(Path(name).suffix, "application/octet-stream"),
            charset="utf-8",
            headers={"Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache"},
        )

    def problem(self, problem: RequestError) -> web.Response:
        """A page that says what is wrong and leads back."""
        return self._page("problem.html", status=problem.status, sentence=problem.sentence)

    async def _entrance(self, request: web.Request) -> web.Response:
        if not self._chat.demo:
            return self._page("signin.html", used=False)
        wanted = request.query.get("next") or request.path
        current = await signed_in(self._chat, request)
        people = await self._chat.rooms.everyone()
        return self._page("chooser.html", people=people, next=_own_path(wanted), current=current)

    async def _begin(self, person: Person, wanted: str) -> web.Response:
        await self._chat.direct(self._chat.ref(person.id))
        response = web.Response(status=303, headers={"Location": _own_path(wanted)})
        self._chat.sessions.start(response, person.id)
        return response

    def _page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        html = self._templates.get_template(template).render(
            values,
            static=f"{STATIC}/{self._version}",
            organisation=self._chat.organisation,
            bot=self._chat.bot_name,
            demo=self._chat.demo,
        )
        return web.Response(text=html, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def _own_path(wanted: str) -> str:
    """A place to go on to: only channels, messages and entries of this chat, whatever the link says."""
    plain = wanted.startswith(("/c/", "/entries/")) and "\\" not in wanted and wanted.isprintable() and wanted.isascii()
    return wanted if plain else "/"
