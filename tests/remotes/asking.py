"""Reviews of pods whose images lie in a registry that the operator lets the bot ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import repositories
from registries import Registry

from review_bot.core.tools import cache_dir

SOURCE = "org.opencontainers.image.source"
PODS = """\
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers:
    - name: web
      image: {image}
"""


def operator(root: Path, registry: Registry, images: str = "{}", more: str = "", rows: str = "") -> dict[str, str]:
    """An environment whose operator's file lets the bot ask below `/acme`, with a cache of its own.

    `more` stands in the registry's row, `rows` beside it.
    """
    cache = root / "xdg" / "review-bot"
    if not cache.is_dir():
        cache.mkdir(parents=True)
        (cache / "tools").symlink_to(cache_dir() / "tools")
    row = f"{{private: true, plain_http: true{more}}}"
    text = f"version: 1\nimages: {images}\nremotes:\n  {registry.host}/acme: {row}\n{rows}"
    (root / "operator.yaml").write_text(text)
    return {"REVIEW_BOT_CONFIG": str(root / "operator.yaml"), "XDG_CACHE_HOME": str(cache.parent)}


def verdict_on(root: Path, env: dict[str, str], *images: str) -> dict[str, Any]:
    """The verdict on new pods with these images, one a folder."""
    pods: dict[str, str | None] = {f"{n}/pod.yaml": PODS.format(image=image) for n, image in enumerate(images)}
    return repositories.check(repositories.make(root / "new", {"README.md": "x"}, pods), env=env)[1]


def reviewed(root: Path, registry: Registry, new: str, old: str = "", images: str = "{}") -> dict[str, Any]:
    """The verdict on a pod whose image becomes `new`, in which HOST stands for the registry."""
    old = old or f"{registry.host}/acme/web:1.4.2"
    base = {"web/pod.yaml": PODS.format(image=old)}
    head: dict[str, str | None] = {"web/pod.yaml": PODS.format(image=new.replace("HOST", registry.host))}
    made = repositories.make(root / "repository", base, head)
    return repositories.check(made, env=operator(root, registry, images))[1]


def about_images(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in verdict["findings"] if f["check"] == "images"]
