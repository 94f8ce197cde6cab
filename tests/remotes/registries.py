"""A real container registry (CNCF Distribution) on this machine, and images that are pushed to it by its own API."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tokens import TokenService

from review_bot.core.tools import tool_path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
USER, PASSWORD = "puller", "open-sesame"
# bcrypt of the password, as `htpasswd -B` writes it.
_REQUEST = re.compile(r'"([A-Z]+ /v2/\S*) HTTP')
HTPASSWD = "puller:$2b$05$FYrA4ejGLtjQjA7/aEWCEedrHrLbKRXm/iC5QR7NUc2Ao4GhlxJnO\n"


@dataclass(frozen=True)
class Registry:
    """`host` is where it listens; `log` what it wrote of each request."""

    host: str
    log: Path
    password: str = ""
    tokens: TokenService | None = None

    def push(
        self,
        name: str,
        tag: str,
        platforms: Sequence[str] = ("linux/amd64",),
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> str:
        """An image, or an index of images where there are several platforms; its digest."""
        made = [self._image(name, platform, labels or {}) for platform in platforms]
        if len(made) == 1 and not annotations:
            return self._put(name, tag, MANIFEST, made[0])
        attested = {"platform": {"os": "unknown", "architecture": "unknown"}}
        rows = [self._row(name, image, _platform(p)) for image, p in zip(made, platforms, strict=True)]
        rows.append(self._row(name, self._image(name, "unknown/unknown", {}), attested["platform"]))
        index: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": rows}
        return self._put(name, tag, INDEX, index | ({"annotations": annotations} if annotations else {}))

    def index(self, name: str, tag: str, rows: Sequence[Mapping[str, Any]]) -> str:
        """An index with these rows, whatever they are; its digest."""
        return self._put(name, tag, INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(rows)})

    def delete(self, name: str, digest: str) -> None:
        self._ask("DELETE", f"/v2/{name}/manifests/{digest}", b"")

    def artifact(self, name: str, tag: str, media_type: str, layer: bytes) -> str:
        """An artifact with one layer, such as `flux push artifact` makes; its digest."""
        config = self._blob(name, b"{}")
        content = self._blob(name, layer)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.cncf.flux.config.v1+json", "digest": config, "size": 2},
            "layers": [{"mediaType": media_type, "digest": content, "size": len(layer)}],
        }
        return self._put(name, tag, MANIFEST, manifest)

    @property
    def asked(self) -> list[str]:
        """What the bot has asked for: `HEAD /v2/…`."""
        lines = [line for line in self.log.read_text().splitlines() if "review-bot" in line]
        return [found[1] for line in lines if (found := _REQUEST.search(line))]

    def _image(self, name: str, platform: str, labels: Mapping[str, str]) -> dict[str, Any]:
        about = {
            **_platform(platform),
            "config": {"Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        data = json.dumps(about).encode()
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": self._blob(name, data)}
        return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config | {"size": len(data)}, "layers": []}

    def _row(self, name: str, image: Mapping[str, Any], platform: Mapping[str, str]) -> dict[str, Any]:
        data = json.dumps(image).encode()
        digest = self._put(name, _digest(data), MANIFEST, image)
        return {"mediaType": MANIFEST, "digest": digest, "size": len(data), "platform": dict(platform)}

    def _blob(self, name: str, data: bytes) -> str:
        digest = _digest(data)
        place = self._ask("POST", f"/v2/{name}/blobs/uploads/", b"").headers["Location"]
        path = place.partition(self.host)[2] or place
        self._ask("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", data, "application/octet-stream")
        return digest

    def _put(self, name: str, reference: str, media_type: str, manifest: Mapping[str, Any]) -> str:
        data = json.dumps(manifest).encode()
        self._ask("PUT", f"/v2/{name}/manifests/{reference}", data, media_type)
        return _digest(data)

    def _ask(self, method: str, path: str, data: bytes, media_type: str = "") -> Any:
        request = urllib.request.Request(f"http://{self.host}{path}", data=data, method=method)
        if media_type:
            request.add_header("Content-Type", media_type)
        if self.password:
            pair = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        if self.tokens:
            name = path.removeprefix("/v2/").partition("/manifests/")[0].partition("/blobs/")[0]
            request.add_header("Authorization", f"Bearer {self.tokens.token(name, 'pull', 'push', 'delete')}")
        return urllib.request.urlopen(request, timeout=20)


@contextmanager
def running(folder: Path, *, password: bool = False, tokens: TokenService | None = None) -> Iterator[Registry]:
    """A registry that keeps everything below `folder`.

    With `password` it lets in only who knows it, with `tokens` who has a token of that service.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": {"addr": host},
    }
    if password:
        (folder / "htpasswd").write_text(HTPASSWD)
        settings["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    if tokens:
        settings["auth"] = tokens.settings(folder)
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    with (folder / "log").open("wb") as log:
        command = [str(tool_path("registry")), "serve", str(folder / "config.yaml")]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(host)
            yield Registry(host, folder / "log", PASSWORD if password else "", tokens)
        finally:
            process.kill()
            process.wait()


def _wait(host: str) -> None:
    for _ in range(400):
        try:
            urllib.request.urlopen(f"http://{host}/v2/", timeout=5)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the registry does not come up")


def _platform(text: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
