"""The server's settings, from the environment: read once at the start, and said clearly when something is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from review_bot.cluster.operator_config import operator_file
from review_bot.core.clusters import Clusters
from review_bot.core.errors import UsageError
from review_bot.core.remote_hosts import RemoteHosts
from review_bot.core.terraform.settings import TerraformTool
from review_bot.core.versions.registries import ImageSettings

PUBLIC_API, PUBLIC_URL = "https://api.github.com", "https://github.com"


@dataclass(frozen=True)
class AppSettings:
    """What it takes to speak to GitHub as the App."""

    app_id: str
    private_key: str = field(repr=False)
    api_url: str


@dataclass(frozen=True)
class Settings:
    """`github_url` is where git and the web pages are, `public_url` where people reach the bot, "" if nowhere."""

    app_id: str
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    api_url: str
    github_url: str
    database: Path
    state_dir: Path
    public_url: str
    port: int
    clusters: Clusters | None = None
    terraform: TerraformTool | None = None
    remotes: RemoteHosts | None = None
    images: ImageSettings | None = None


def read(environment: Mapping[str, str]) -> Settings:
    """The settings. Raises UsageError that names the variable and the next step."""
    secret = environment.get("GITHUB_WEBHOOK_SECRET", "").strip()
    if not secret:
        raise UsageError(
            "GITHUB_WEBHOOK_SECRET is not set: without it anybody could send events",
            help="set it to the secret of the App's webhook (App settings → Webhook secret)",
        )
    app = read_app(environment)
    operator = operator_file(environment)
    return Settings(
        app_id=app.app_id,
        private_key=app.private_key,
        webhook_secret=secret,
        api_url=app.api_url,
        github_url=_url(environment, "GITHUB_URL", _web_of(app.api_url)),
        database=database_of(environment),
        state_dir=_state_of(environment),
        public_url=environment.get("REVIEW_BOT_PUBLIC_URL", "").rstrip("/"),
        port=_port(environment.get("PORT", "8080")),
        clusters=operator.clusters,
        terraform=operator.terraform,
        remotes=operator.remotes,
        images=operator.images,
    )


def read_app(environment: Mapping[str, str]) -> AppSettings:
    """Who the App is and where GitHub is. Raises UsageError like `read`."""
    app_id = environment.get("GITHUB_APP_ID", "").strip()
    if not app_id:
        raise UsageError("GITHUB_APP_ID is not set", help="set it to the App ID that the App's settings show")
    return AppSettings(app_id, _private_key(environment), _url(environment, "GITHUB_API_URL", PUBLIC_API))


def _private_key(environment: Mapping[str, str]) -> str:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text, name = environment.get("GITHUB_PRIVATE_KEY", ""), environment.get("GITHUB_PRIVATE_KEY_FILE", "")
    variable = "GITHUB_PRIVATE_KEY" if text else "GITHUB_PRIVATE_KEY_FILE"
    if not text and not name:
        raise UsageError(
            "neither GITHUB_PRIVATE_KEY nor GITHUB_PRIVATE_KEY_FILE is set",
            help="generate a private key in the App's settings and name its file",
        )
    if not text:
        try:
            text = Path(name).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"GITHUB_PRIVATE_KEY_FILE: {name} can't be read", help="check path and rights") from error
    # Environment files often hold the key on one line.
    text = text.replace("\\n", "\n")
    try:
        load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{variable} holds no private key in PEM form", help="download a new one from GitHub"
        ) from error
    return text


def _url(environment: Mapping[str, str], name: str, default: str) -> str:
    value = environment.get(name, "").strip().rstrip("/") or default
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise UsageError(f"{name} is no address: {value!r}", help="write it as https://HOST, without user or query")
    return value


def api_and_web(environment: Mapping[str, str]) -> tuple[str, str]:
    """Where GitHub's API and its pages are. Raises UsageError."""
    api = _url(environment, "GITHUB_API_URL", PUBLIC_API)
    return api, _url(environment, "GITHUB_URL", _web_of(api))


def _web_of(api: str) -> str:
    """GitHub's web address from the API's: Enterprise serves the API below /api/v3."""
    return PUBLIC_URL if api == PUBLIC_API else api.removesuffix("/api/v3")


def database_of(environment: Mapping[str, str]) -> Path:
    """Where the service keeps what it knows. Raises UsageError."""
    url = environment.get("REVIEW_BOT_DATABASE_URL", "").strip()
    if not url:
        return _state_of(environment) / "review-bot.sqlite"
    if url.startswith("sqlite://"):
        path = url.removeprefix("sqlite://").removeprefix("/")
        if path:
            return Path(path)
    raise UsageError(
        "REVIEW_BOT_DATABASE_URL: this version keeps its state in SQLite only",
        help="write it as sqlite:///relative/path or sqlite:////absolute/path, or leave it out",
    )


def _state_of(environment: Mapping[str, str]) -> Path:
    own = environment.get("REVIEW_BOT_STATE_DIR")
    root = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/var/lib")) / ".local" / "state")
    return Path(own or f"{root}/review-bot")


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise UsageError(f"PORT is no port: {text!r}", help="write a number from 0 (any free one) to 65535")
    return int(text)
