"""How does foreign text get into a page, so that nothing of it acts?

By being text: `element` escapes whatever is no `Markup`, and only `element` makes `Markup`. So what is forgotten shows
as text, and never as a tag. The result is well-formed both as HTML and as XML.
"""

from __future__ import annotations

from html import escape
from typing import Final

from glasswing_attest.errors import shown

__all__ = ["Markup", "element", "joined"]

_VOID: Final = {"meta"}
_LONGEST = 2000


class Markup(str):
    """A piece of a page. Whoever makes one says that nothing in it is foreign."""

    __slots__ = ()


def element(tag: str, /, *content: str, **attributes: str | None) -> Markup:
    """Give an element. Content that is no `Markup` is text: bounded, printable, escaped. So are attributes.

    An attribute's name may end in ``_``, and has ``-`` for ``_`` within; one that is None is left out.

    >>> print(element("p", "<b>", element("code", "a & b"), class_="x"))
    <p class="x">&lt;b&gt;<code>a &amp; b</code></p>
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(shown(value, _LONGEST))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{tag}{told} />")
    return Markup(f"<{tag}{told}>{joined(*content)}</{tag}>")


def joined(*content: str) -> Markup:
    """Give several pieces as one."""
    return Markup("".join(c if isinstance(c, Markup) else escape(shown(c, _LONGEST)) for c in content))
