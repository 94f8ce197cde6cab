"""From a Flux Kustomization to the target that it deploys."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence

from review_bot.core.closure import join, kustomize_reads
from review_bot.core.delivery import Surroundings, Told
from review_bot.core.errors import InputError
from review_bot.core.flux import substitution
from review_bot.core.flux.generation import Built, built, check_presence
from review_bot.core.flux.objects import BOOTSTRAP, Asking, Broken, Catalogue, held
from review_bot.core.flux.sources import Sources
from review_bot.core.flux.substitution import Variables
from review_bot.core.lenient import mapping, text
from review_bot.core.model import Delivery, Finding, RendererName, Target

TOOL = "flux"


def asking(told: Told) -> Asking:
    id = told.resource.id
    namespace = id.namespace or "default"
    return Asking(told, f"flux:{id.name}" if namespace == BOOTSTRAP else f"flux:{namespace}/{id.name}")


def target(told: Told, around: Surroundings, catalogue: Catalogue, sources: Sources) -> tuple[Target, list[Finding]]:
    """The target, without parts where its content is not seen, and what is to be said of it."""
    wanted = asking(told)
    spec, reference = wanted.spec, mapping(wanted.spec.get("sourceRef"))
    variables, findings = Variables({}), list[Finding]()
    parts: tuple[Target, ...] = ()
    path = held(text(spec.get("path")))
    unseen = {}
    try:
        variables, findings = substitution.variables(wanted, catalogue)
        root = sources.files(reference, wanted.namespace, told.resource.source)
        folder = posixpath.normpath(join(root.folder, path))
        part = _part(wanted.id, built(wanted, folder, root.ignoring, around), around)
        check_presence(part.reads or (), root.ignoring, around)
        parts = (part,)
        path = home(folder, around) or path
    except InputError as error:
        findings.append(wanted.told_of(error, ("spec", "path" if isinstance(error, Broken) else "sourceRef")))
        unseen = {"unseen": wanted.digest(error.message)}
    settings = {
        "commonMetadata": mapping(spec.get("commonMetadata")),
        "deletionPolicy": text(spec.get("deletionPolicy")),
        "sops": mapping(spec.get("decryption")).get("provider") == "sops",
        "substitute": variables.settings(),
        **unseen,
    }
    return Target(
        id=wanted.id,
        renderer=RendererName.KUSTOMIZE,
        path=path,
        entry=told.resource.source.path,
        reads=reads(parts, around),
        namespace=text(spec.get("targetNamespace")) or None,
        delivery=Delivery(
            tool=TOOL,
            object=told.resource.id,
            parent=told.target.id,
            source=told.resource.source,
            destination=destination(wanted),
            settings=json.dumps(settings, sort_keys=True),
            prune=spec.get("prune") is True,
            suspended=spec.get("suspend") is True,
        ),
        parts=parts,
    ), findings


def destination(asking: Asking) -> str | None:
    """The other cluster that the object names, None for its own."""
    for field in ("secretRef", "configMapRef"):
        name = text(mapping(mapping(asking.spec.get("kubeConfig")).get(field)).get("name"))
        if name:
            return f"the cluster of kubeConfig {asking.namespace}/{name}"
    return None


def home(folder: str, around: Surroundings) -> str | None:
    """The folder of the repository that this one is a copy of, itself if it is none; None for what lies elsewhere."""
    for path in around.files.below(folder):
        if not around.graft.is_made(path):
            return folder
        origin, inner = around.graft.copied_from(path), path if folder == "." else path[len(folder) :]
        if origin is not None and origin.endswith(inner):
            return origin.removesuffix(inner) or "."
    return None


def reads(parts: Sequence[Target], around: Surroundings) -> frozenset[str]:
    """What the parts read, and of what was copied for them the files that it was copied from."""
    found = frozenset[str]().union(*(part.reads or frozenset() for part in parts))
    return found | {origin for path in found if (origin := around.graft.copied_from(path)) is not None}


def _part(id: str, built: Built, around: Surroundings) -> Target:
    around.complete(built.folder, False)
    # With the file that was edited, though it is not read itself: what stands in it decides.
    closure = kustomize_reads(around.files, built.folder) | ({built.edited} if built.edited else frozenset())
    return Target(f"{id}/0", RendererName.KUSTOMIZE, built.folder, built.entry, closure, unrestricted=True)
