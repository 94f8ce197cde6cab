"""jx-requirements.yml: which environment a namespace of config-root/ is, and which cluster it goes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from review_bot.core.configuration import Assignment, Config
from review_bot.core.jenkins_x.layout import OUTPUT, REQUIREMENTS
from review_bot.core.lenient import mapping, text
from review_bot.core.model import Tree
from review_bot.core.yaml_reader import load


def with_environments(config: Config, tree: Tree) -> Config:
    """The configuration with rows for config-root/ behind its own. Raises YamlError if the requirements can't be read.

    `tree` is the base's, as for all configuration: a pull request does not say of itself what is production.
    """
    data = tree.read(REQUIREMENTS) if REQUIREMENTS in tree.entries() else None
    rows = _rows(load(data, path=REQUIREMENTS)) if data else ()
    return replace(config, assign=(*config.assign, *rows)) if rows else config


def _rows(value: Any) -> tuple[Assignment, ...]:
    content = mapping(value)
    spec = mapping(content.get("spec")) or content
    cluster = text(mapping(spec.get("cluster")).get("clusterName")) or None
    listed = spec.get("environments")
    rows = []
    for environment in listed if isinstance(listed, list) else ():
        environment = mapping(environment)
        key = text(environment.get("key"))
        # A remote one has a repository of its own.
        if key and environment.get("remoteCluster") is not True:
            namespace = text(environment.get("namespace")) or ("jx" if key == "dev" else f"jx-{key}")
            rows.append(Assignment(f"{OUTPUT}/namespaces/{namespace}/**", cluster, key))
    return (*rows, Assignment(f"{OUTPUT}/**", cluster)) if rows or cluster else ()
