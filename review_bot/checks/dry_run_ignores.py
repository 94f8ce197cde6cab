"""Find what delivery tools are told not to look at: the Applications that the base branch holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from review_bot.core.errors import YamlError
from review_bot.core.ignores import IgnoreRule, rules_of, sources_of
from review_bot.core.model import Manifest, Target, Tree
from review_bot.core.yaml_reader import parse

WORD = b"ignoreDifferences"
GROUP = "argoproj.io/"


def ignores(tree: Tree, targets: Iterable[Target]) -> Mapping[str, tuple[IgnoreRule, ...]]:
    """The rules for each target, by its id. An Application that only a chart would render is not seen."""
    by_folder: dict[str, list[IgnoreRule]] = defaultdict(list)
    for manifest in _applications(tree):
        for folder in sources_of(manifest):
            by_folder[folder] += rules_of(manifest)
    return {t.id: tuple(by_folder[t.path]) for t in targets if t.path in by_folder}


def _applications(tree: Tree) -> Iterable[Manifest]:
    names = [path for path in tree.entries() if path.endswith((".yaml", ".yml"))]
    for path, data in tree.read_many(names).items():
        if WORD not in data:
            continue
        try:
            documents = parse(data, path=path)
        except YamlError:
            continue  # a file that can't be read ignores nothing; its own target says why
        for document in documents:
            manifest = document.value
            if isinstance(manifest, dict) and str(manifest.get("apiVersion", "")).startswith(GROUP):
                if manifest.get("kind") == "Application":
                    yield manifest
