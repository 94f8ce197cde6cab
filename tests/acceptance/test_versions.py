"""What moves, as `review-bot check` tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import repositories
from repositories import DEPLOYMENT

BASE = {
    ".review-bot.yaml": "version: 1\ntargets: {assign: [{match: web, environment: production}]}\n",
    "web/deploy.yaml": DEPLOYMENT,
}
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: redis, namespace: data}
spec:
  interval: 1h
  chart: {spec: {chart: redis, version: 18.1.0, sourceRef: {kind: HelmRepository, name: bitnami}}}
  values: {image: {repository: bitnami/redis, tag: 7.2.1-debian-11-r0}}
"""
POLICY = """\
package main

deny_major contains sprintf("%s moves by a %s step", [v.name, v.step]) if {
	some v in data.review_bot.versions
	v.step in {"major", "downgrade"}
}
"""


def reviewed(root: Path, head: dict[str, str | None], base: dict[str, str] | None = None) -> dict[str, Any]:
    return repositories.check(repositories.make(root, base or BASE, head))[1]


def moved(verdict: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(v["kind"], v["name"], v["old"], v["new"], v["step"], v["environments"]) for v in verdict["versions"]]


def test_an_image_that_moves_is_a_row_and_a_line(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {"web/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")})
    _, verdict = repositories.check(root)
    assert moved(verdict) == [("image", "web", "1.4.2", "1.5.0", "minor", ["production"])]
    assert verdict["step"] == "minor"
    text = repositories.run("check", str(root), "--base", "main", "--head", "change").stdout
    assert "web 1.4.2 → 1.5.0 (minor) in production" in text
    markdown = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", "markdown").stdout
    assert "**web** 1.4.2 → 1.5.0 (minor) in production" in markdown


def test_charts_and_images_in_values_move_too(tmp_path: Path) -> None:
    head = RELEASE.replace("18.1.0", "19.0.0").replace("7.2.1", "7.2.0")
    verdict = reviewed(tmp_path, {"web/redis.yaml": head}, BASE | {"web/redis.yaml": RELEASE})
    assert [row[:5] for row in moved(verdict)] == [
        ("image", "redis", "7.2.1-debian-11-r0", "7.2.0-debian-11-r0", "downgrade"),
        ("chart", "redis", "18.1.0", "19.0.0", "major"),
    ]
    assert verdict["step"] == "downgrade"


def test_a_tag_without_a_digest_and_latest_are_flagged(tmp_path: Path) -> None:
    head = DEPLOYMENT.replace("web:1.4.2", "web:latest")
    (row,) = reviewed(tmp_path, {"web/deploy.yaml": head})["versions"]
    assert (row["step"], row["flags"]) == ("unknown", ["latest"])


def test_policies_see_what_moves(tmp_path: Path) -> None:
    head = {"web/deploy.yaml": DEPLOYMENT.replace("1.4.2", "2.0.0")}
    verdict = reviewed(tmp_path, head, BASE | {"policies/versions.rego": POLICY})
    assert [f["message"] for f in verdict["findings"]] == ["web moves by a major step"]


def test_the_table_shows_when_several_move(tmp_path: Path) -> None:
    second = DEPLOYMENT.replace("name: web", "name: api").replace("example.com/web", "example.com/api")
    base = BASE | {"web/api.yaml": second}
    head: dict[str, str | None] = {
        "web/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0"),
        "web/api.yaml": second.replace("1.4.2", "1.4.3-rc.1"),
    }
    root = repositories.make(tmp_path, base, head)
    markdown = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", "markdown").stdout
    assert "Versions: 2 moves, pre-release" in markdown
    assert "| pre-release · no digest · pre release | production |" in markdown.replace("`", "")


def test_a_secret_shows_no_version_whatever_its_keys_are_called(tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {image: hunter-one}\n"
    base = BASE | {"web/secret.yaml": secret}
    root = repositories.make(tmp_path, base, {"web/secret.yaml": secret.replace("one", "two")})
    _, verdict = repositories.check(root)
    assert verdict["versions"] == []
    for form in ("text", "json", "markdown"):
        said = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", form).stdout
        assert "hunter" not in said
