"""The web chat's HTTP side: its addresses, and what holds for all of them (origin, errors, headers).

The checks are wrapped around our own handlers instead of being middlewares: other platforms' routes may live in the
same application, and a webhook has no origin.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from adapters.web.client import WebChat
from adapters.web.conversations import Conversations
from adapters.web.interactions import Interactions
from adapters.web.pages import STATIC, Pages
from adapters.web.requests import RequestError
from adapters.web.sessions import same_origin
from adapters.web.stream import Stream
from bot.errors import BotError
from bot.ports import EventHandler, FormError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' https: http:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it browsers send "Origin: null" on our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_INCIDENT = (
    "That did not work, and it is not your fault. Please try again; "
    "if it stays so, give your administrator this number: {}"
)


def web_application(chat: WebChat, handle: EventHandler) -> web.Application:
    """The chat as an application of its own, to be the root of the server."""
    application = web.Application()
    install(application, chat, handle)
    return application


def install(application: web.Application, chat: WebChat, handle: EventHandler) -> None:
    """Add the chat's routes to an application that may have others."""
    pages = Pages(chat)

    def guard(handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                if request.method == "POST" and not same_origin(request, chat.base_url):
                    raise RequestError(403, "This request came from another site and was refused.")
                response = await handler(request)
            except RequestError as problem:
                response = _refusal(request, problem, pages)
            except (BotError, FormError) as error:
                response = _refusal(request, RequestError(422, str(error)), pages)
            except web.HTTPException:
                raise
            except Exception:
                incident = secrets.token_hex(4)
                log.exception("incident %s in %s %s", incident, request.method, _pattern(request))
                response = _refusal(request, RequestError(500, _INCIDENT.format(incident)), pages)
            if not response.prepared:
                response.headers.update(_HEADERS)
                response.headers.setdefault("Cache-Control", "no-store")
            return response

        return guarded

    for method, path, handler in _routes(chat, handle, pages):
        application.router.add_route(method, path, guard(handler))

    async def end_streams(_: web.Application) -> None:
        chat.pulse.close()

    application.on_shutdown.append(end_streams)


def _routes(chat: WebChat, handle: EventHandler, pages: Pages) -> list[tuple[str, str, Handler]]:
    """Every address of the chat."""
    interactions = Interactions(chat, handle)
    talk = Conversations(chat, handle, interactions)
    return [
        ("GET", "/", pages.chat),
        ("GET", "/c/{channel}", pages.chat),
        ("GET", "/c/{channel}/{message}", pages.chat),
        ("GET", "/entries/{entry}", interactions.entry),
        ("GET", "/people", pages.choose),
        ("POST", "/people", pages.become),
        ("GET", "/signin", pages.signin),
        ("POST", "/signout", pages.signout),
        ("GET", STATIC + "/{version}/{name}", pages.static),
        ("GET", "/api/state", talk.state),
        ("GET", "/api/stream", Stream(chat)),
        ("GET", "/api/people", talk.people),
        ("GET", "/api/channels/{channel}/messages", talk.messages),
        ("GET", "/api/channels/{channel}/members", talk.members),
        ("GET", "/api/channels/{channel}/threads/{root}", talk.thread),
        ("POST", "/api/channels/{channel}/messages", talk.post),
        ("POST", "/api/channels/{channel}/read", talk.read),
        ("POST", "/api/channels/{channel}/join", talk.join),
        ("POST", "/api/channels/{channel}/leave", talk.leave),
        ("POST", "/api/messages/{message}/edit", talk.edit),
        ("POST", "/api/messages/{message}/delete", talk.delete),
        ("POST", "/api/messages/{message}/react", talk.react),
        ("POST", "/api/messages/{message}/press", interactions.press),
        ("POST", "/api/forms", interactions.submit),
        ("POST", "/api/home", interactions.home),
    ]


def _pattern(request: web.Request) -> str:
    """The address without its ids: enough for the log, and nobody's channel in it."""
    resource = request.match_info.route.resource
    return "?" if resource is None else resource.canonical


def _refusal(request: web.Request, problem: RequestError, pages: Pages) -> web.Response:
    if request.path.startswith("/api/"):
        return web.json_response({"error": problem.sentence, "errors": problem.errors}, status=problem.status)
    return pages.problem(problem)
