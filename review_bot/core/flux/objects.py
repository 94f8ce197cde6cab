"""Flux's objects among what is rendered: found by reference, and read without trusting their shape."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.core.delivery import Told
from review_bot.core.errors import InputError
from review_bot.core.flux.secrecy import from_base64
from review_bot.core.lenient import mapping
from review_bot.core.model import CheckName, FieldPath, Finding, Severity

KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
HELM = "helm.toolkit.fluxcd.io"
SOURCE = "source.toolkit.fluxcd.io"
EXTENSIONS = "source.extensions.fluxcd.io"
OPERATOR = "fluxcd.controlplane.io"
# Where `flux bootstrap` puts its own objects, and the name that it gives the repository itself.
BOOTSTRAP = "flux-system"
CORE = ""


class NotSeen(InputError):
    """Something that lies outside of what the bot can look at; the effect is not seen."""


class Broken(InputError):
    """Something that the controller would refuse, or could not do; `at` is the field that says so."""

    def __init__(self, message: str, *, help: str = "", at: FieldPath = ()) -> None:
        super().__init__(message, help=help)
        self.at = at


@dataclass(frozen=True)
class Asking:
    """An object that asks for a target, with the target's id: findings are about both."""

    told: Told
    id: str

    @property
    def spec(self) -> Mapping[str, Any]:
        return mapping(self.told.resource.manifest.get("spec"))

    @property
    def namespace(self) -> str:
        return self.told.resource.id.namespace or "default"

    @property
    def name(self) -> str:
        return self.told.resource.id.name

    @property
    def words(self) -> str:
        return f"{self.told.resource.id.kind} {self.namespace}/{self.name}"

    @property
    def folder(self) -> str:
        """The folder for what is generated for the object, which no other has."""
        kind = self.told.resource.id.kind.lower()
        return f".~flux/{kind}/{safe(self.namespace)}/{safe(self.name)}"

    @property
    def shadow(self) -> str:
        """The name of folders that are copied for the object."""
        return f"{safe(self.namespace)}.{safe(self.name)}"

    def digest(self, *more: Any) -> str:
        """Of all that it says, to tell that what is not seen may have changed."""
        text = json.dumps([self.spec, *more], sort_keys=True, default=str)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    def finding(self, rule: str, severity: Severity, message: str, at: FieldPath = (), help: str = "") -> Finding:
        place = self.told.resource.place(at)
        return Finding(
            check=CheckName.RENDER,
            rule=rule,
            severity=severity,
            message=f"{self.words}: {message}",
            target=self.id,
            resource=self.told.resource.id,
            path=place.path,
            line=place.line,
            help=help,
        )

    def told_of(self, error: InputError, at: FieldPath = ()) -> Finding:
        """What stopped it: what the controller would refuse is an error, what can't be looked at is not seen."""
        if isinstance(error, Broken):
            return self.finding("render-failed", Severity.ERROR, error.message, error.at or at, error.help)
        return self.finding("not-seen", Severity.WARNING, f"its effect is not seen: {error.message}", at, error.help)


class Catalogue:
    """The rendered objects of one cluster by what references name: group, kind, namespace and name.

    Where one stands in several outputs that of a Kustomization counts, since its parent may have patched it; the one in
    its own output does not.
    """

    def __init__(self, objects: Sequence[Told]) -> None:
        self._known: dict[tuple[str, str, str, str], Told] = {}
        # The names of ConfigMaps and Secrets that were asked for and are not there.
        self.missing: set[str] = set()
        for told in objects:
            id = told.resource.id
            key = (id.group, id.kind, id.namespace or "default", id.name)
            known = self._known.get(key)
            if known is None or (_weight(told), told.target.id) > (_weight(known), known.target.id):
                self._known[key] = told

    def get(self, group: str, kind: str, namespace: str, name: str) -> Told | None:
        return self._known.get((group, kind, namespace, name))

    def of(self, group: str, kind: str) -> Iterator[Told]:
        """All of a kind, ordered by namespace and name."""
        for key in sorted(key for key in self._known if key[:2] == (group, kind)):
            yield self._known[key]

    def texts(self, kind: str, namespace: str, name: str) -> dict[str, str] | None:
        """The values of a ConfigMap or Secret, None if there is none. A Secret's are decoded."""
        told = self.get(CORE, kind, namespace, name)
        if told is None:
            self.missing.add(name)
            return None
        manifest = told.resource.manifest
        found = {str(k): str(v) for k, v in mapping(manifest.get("data")).items()}
        if kind == "Secret":
            found = {k: from_base64(v) for k, v in found.items()}
            found |= {str(k): str(v) for k, v in mapping(manifest.get("stringData")).items()}
        return found


def _weight(told: Told) -> int:
    delivery = told.target.delivery
    if delivery is None:
        return 1
    return 0 if delivery.object == told.resource.id else 2


def held(path: str) -> str:
    """A path as Flux joins it to a source's root: none leads out of it, `../x` is `x`."""
    return posixpath.normpath(f"/{path}").lstrip("/") or "."


def words(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def safe(name: str) -> str:
    """The name as a part of a path: what is no name of Kubernetes' gets a digest, so that no two become one."""
    if re.fullmatch(r"[a-z0-9]([-.a-z0-9]{0,100}[a-z0-9])?", name) and ".." not in name:
        return name
    mark = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "x") + f"-{mark}"
