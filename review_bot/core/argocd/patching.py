"""templatePatch of ApplicationSets: a strategic merge patch over each generated Application."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from review_bot.core.argocd import values
from review_bot.core.argocd.problems import Trouble
from review_bot.core.errors import YamlError
from review_bot.core.model import FieldPath
from review_bot.core.yaml_reader import load_first

PATCH: FieldPath = ("spec", "templatePatch")
# Of an Application's lists only this one is merged; all others are replaced.
MERGED_LIST = "finalizers"
_HELP = "write the fields themselves, or $patch: replace or delete"


def patched(application: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The Application with the patch, which can change all but the project. Raises Trouble."""
    patch = _patch(text)
    result = strategic(application, {k: patch[k] for k in ("metadata", "spec") if k in patch})
    metadata = values.mapping(result.get("metadata"), "templatePatch.metadata", PATCH)
    spec = values.mapping(result.get("spec"), "templatePatch.spec", PATCH)
    values.texts(metadata.get(MERGED_LIST), "templatePatch.metadata.finalizers", PATCH)
    project = {k: v for k, v in application["spec"].items() if k == "project"}
    return {"metadata": dict(metadata), "spec": {k: v for k, v in spec.items() if k != "project"} | project}


def strategic(value: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A strategic merge patch: null deletes, lists are replaced apart from finalizers, `$patch` is obeyed."""
    directive = patch.get("$patch", "merge")
    if directive == "delete":
        return {}
    if directive not in ("merge", "replace"):
        raise Trouble(f"$patch: {directive} is not known", at=PATCH, rule="template", help=_HELP)
    result = dict(value) if directive == "merge" else {}
    for key, change in patch.items():
        if key.startswith("$"):
            if key not in ("$patch", f"$deleteFromPrimitiveList/{MERGED_LIST}"):
                raise Trouble(f"the directive {key} is not understood", at=PATCH, rule="template", help=_HELP)
        elif change is None:
            result.pop(key, None)
        else:
            result[key] = _changed(key, result.get(key), change)
    removed = values.texts(patch.get(f"$deleteFromPrimitiveList/{MERGED_LIST}"), "the directive", PATCH)
    if removed and isinstance(result.get(MERGED_LIST), list):
        result[MERGED_LIST] = [item for item in result[MERGED_LIST] if item not in removed]
    return result


def _changed(key: str, old: Any, change: Any) -> Any:
    if isinstance(change, dict):
        return strategic(old if isinstance(old, dict) else {}, change)
    if key == MERGED_LIST and isinstance(change, list) and isinstance(old, list):
        return list(dict.fromkeys([*values.texts(change, f"templatePatch: {key}", PATCH), *old]))
    return change


@lru_cache(maxsize=1024)
def _patch(text: str) -> Mapping[str, Any]:
    try:
        value = load_first(text.encode(), path="templatePatch")
    except YamlError as error:
        raise Trouble(f"templatePatch is not YAML: {error.message}", at=PATCH, rule="template") from error
    return values.mapping(value, "templatePatch", PATCH)
