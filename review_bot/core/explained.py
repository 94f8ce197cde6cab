"""A target in words: what it was found by, what it reads, where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from review_bot.core.closure import folder_of
from review_bot.core.model import Delivery, RendererName, Target

MOST_FOLDERS = 4


def found_by(target: Target) -> str:
    """The object or the file that makes it a target."""
    told = target.delivery
    if told is None:
        return target.entry
    place = f"{told.source.path}:{told.source.line}" if told.source.line else told.source.path
    return f"{told.object.kind} {told.object.name} in {place}"


def reads(target: Target, there: Collection[str]) -> str:
    """The files that decide about it, by folder, of those that are `there`."""
    if target.delivery is not None and not target.parts and not target.reads:
        return "nothing here: what it deploys lies elsewhere, or is not seen"
    if target.reads is None:
        return "every file: which ones can't be told"
    folders = Counter(folder_of(path) for path in target.reads if path in there)
    if not folders:
        return "no file of its own"
    most = sorted(folders, key=lambda folder: (-folders[folder], folder))
    shown = most if len(most) == MOST_FOLDERS + 1 else most[:MOST_FOLDERS]
    named = ", ".join(f"{folder} ({folders[folder]})" for folder in sorted(shown))
    more = f" and {len(most) - len(shown)} more folders" if len(most) > len(shown) else ""
    total = folders.total()
    return f"{total} file{'s' if total > 1 else ''}: {named}{more}"


def goes_to(target: Target) -> str:
    """The place where its objects end up, as far as anything says."""
    if target.renderer is RendererName.TERRAFORM:
        return "what its state describes" + (f", environment {target.environment}" if target.environment else "")
    told = target.delivery
    places = [told.destination] if told is not None and told.destination else []
    places += [f"cluster {target.cluster}"] if target.cluster else []
    places += [f"environment {target.environment}"] if target.environment else []
    if told is not None and not places:
        # Without another destination a tool deploys to where its object stands.
        realm = target.id.partition("@")[2]
        places = [f"the cluster of {realm}" if realm else f"where {told.parent} goes"]
    if target.namespace and not (told is not None and told.destination):
        places.append(f"namespace {target.namespace}")
    return ", ".join([*(places or ["a cluster that nothing names (targets.assign can)"]), *_limits(told)])


def _limits(told: Delivery | None) -> list[str]:
    if told is None:
        return []
    stays = [] if told.prune else ["what goes from git stays there"]
    return ["suspended: nothing rolls out"] if told.suspended else stays
