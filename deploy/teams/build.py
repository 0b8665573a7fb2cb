"""Make the Teams app package: `python deploy/teams/build.py APP_ID https://weaver.example.com [weaver.zip]`.

The package is a zip of the manifest and two icons; https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/apps-package.
Without arguments the example manifest and the icons in this folder are written anew.
"""

from __future__ import annotations

import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from math import hypot
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from adapters.teams.manifest import printed  # noqa: E402

TEAL = (12, 107, 100)
WHITE = (255, 255, 255)
#: The mark, on a field of 24 by 24: threads that go across, and those that go over and under them.
WEFT = [((3, y), (21, y)) for y in (6, 12, 18)]
WARP = [((x, a), (x, b)) for x in (6, 18) for a, b in ((3, 8), (10.5, 14), (16.5, 21))]
WARP += [((12, a), (12, b)) for a, b in ((3, 4.5), (7.5, 16.5), (19.5, 21))]
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Line = tuple[tuple[float, float], tuple[float, float]]
Pixel = tuple[int, int, int, int]


def distance(x: float, y: float, line: Line) -> float:
    """How far a point is from a line that has two ends."""
    (ax, ay), (bx, by) = line
    along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
    along = min(1.0, max(0.0, along))
    return hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay))


def cover(x: float, y: float, lines: list[Line], pixel: float) -> float:
    """How much of a pixel (this wide) the lines cover, each of width 2 with round ends."""
    nearest = min(distance(x, y, line) for line in lines)
    return min(1.0, max(0.0, (1.0 - nearest) / pixel + 0.5))


def color(x: float, y: float, pixel: float) -> Pixel:
    """The mark in white on teal; Teams rounds the corners."""
    share = max(0.35 * cover(x, y, WEFT, pixel), cover(x, y, WARP, pixel))
    red, green, blue = (round(back + (front - back) * share) for back, front in zip(TEAL, WHITE, strict=True))
    return red, green, blue, 255


def outline(x: float, y: float, pixel: float) -> Pixel:
    """The mark in white on nothing."""
    share = max(0.5 * cover(x, y, WEFT, pixel), cover(x, y, WARP, pixel))
    return (*WHITE, round(255 * share))


def picture(size: int, margin: float, paint: Callable[[float, float, float], Pixel]) -> bytes:
    """A PNG of `size` by `size` (https://www.w3.org/TR/png/), the mark's field within a margin."""
    scale = 24 / (size - 2 * margin)
    rows = b""
    for row in range(size):
        pixels = (paint((at + 0.5 - margin) * scale, (row + 0.5 - margin) * scale, scale) for at in range(size))
        rows += b"\0" + bytes(value for pixel in pixels for value in pixel)
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A piece of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def icons() -> dict[str, bytes]:
    """Both icons, by file name."""
    return {"color.png": picture(192, 36, color), "outline.png": picture(32, 2, outline)}


def package(app_id: str, public_url: str, to: Path) -> None:
    """Write the app package."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", printed(app_id, public_url))
        for name, data in icons().items():
            archive.writestr(name, data)


def main(arguments: list[str]) -> str:
    """What the command line asks for; what to tell about it."""
    if not arguments:
        (HERE / "manifest.json").write_text(printed(), encoding="utf8")
        for name, data in icons().items():
            (HERE / name).write_bytes(data)
        return f"Written anew: manifest.json and the icons in {HERE.name}/."
    app_id, public_url, *more = [*arguments, ""][:3]
    if not GUID.fullmatch(app_id) or not public_url.startswith("https://"):
        raise SystemExit("Give the bot's app id and its https address: build.py 1a2b3c4d-… https://weaver.example.com")
    to = Path(more[0] or "weaver.zip")
    package(app_id.lower(), public_url, to)
    return f"{to} is ready. Upload it in the Teams admin centre (Teams apps > Manage apps), or to one team."


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
