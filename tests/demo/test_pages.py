"""The pages: what a person sees of a pull request, and that no comment breaks out of its box."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import pytest
from hubs import REPO, Scene, play

from review_bot.demo.github.page_markdown import html
from review_bot.demo.github.state import Protection

SAFE = {
    *(
        "p",
        "a",
        "b",
        "i",
        "em",
        "strong",
        "s",
        "code",
        "pre",
        "span",
        "ul",
        "ol",
        "li",
        "br",
        "hr",
        "blockquote",
        "div",
    ),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "sub", "sup", "kbd", "ins", "del"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
HOSTILE = (
    "<script>alert(1)</script>",
    "text <img src=x onerror=alert(1)> more",
    "<details ontoggle=alert(1)><summary>x</summary></details>",
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    '![x](https://example.com/"onerror=alert(1))',
    "<style>body{display:none}</style>",
    "<iframe src=//evil.test></iframe>",
    "<!-- <b> --><svg onload=alert(1)>",
    "</div></main></body>",
    "```\n</pre><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <form action=//evil.test> |",
    "<details open onclick=x>",
    "<summary/onclick=alert(1)>x",
    "<!--",
    '@alice"onmouseover=alert(1)',
    'https://example.com/"onmouseover=alert(1)',
)


class _Tags(HTMLParser):
    """The tags and attributes of a piece of HTML, and how deep it leaves the reader."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.stray: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            self.stray.append(tag)
        while self.open and tag in self.open and self.open.pop() != tag:
            pass


@pytest.mark.parametrize("text", HOSTILE)
def test_a_comment_can_not_break_out_of_its_box(text: str) -> None:
    found = _Tags(html(text))
    assert found.tags <= SAFE
    assert set(found.attributes) <= {"href", "class", "rel", "open", "title", "start"}
    assert all(href.startswith(("http://", "https://", "/", "#")) for href in found.attributes.get("href", []))
    assert (found.open, found.stray) == ([], [])


def test_what_an_author_leaves_open_is_closed() -> None:
    assert html("<details><summary>x").endswith("</summary></details>")
    assert "</details>" not in html("text </details> text")


def test_markdown_reads_as_on_github() -> None:
    shown = html(
        "a\nb\n\n| x |\n|---|\n| **1** |\n\n<details><summary>more</summary>\n\n- `y`\n\n</details>\n<sub>z</sub>"
    )
    assert "a<br" in shown and "<td><strong>1</strong></td>" in shown
    assert "<details><summary>more</summary>" in shown and "<code>y</code>" in shown and "<sub>z</sub>" in shown
    assert html("<!-- marker -->text") == "text" or "marker" not in html("<!-- marker -->text")


def test_a_mention_is_a_link_outside_code_only() -> None:
    assert '<a class="mention" href="/org/security">@org/security</a>' in html("ask @org/security")
    assert "mention" not in html("`@alice` and mail@example.com")
    assert "mention" not in html("```\n@alice\n```")


def test_a_diff_fence_shows_what_came_and_went() -> None:
    shown = html("```diff\n-old <b>\n+new\n```")
    assert '<span class="del">-old &lt;b&gt;\n</span><span class="add">+new\n</span>' in shown


async def _page(scene: Scene, path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(scene.github.url + path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        return await answer.text()


def test_the_page_of_a_pull_request_shows_all_of_it(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        pull = await scene.pull({"README.md": "changed\n"})
        note = {
            "path": "README.md",
            "start_line": 1,
            "end_line": 1,
            "annotation_level": "failure",
            "message": "No <b>.",
        }
        output = {"title": "1 problem", "summary": "**Mend** it.", "annotations": [note]}
        asked = {"name": "review-bot", "head_sha": pull["head"]["sha"], "conclusion": "failure", "output": output}
        async with scene.bot() as bot, scene.person("carol") as carol:
            await bot.post(f"{REPO}/check-runs", asked)
            await bot.post(f"{REPO}/issues/1/comments", {"body": "<!-- key -->\n### ❌ 1 problem"})
            remark = {"path": "README.md", "line": 1, "body": "Why?"}
            await carol.post(f"{REPO}/pulls/1/reviews", {"event": "APPROVE", "comments": [remark]})
        page = await _page(scene, "/org/config/pull/1")
        for text in (
            "Change topic",
            "Merging is blocked",
            "1 problem",
            "<strong>Mend</strong>",
            "No &lt;b&gt;.",
            "Why?",
        ):
            assert text in page
        assert 'Required status check "review-bot" is failing.' in page.replace("&quot;", '"')
        assert "+changed" in page and "<h3>❌ 1 problem</h3>" in page and "approved these changes" in page
        assert "Change topic" in await _page(scene, "/org/config/pulls")
        assert "changed" in await _page(scene, f"/org/config/blob/{pull['head']['sha']}/README.md")
        assert "Change topic" in await _page(scene, f"/org/config/commit/{pull['head']['sha']}")
        assert "org/config" in await _page(scene, "/")

    play(tmp_path, act, Protection(required_checks=("review-bot",), required_approvals=1))


def test_mentions_lead_somewhere(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        html_please = {"Accept": "text/html"}
        async with aiohttp.ClientSession(headers=html_please) as session:
            for path, status, text in (
                ("/alice", 200, "alice (user)"),
                ("/org/security", 200, "erin"),
                ("/org/config", 200, "Pull requests"),
                ("/nobody", 404, "nothing here"),
            ):
                async with session.get(scene.github.url + path) as answer:
                    assert (answer.status, text in await answer.text()) == (status, True)
        assert scene.github.unknown == []

    play(tmp_path, act)
