"""The operator's file (REVIEW_BOT_CONFIG): which clusters the bot may ask, and what it may run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from review_bot.core.clusters import Clusters, ClusterSettings, Pace
from review_bot.core.errors import UsageError
from review_bot.core.model import Severity
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.core.settings_file import line_of, read
from review_bot.core.terraform.settings import Run, TerraformTool
from review_bot.core.yaml_reader import Document

VARIABLE = "REVIEW_BOT_CONFIG"
HELP = "docs/clusters.md shows every key"
WEIGHT = {"block": Severity.ERROR, "warn": Severity.WARNING}


def from_environment(environment: Mapping[str, str]) -> Clusters | None:
    """The clusters of the operator's file, None if there is no file or it names none. Raises UsageError."""
    found = _file(environment)
    return parse_clusters(found[1], path=found[0]) if found else None


def terraform_from_environment(environment: Mapping[str, str]) -> TerraformTool | None:
    """What the operator's file lets the bot do with Terraform, None for nothing. Raises UsageError."""
    found = _file(environment)
    return parse_terraform(found[1], path=found[0]) if found else None


def remotes_from_environment(environment: Mapping[str, str]) -> RemoteHosts | None:
    """The hosts of the operator's file that may be fetched from, None for none. Raises UsageError."""
    found = _file(environment)
    return parse_remotes(found[1], environment, path=found[0]) if found else None


def parse_remotes(text: bytes, environment: Mapping[str, str], *, path: str) -> RemoteHosts | None:
    """The part `remotes` of an operator's file. Raises UsageError also for a variable that is not set."""
    document = read(text, path=path, schema=schema(), help=HELP)
    rows = document.value.get("remotes") or {}
    found = {}
    for place, row in rows.items():
        given = row or {}
        secrets = {}
        for key in ("username", "password"):
            name = given.get(f"{key}_env")
            if name is not None and not environment.get(name):
                line = line_of(document, ("remotes", place, f"{key}_env"))
                wrong = f"remotes.{place}.{key}_env: the variable {name} is not set"
                raise UsageError(wrong, path=path, line=line, help="docs/remotes.md")
            secrets[key] = environment[name] if name is not None else ""
        found[place] = RemoteHost(
            place, given.get("private", False), plain_http=given.get("plain_http", False), **secrets
        )
    return RemoteHosts.of(found) if found else None


def parse_clusters(text: bytes, *, path: str) -> Clusters | None:
    """The clusters of an operator's file. Raises UsageError with path, line and what was expected."""
    document = read(text, path=path, schema=schema(), help=HELP)
    found = document.value.get("clusters") or {}
    if not found:
        return None
    _check_hubs(document, path)
    pace = Pace(**document.value.get("pace_seconds") or {})
    return Clusters({name: _settings(name, row, Path(path).parent) for name, row in found.items()}, pace=pace)


def parse_terraform(text: bytes, *, path: str) -> TerraformTool | None:
    """The part `terraform` of an operator's file. Raises UsageError also for a program or folder that is not there."""
    row = read(text, path=path, schema=schema(), help=HELP).value.get("terraform")
    if row is None:
        return None
    folder = Path(path).parent
    paths = {key: folder / Path(row[key]).expanduser() for key in ("binary", "plugin_dir") if key in row}
    for key, place in paths.items():
        if not (place.is_file() if key == "binary" else place.is_dir()):
            kind = "file" if key == "binary" else "folder"
            raise UsageError(f"terraform.{key}: there is no {kind} {place}", path=path, help="docs/terraform.md")
    resolved = {key: place.resolve() for key, place in paths.items()}
    return TerraformTool(Run(row["run"]), resolved.get("binary"), resolved.get("plugin_dir"))


def _file(environment: Mapping[str, str]) -> tuple[str, bytes] | None:
    """The operator's file by its name and with its content."""
    name = environment.get(VARIABLE)
    if not name:
        return None
    try:
        return name, Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{VARIABLE}: {name} can't be read: {error.strerror}", help=HELP) from error


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
    given = {k: v for k, v in row.items() if k not in ("kubeconfig", "unreachable")}
    return ClusterSettings(
        name,
        kubeconfig=folder / Path(row["kubeconfig"]).expanduser() if "kubeconfig" in row else None,
        unreachable=WEIGHT[row.get("unreachable", "block")],
        **given,
    )
