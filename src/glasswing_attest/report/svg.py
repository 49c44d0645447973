"""How does the picture of a chain look, laid out?

Graphviz lays it out: as the extra ``picture`` brings it, or else the program ``dot`` on PATH. It runs in a process of
its own, gets the source by its standard input, and has a bounded time: whatever a label does to it, it does not do to
us. What it drew is rebuilt from the few elements and attributes of SVG 1.1 that draw, so that no script, link, style or
outer resource is in the picture.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html import escape
from importlib.util import find_spec
from xml.etree import ElementTree as ET

from glasswing_attest.errors import UnavailableError, shown

__all__ = ["layouter", "render"]

_SECONDS = 20
_SVG = "http://www.w3.org/2000/svg"
_DRAWS = {"svg", "g", "polygon", "polyline", "path", "ellipse", "text"}
_KEPT = {
    *("class", "width", "height", "viewBox", "transform", "x", "y", "cx", "cy", "rx", "ry", "d", "points", "fill"),
    *("stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "text-anchor"),
}
_VALUE = re.compile(r"(?!.*url)[\w\s#%.,()+-]*", re.ASCII | re.IGNORECASE | re.DOTALL)
_PROGRAM = """
import sys
from pygraphviz import AGraph
sys.stdout.buffer.write(AGraph(string=sys.stdin.read()).draw(format="svg", prog="dot"))
"""


def layouter() -> Sequence[str]:
    """Give the command that lays out. Raises `UnavailableError` where there is none."""
    # The extra was asked for by name, and its Graphviz is the newer one.
    if find_spec("pygraphviz") is not None and sys.executable:
        return (sys.executable, "-I", "-c", _PROGRAM)
    if (dot := shutil.which("dot")) is not None:
        return (dot, "-Tsvg")
    raise UnavailableError(
        where="the picture",
        because="nothing here lays it out",
        do="install the extra `picture` (pip install 'glasswing-attest[picture]'), or Graphviz, whose `dot` stands on "
        "PATH then; to_dot() needs neither",
    )


def render(source: str, *, title: str) -> str:
    """Lay out a source in the DOT language, and give an SVG document without a prologue, as a page can hold it.

    Raises:
        UnavailableError: nothing lays it out here, or what does fails, or takes too long.
    """
    command = layouter()
    # Graphviz before 4 reads no file that a source names where it believes to serve the web; later ones never ask.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "SERVER_NAME": "none"}
    try:
        done = subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=_SECONDS, check=True, env=environment
        )
        drawing = ET.fromstring(done.stdout)  # noqa: S314  # made by the program that we ran, which declares no entities
    except subprocess.CalledProcessError as e:
        raise _failed(e.stderr.decode("utf-8", "replace").strip() or str(e)) from e
    except subprocess.TimeoutExpired as e:
        raise _failed(f"it took longer than {_SECONDS} seconds") from e
    except (OSError, ET.ParseError) as e:
        raise _failed(str(e)) from e
    return "".join(_drawn(drawing, title))


def _failed(because: str) -> UnavailableError:
    return UnavailableError(
        where="the picture",
        because=f"Graphviz could not lay it out: {because}",
        do="do without it: the text, the page and the JSON say the same",
    )


def _drawn(element: ET.Element, title: str = "") -> Iterator[str]:
    tag = element.tag.removeprefix(f"{{{_SVG}}}")
    if tag not in _DRAWS:
        return
    kept = {name: value for name, value in element.attrib.items() if name in _KEPT and _VALUE.fullmatch(value)}
    if title:
        kept = {"xmlns": _SVG, "role": "img", **kept}
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
    yield f"<{tag}{attributes}>"
    if title:
        yield f"<title>{escape(shown(title))}</title>"
    if tag == "text":
        yield escape(shown(element.text or ""))
    for child in element:
        yield from _drawn(child)
    yield f"</{tag}>"
