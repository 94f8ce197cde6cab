"""What Flux does to what it has built: decryption, substitution and common metadata, in this order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from review_bot.core.errors import InputError, RenderError
from review_bot.core.flux import secrecy, substitution
from review_bot.core.lenient import mapping
from review_bot.core.model import Finding, Manifest, Resource, Target
from review_bot.core.resources import identity
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
    resources = [_with(r, secrecy.decrypted(r.manifest)) if r in encrypted else r for r in resources]
    if settings.get("substitute"):
        try:
            resources = await asyncio.to_thread(_substituted, resources, settings["substitute"], with_)
        except _Refused as refused:
            return (), [refused.finding(target)]
    apart = [r for r in resources if _is_apart(r, settings)]
    resources = [r for r in resources if not _is_apart(r, settings)]
    try:
        for number, kustomization in enumerate(settings.get("postRenderers", ())):
            resources = await post_rendering.rendered(target, resources, kustomization, number, with_)
    except RenderError as error:
        return (), [failed(target, error.message, help=error.help)]
    resources = [_with(r, _labelled(r.manifest, settings.get("commonMetadata") or {})) for r in resources]
    return [*apart, *resources], ()


def _is_apart(resource: Resource, settings: Mapping[str, Any]) -> bool:
    """What of a chart no post-renderer sees: its crds/, and hooks where the release says so."""
    if "release" not in settings:
        return False
    path = f"/{resource.source.path}"
    annotations = mapping(resource.manifest, "metadata", "annotations")
    return path.rfind("/crds/") > path.rfind("/templates/") or (settings["withoutHooks"] and HOOK in annotations)


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


def _not_decrypted(target: Target, resource: Resource) -> Finding:
    found = failed(
        target,
        f"{resource.id.kind} {resource.id.name} is encrypted with SOPS, and nothing decrypts it",
        path=resource.source.path,
        line=resource.source.line,
        help="set spec.decryption.provider of the Kustomization to sops",
    )
    return replace(found, resource=resource.id)
