"""Who is at the other end: signed cookies, sign-in links, and refusing requests that other sites had sent for one."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from itsdangerous import BadSignature, URLSafeTimedSerializer

COOKIE = "weaver_session"
SESSION_SECONDS = 30 * 24 * 3600
SIGNIN_SECONDS = 24 * 3600


class Sessions:
    """Signs and checks. The cookie holds a person's id and when it was given, nothing else."""

    def __init__(self, secret: str, *, secure: bool) -> None:
        if len(secret) < 16:
            raise ValueError("the web chat's secret must have at least 16 characters")
        self._cookie = URLSafeTimedSerializer(secret, salt="weaver-web-session")
        self._signin = URLSafeTimedSerializer(secret, salt="weaver-web-signin")
        self._secure = secure

    def start(self, response: web.StreamResponse, person: str) -> None:
        """Make the browser this person's."""
        response.set_cookie(
            COOKIE,
            self._cookie.dumps(person),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self._secure,
            path="/",
        )

    def end(self, response: web.StreamResponse) -> None:
        """Make the browser nobody's."""
        response.del_cookie(COOKIE, path="/")

    def person(self, request: web.Request) -> str | None:
        """The id in a cookie that we signed and that is not too old."""
        return _read(self._cookie, request.cookies.get(COOKIE, ""), SESSION_SECONDS)

    def signin_token(self, person: str) -> str:
        """The part of a sign-in link that stands for a person."""
        return str(self._signin.dumps(person))

    def signed_in_by(self, token: str) -> str | None:
        """The person a sign-in link stands for, while it is good."""
        return _read(self._signin, token, SIGNIN_SECONDS)


def _read(serializer: URLSafeTimedSerializer, text: str, seconds: int) -> str | None:
    try:
        person = serializer.loads(text, max_age=seconds)
    except BadSignature:
        return None
    return person if isinstance(person, str) else None


def same_origin(request: web.Request, base_url: str) -> bool:
    """Whether a request that changes something came from a page of ours.

    Browsers name the page's origin on every POST. Without it, it is no browser's form: then only JSON is taken,
    which another site cannot send without asking first.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return request.content_type == "application/json"
    wanted = urlsplit(base_url)
    return origin == f"{wanted.scheme}://{wanted.netloc}" or urlsplit(origin).netloc == request.host
