"""GitHub-flavoured markdown to HTML that is safe to show: what a comment's author writes can't leave its box."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

# The tags that a comment may use itself; everything else is shown as text.
_PAIRED = ("details", "summary", "sub", "sup", "kbd", "ins", "del", "strong", "em", "b", "i", "code")
_TAG = re.compile(r"<!--.*?(?:-->|$)|<(/?)(\w+)(\s+open(?:=(?:\"\"|''|\"open\"))?)?\s*(/?)>", re.S)
_LIVE = re.compile(r"(?P<url>https?://[^\s<>\"')\]]+)|(?<![\w/.@-])@(?P<who>[A-Za-z0-9][\w-]*(?:/[\w.-]+)?)")
_ALERT = re.compile(r"^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")


class _Renderer(RendererHTML):
    """Renders tokens; `env["open"]` holds the author's own tags that are open."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        inside = sum(1 if t.type == "link_open" else -1 for t in tokens[:idx] if t.type in ("link_open", "link_close"))
        text = tokens[idx].content
        return escape(text) if inside else _live(text)

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        return _own_tags(tokens[idx].content, env.setdefault("open", []))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        return _own_tags(tokens[idx].content, env.setdefault("open", []))

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        # Nothing is fetched from elsewhere: a picture is a link to it.
        source = str(tokens[idx].attrGet("src") or "")
        return f'<a href="{escape(source)}" rel="nofollow">image: {escape(tokens[idx].content or source)}</a>'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        token = tokens[idx]
        lines = token.content.rstrip("\n").split("\n")
        if token.info.strip().split(" ")[0] == "diff":
            return f'<pre class="code diff-code">{"".join(map(_diff_line, lines))}</pre>\n'
        return f'<pre class="code">{escape(token.content)}</pre>\n'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        return '<div class="scroll"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        return "</table></div>\n"

    def blockquote_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        first = tokens[idx + 2] if len(tokens) > idx + 2 else None
        found = _ALERT.match(first.content) if first and first.type == "inline" else None
        if found is None or first is None or not first.children:
            return "<blockquote>\n"
        kind = found[1].lower()
        first.children = first.children[2:] if len(first.children) > 1 else []
        return f'<blockquote class="alert {kind}"><p class="alert-title">{kind.title()}</p>\n'


_MARKDOWN = MarkdownIt("commonmark", {"html": True, "breaks": True}, renderer_cls=_Renderer).enable(
    ["table", "strikethrough"]
)


def html(text: str | None) -> str:
    """The text as HTML. Tags that its author left open are closed."""
    env: dict[str, Any] = {"open": []}
    shown = str(_MARKDOWN.render((text or "").replace("\r\n", "\n"), env))
    return shown + "".join(f"</{tag}>" for tag in reversed(env["open"]))


def _live(text: str) -> str:
    """Text with bare addresses and mentions as links."""
    parts, at = [], 0
    for found in _LIVE.finditer(text):
        parts.append(escape(text[at : found.start()]))
        if found["url"]:
            parts.append(f'<a href="{escape(found["url"])}" rel="nofollow">{escape(found["url"])}</a>')
        else:
            parts.append(f'<a class="mention" href="/{escape(found["who"])}">@{escape(found["who"])}</a>')
        at = found.end()
    return "".join(parts) + escape(text[at:])


def _own_tags(text: str, opened: list[str]) -> str:
    """Allowed tags as they are (without attributes), comments gone, everything else as text."""
    parts, at = [], 0
    for found in _TAG.finditer(text):
        parts.append(escape(text[at : found.start()], quote=False))
        parts.append(_tag(found, opened))
        at = found.end()
    return "".join(parts) + escape(text[at:], quote=False)


def _tag(found: re.Match[str], opened: list[str]) -> str:
    if found[0].startswith("<!--"):
        return ""
    closing, name = bool(found[1]), found[2].lower()
    if name in ("br", "hr") and not closing:
        return f"<{name}>"
    if name not in _PAIRED:
        return escape(found[0], quote=False)
    if not closing:
        opened.append(name)
        return f"<{name}{' open' if found[3] and name == 'details' else ''}>"
    if name not in opened:
        return ""
    closed = ""
    while opened:
        inner = opened.pop()
        closed += f"</{inner}>"
        if inner == name:
            break
    return closed


def _diff_line(line: str) -> str:
    kind = {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "ctx")
    return f'<span class="{kind}">{escape(line)}\n</span>'
