"""The operator's file (REVIEW_BOT_CONFIG): which clusters the bot may ask, and what it may run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from review_bot.core.errors import UsageError
from review_bot.core.model import Severity
from review_bot.core.settings_file import line_of, read
from review_bot.core.yaml_reader import Document

if TYPE_CHECKING:
    from review_bot.core.clusters import Clusters, ClusterSettings
    from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
    from review_bot.core.terraform.settings import TerraformTool
    from review_bot.core.versions.registries import ImageSettings

VARIABLE = "REVIEW_BOT_CONFIG"
HELP = "docs/clusters.md shows every key"
NOTHING = Document({}, 1, {})
WEIGHT = {"block": Severity.ERROR, "warn": Severity.WARNING}


class OperatorFile:
    """The operator's file, read and validated once. Each part raises UsageError with the line of what is wrong."""

    def __init__(self, text: bytes | None, environment: Mapping[str, str], *, path: str) -> None:
        """No text allows nothing. `environment` holds the passwords that the file names, `path` is where it lies."""
        self._document = read(text, path=path, schema=schema(), help=HELP) if text is not None else NOTHING
        self._environment, self._path = environment, path

    @cached_property
    def clusters(self) -> Clusters | None:
        """The clusters that may be asked, None for none."""
        found = self._document.value.get("clusters") or {}
        if not found:
            return None
        from review_bot.core.clusters import Clusters, Pace

        _check_hubs(self._document, self._path)
        pace = Pace(**self._document.value.get("pace_seconds") or {})
        folder = Path(self._path).parent
        return Clusters({name: _settings(name, row, folder) for name, row in found.items()}, pace=pace)

    @cached_property
    def terraform(self) -> TerraformTool | None:
        """What may be run of Terraform, None for nothing. A program or folder that is not there is an error."""
        row = self._document.value.get("terraform")
        if row is None:
            return None
        from review_bot.core.terraform.settings import Run, TerraformTool

        folder = Path(self._path).parent
        paths = {key: folder / Path(row[key]).expanduser() for key in ("binary", "plugin_dir") if key in row}
        for key, place in paths.items():
            if not (place.is_file() if key == "binary" else place.is_dir()):
                kind = "file" if key == "binary" else "folder"
                wrong = f"terraform.{key}: there is no {kind} {place}"
                raise UsageError(wrong, path=self._path, help="docs/terraform.md")
        resolved = {key: place.resolve() for key, place in paths.items()}
        return TerraformTool(Run(row["run"]), resolved.get("binary"), resolved.get("plugin_dir"))

    @cached_property
    def remotes(self) -> RemoteHosts | None:
        """The hosts that may be fetched from, None for none. A variable that is not set is an error."""
        rows = self._document.value.get("remotes") or {}
        if not rows:
            return None
        from review_bot.core.remote_hosts import RemoteHosts

        return RemoteHosts.of({place: self._remote(place, row or {}) for place, row in rows.items()})

    @cached_property
    def images(self) -> ImageSettings | None:
        """What registries are asked about images, None for nothing."""
        row = self._document.value.get("images")
        if row is None:
            return None
        from review_bot.core.versions.platforms import parse
        from review_bot.core.versions.registries import ImageSettings

        platforms = tuple(parse(text) for text in row.get("platforms", ()))
        return ImageSettings(platforms, WEIGHT[row.get("unreachable", "warn")])

    def _remote(self, place: str, row: Mapping[str, Any]) -> RemoteHost:
        from review_bot.core.remote_hosts import RemoteHost

        given: dict[str, Any] = {key: row[key] for key in ("private", "plain_http", "token_host") if key in row}
        for key in ("username", "password"):
            name = row.get(f"{key}_env")
            if name is not None and not self._environment.get(name):
                line = line_of(self._document, ("remotes", place, f"{key}_env"))
                wrong = f"remotes.{place}.{key}_env: the variable {name} is not set"
                raise UsageError(wrong, path=self._path, line=line, help="docs/remotes.md")
            given[key] = self._environment[name] if name is not None else ""
        return RemoteHost(place, **given)


def operator_file(environment: Mapping[str, str]) -> OperatorFile:
    """The file that REVIEW_BOT_CONFIG names; one that allows nothing where it names none. Raises UsageError."""
    name = environment.get(VARIABLE)
    if not name:
        return OperatorFile(None, environment, path=VARIABLE)
    try:
        text = Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{VARIABLE}: {name} can't be read: {error.strerror}", help=HELP) from error
    return OperatorFile(text, environment, path=name)


def _check_hubs(document: Document, path: str) -> None:
    """A hub is a cluster of the file that is its own."""
    rows = document.value["clusters"]
    for name, row in rows.items():
        hub = row.get("hub")
        if hub is not None and (hub not in rows or rows[hub].get("hub") is not None):
            wrong = "has a hub itself" if hub in rows else "is no cluster of this file"
            line = line_of(document, ("clusters", name, "hub"))
            raise UsageError(f"clusters.{name}.hub: {hub} {wrong}", path=path, line=line, help=HELP)


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The published JSON Schema."""
    text = resources.files("review_bot.cluster").joinpath("operator.schema.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _settings(name: str, row: Mapping[str, Any], folder: Path) -> ClusterSettings:
    from review_bot.core.clusters import ClusterSettings

    given = {k: v for k, v in row.items() if k not in ("kubeconfig", "unreachable")}
    return ClusterSettings(
        name,
        kubeconfig=folder / Path(row["kubeconfig"]).expanduser() if "kubeconfig" in row else None,
        unreachable=WEIGHT[row.get("unreachable", "block")],
        **given,
    )
