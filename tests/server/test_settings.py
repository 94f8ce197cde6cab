"""What the server refuses to start with, and how it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from review_bot.core.errors import UsageError
from review_bot.server.settings import read


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(65537, 2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def environment(key: str, **changed: str) -> dict[str, str]:
    return {"GITHUB_APP_ID": "1", "GITHUB_PRIVATE_KEY": key, "GITHUB_WEBHOOK_SECRET": "s", "HOME": "/home/x", **changed}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"GITHUB_WEBHOOK_SECRET": ""}, "GITHUB_WEBHOOK_SECRET"),
        ({"GITHUB_WEBHOOK_SECRET": "  "}, "GITHUB_WEBHOOK_SECRET"),
        ({"GITHUB_APP_ID": ""}, "GITHUB_APP_ID"),
        ({"GITHUB_PRIVATE_KEY": ""}, "GITHUB_PRIVATE_KEY_FILE"),
        ({"GITHUB_PRIVATE_KEY": "nonsense"}, "GITHUB_PRIVATE_KEY"),
        ({"GITHUB_PRIVATE_KEY": "", "GITHUB_PRIVATE_KEY_FILE": "/nowhere"}, "/nowhere"),
        ({"GITHUB_API_URL": "github.example.com"}, "GITHUB_API_URL"),
        ({"GITHUB_URL": "https://user:word@github.example.com"}, "GITHUB_URL"),
        ({"REVIEW_BOT_DATABASE_URL": "mysql://x"}, "REVIEW_BOT_DATABASE_URL"),
        ({"PORT": "http"}, "PORT"),
        ({"PORT": "99999"}, "PORT"),
    ],
)
def test_a_wrong_setting_is_named_with_a_next_step(key: str, changed: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(environment(key, **changed))
    assert named in refused.value.message
    assert refused.value.help
    assert "PRIVATE KEY--" not in str(refused.value)


def test_enterprise_web_address_follows_from_the_api(key: str) -> None:
    found = read(environment(key, GITHUB_API_URL="https://ghe.example.com/api/v3/"))
    assert (found.api_url, found.github_url) == ("https://ghe.example.com/api/v3", "https://ghe.example.com")


def test_a_key_on_one_line_is_understood(key: str) -> None:
    assert read(environment(key.replace("\n", "\\n"))).private_key == key


def test_secrets_are_not_shown_when_settings_are_printed(key: str) -> None:
    assert "hush" not in repr(read(environment(key, GITHUB_WEBHOOK_SECRET="hush")))


def test_serve_without_a_webhook_secret_ends_with_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "review_bot.cli.main", "serve"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "GITHUB_APP_ID": "1"},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert done.returncode == 2
    assert "GITHUB_WEBHOOK_SECRET" in done.stderr
    assert "Traceback" not in done.stderr
