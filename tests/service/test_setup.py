"""`review-bot setup` against GitHub's stand-in: a browser goes there and back, and the service has all it needs."""

from __future__ import annotations

import html
import json
import os
import re
import stat
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from repositories import run

from review_bot.demo.github.background import Background
from review_bot.demo.github.server import StandIn
from review_bot.github.app_manifest import EVENTS, PERMISSIONS

URL = "https://bot.example.com"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[StandIn]:
    with Background(StandIn(tmp_path / "github")) as running:
        yield running.github


@contextmanager
def setting_up(github: StandIn, out: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command while it waits, and the address that it names."""
    command = [sys.executable, "-m", "review_bot.cli.main", "setup", "--url", URL, "--out", str(out), *words]
    env = os.environ | {"GITHUB_API_URL": github.api_url, "GITHUB_URL": "https://github.example.com"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        found = re.search(r"open (http://127\.0\.0\.1:\d+/)", process.stderr.readline())
        assert found is not None
        try:
            yield process, found[1]
        finally:
            process.kill()


def page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return str(answer.read().decode())


def refused(address: str) -> tuple[int, str]:
    """Status and text of a page that is no success."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        page(address)
    with caught.value as answer:
        return answer.code, answer.read().decode()


def form(address: str) -> tuple[str, dict[str, object]]:
    """Where the page sends the browser, and the manifest that it brings."""
    text = page(address)
    action = re.search(r"action='([^']+)'", text)
    value = re.search(r"value='([^']+)'", text)
    assert action is not None and value is not None
    return html.unescape(action[1]), json.loads(html.unescape(value[1]))


def test_a_browser_goes_to_github_and_back_and_the_files_hold_what_serve_needs(github: StandIn, tmp_path: Path) -> None:
    with setting_up(github, tmp_path, "--org", "acme") as (process, address):
        action, asked = form(address)
        assert action.startswith("https://github.example.com/organizations/acme/settings/apps/new?state=")
        assert (asked["default_permissions"], asked["default_events"]) == (dict(PERMISSIONS), list(EVENTS))
        assert asked["hook_attributes"] == {"url": f"{URL}/webhook", "active": True}
        assert asked["redirect_url"] == f"{address}created"
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(action).query)["state"][0]
        assert "Done" in page(f"{address}created?state={state}&code={github.new_manifest_code()}")
        said, _ = process.communicate(timeout=20)
        assert process.returncode == 0
    key, settings = tmp_path / "review-bot.private-key.pem", tmp_path / "review-bot.env"
    assert key.read_text() == github.app.private_key
    assert [stat.S_IMODE(path.stat().st_mode) for path in (key, settings)] == [0o600, 0o600]
    rows = dict(line.split("=", 1) for line in settings.read_text().splitlines())
    assert rows == {
        "GITHUB_APP_ID": str(github.app.id),
        "GITHUB_PRIVATE_KEY_FILE": str(key),
        "GITHUB_WEBHOOK_SECRET": github.app.webhook_secret,
        "GITHUB_API_URL": github.api_url,
        "REVIEW_BOT_PUBLIC_URL": URL,
    }
    # Neither secret is shown anywhere else.
    assert github.app.webhook_secret not in said
    assert "PRIVATE KEY" not in said


def test_who_was_not_sent_by_the_page_gets_nothing_done(github: StandIn, tmp_path: Path) -> None:
    with setting_up(github, tmp_path) as (process, address):
        assert refused(f"{address}created?state=guessed&code={github.new_manifest_code()}")[0] == 400
        assert process.poll() is None
    assert list(tmp_path.glob("review-bot*")) == []


def test_a_code_that_is_worth_nothing_is_said_and_can_be_tried_again(github: StandIn, tmp_path: Path) -> None:
    with setting_up(github, tmp_path) as (process, address):
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(form(address)[0]).query)["state"][0]
        assert "GitHub answered 404" in refused(f"{address}created?state={state}&code=used")[1]
        assert "Done" in page(f"{address}created?state={state}&code={github.new_manifest_code()}")
        process.communicate(timeout=20)
        assert process.returncode == 0


def test_files_that_are_there_are_not_overwritten(github: StandIn, tmp_path: Path) -> None:
    (tmp_path / "review-bot.env").write_text("mine\n")
    done = run("setup", "--url", URL, "--out", str(tmp_path))
    assert done.returncode == 2
    assert "review-bot.env exist already" in done.stderr
    assert (tmp_path / "review-bot.env").read_text() == "mine\n"


@pytest.mark.parametrize("words", [("--url", "bot.example.com"), ("--url", URL, "--org", "a/b"), ()])
def test_wrong_usage_is_told(words: tuple[str, ...]) -> None:
    assert run("setup", *words).returncode == 2


def test_the_manifest_can_be_had_by_itself(tmp_path: Path) -> None:
    done = run("setup", "--url", f"{URL}/", "--manifest")
    assert (done.returncode, json.loads(done.stdout)["url"]) == (0, URL)
