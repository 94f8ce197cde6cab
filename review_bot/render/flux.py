"""What Flux does to what it has built: decryption, substitution and common metadata, in this order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from review_bot.core.errors import InputError, RenderError, YamlError
from review_bot.core.flux import secrecy, substitution
from review_bot.core.lenient import at, mapping
from review_bot.core.model import CheckName, Finding, Manifest, Resource, Severity, Target
from review_bot.core.resources import identity
from review_bot.core.yaml_reader import parse
from review_bot.render import post_rendering
from review_bot.render.finishing import Finishing
from review_bot.render.problems import failed

HOOK = "helm.sh/hook"
Finished = tuple[Sequence[Resource], Sequence[Finding]]


async def finish(target: Target, resources: Sequence[Resource], with_: Finishing) -> Finished:
    """The objects as they get to the cluster. What Flux would refuse is an error, and then there are none."""
    settings = json.loads(target.delivery.settings) if target.delivery else {}
    encrypted = [r for r in resources if secrecy.is_encrypted(r.manifest)]
    if encrypted and "sops" in settings and not settings["sops"]:
        return (), [_not_decrypted(target, r) for r in encrypted]
    resources = [_with(r, secrecy.opened(r.manifest, decrypts=bool(settings.get("sops")))) for r in resources]
    told = [_still_encrypted(target, r) for r in resources if secrecy.holds_ciphertext(r.manifest)]
    resources = [_with(r, secrecy.without_ciphertext(r.manifest)) for r in resources]
    if settings.get("substitute"):
        try:
            resources = await asyncio.to_thread(_substituted, resources, settings["substitute"], with_)
        except _Refused as refused:
            return (), [refused.finding(target)]
    unseen = _seen_by_no_renderer(target, settings, with_)
    apart = [r for r in resources if unseen(r)]
    resources = [r for r in resources if not unseen(r)]
    try:
        for number, kustomization in enumerate(settings.get("postRenderers", ())):
            resources = await post_rendering.rendered(target, resources, kustomization, number, with_)
    except RenderError as error:
        return (), [failed(target, error.message, help=error.help)]
    resources = [_with(r, _labelled(r.manifest, settings.get("commonMetadata") or {})) for r in resources]
    return [*apart, *resources], told


def _seen_by_no_renderer(target: Target, settings: Mapping[str, Any], with_: Finishing) -> Callable[[Resource], bool]:
    """What of a chart no post-renderer sees: the definitions in its crds/, and hooks where the release says so."""
    if "release" not in settings or not (settings["postRenderers"] or settings["commonMetadata"]):
        return lambda _: False
    paths = [p for part in target.parts for p in part.reads or () if p.rfind("/crds/") > p.rfind("/templates/")]
    definitions = {name for path, data in with_.side.tree.read_many(paths).items() for name in _names(data, path)}

    def unseen(resource: Resource) -> bool:
        hook = HOOK in mapping(resource.manifest, "metadata", "annotations")
        is_definition = resource.id.kind == "CustomResourceDefinition" and resource.id.name in definitions
        return is_definition or (hook and settings["withoutHooks"])

    return unseen


def _names(data: bytes, path: str) -> list[str]:
    try:
        return [str(at(document.value, "metadata", "name")) for document in parse(data, path=path, strict=False)]
    except YamlError:
        return []


class _Refused(Exception):
    def __init__(self, resource: Resource, cause: str) -> None:
        super().__init__(cause)
        self.resource = resource

    def finding(self, target: Target) -> Finding:
        id, source = self.resource.id, self.resource.source
        found = failed(
            target,
            f"the variables in {id.kind} {id.name} can't be substituted: {self}",
            path=source.path,
            line=source.line,
            help="Flux knows ${name}, ${name:-default} and ${name:=default}; $${name} stays as it is",
        )
        return replace(found, resource=id)


def _substituted(resources: Sequence[Resource], settings: Mapping[str, Any], with_: Finishing) -> list[Resource]:
    wanted = [not substitution.disabled(r.manifest) and _has_variables(r.manifest) for r in resources]
    chosen = [index for index, is_wanted in enumerate(wanted) if is_wanted]
    manifests = [dict(resources[n].manifest) for n in chosen]
    values = dict(settings["values"])
    if settings["partly"]:
        values = {name: f"${{{name}}}" for m in manifests for name in substitution.named(m)} | values
    try:
        results = with_.templating.substitute(manifests, values)
    except InputError as error:
        number, _, cause = error.message.partition(": ")
        if not number.isdigit():
            raise _Refused(resources[chosen[0]] if chosen else resources[0], error.message) from error
        raise _Refused(resources[chosen[int(number)]], cause) from error
    found = list(resources)
    for index, manifest in zip(chosen, results, strict=True):
        if not isinstance(manifest, dict) or identity(manifest) is None:
            raise _Refused(resources[index], "what comes out is no object")
        found[index] = _with(resources[index], manifest)
    return found


def _has_variables(manifest: Manifest) -> bool:
    # `$${v}` has to lose its first sign too.
    return "$" in json.dumps(manifest)


def _labelled(manifest: Manifest, common: Mapping[str, Any]) -> Manifest:
    """The object with the common labels and annotations, which win over its own."""
    if not any(common.values()):
        return manifest
    metadata = dict(manifest.get("metadata") or {})
    for field in ("labels", "annotations"):
        if common.get(field):
            metadata[field] = {**(metadata.get(field) or {}), **common[field]}
    return {**manifest, "metadata": metadata}


def _with(resource: Resource, manifest: Manifest) -> Resource:
    if manifest is resource.manifest:
        return resource
    return replace(resource, manifest=manifest, id=identity(manifest) or resource.id)


def _still_encrypted(target: Target, resource: Resource) -> Finding:
    id, source = resource.id, resource.source
    return Finding(
        CheckName.RENDER,
        "still-encrypted",
        Severity.WARNING,
        f"{id.kind} {id.name} holds what SOPS encrypted, and Flux decrypts it in Secrets only: the cluster gets it so",
        target=target.id,
        resource=id,
        path=source.path,
        line=source.line,
        help="make a Secret of it, with a secretGenerator for files",
    )


def _not_decrypted(target: Target, resource: Resource) -> Finding:
    found = failed(
        target,
        f"{resource.id.kind} {resource.id.name} is encrypted with SOPS, and nothing decrypts it",
        path=resource.source.path,
        line=resource.source.line,
        help="set spec.decryption.provider of the Kustomization to sops",
    )
    return replace(found, resource=resource.id)
