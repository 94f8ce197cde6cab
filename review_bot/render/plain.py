"""Folders of plain YAML: every manifest of the folder, not of folders below."""

from __future__ import annotations

import re

from review_bot.core.discovery import looks_like_a_manifest
from review_bot.core.errors import YamlError
from review_bot.core.model import CheckName, Finding, Rendered, Resource, Severity, Target, Tree
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse
from review_bot.render.problems import failed

# Where this stands in a file that is no YAML, a manifest was cut short: to leave it out would be to delete it.
_HALF = re.compile(rb"^apiVersion:", re.M)


async def render(target: Target, tree: Tree) -> Rendered:
    """Parse what lies there; YAML that is no manifest at all (values, settings) is left out."""
    resources: list[Resource] = []
    findings: list[Finding] = []
    for path, data in sorted(tree.read_many(sorted(target.reads or ())).items()):
        whole = looks_like_a_manifest(data)
        if not whole and not _HALF.search(data):
            continue
        try:
            documents = parse(data, path=path)
            if not whole:
                continue
            found, problems = from_documents(documents, path=path)
        except YamlError as error:
            findings.append(failed(target, f"{path}: {error.message}", path=path, line=error.line, help=error.help))
            continue
        resources += found
        findings += [failed(target, p.message, path=p.path, line=p.line, help=p.help, rule=p.rule) for p in problems]
    return Rendered(target, tuple(resources), (*findings, *_doubled(target, resources)))


def _doubled(target: Target, resources: list[Resource]) -> list[Finding]:
    seen: dict[tuple[str, str, str | None, str], Resource] = {}
    findings = []
    for resource in resources:
        id = resource.id
        first = seen.setdefault((id.group, id.kind, id.namespace, id.name), resource)
        if first is not resource:
            findings.append(
                Finding(
                    check=CheckName.RENDER,
                    rule="defined-twice",
                    severity=Severity.WARNING,
                    message=f"{id.kind} {id.name} is also defined in {first.source.path}:{first.source.line}; "
                    "which one is applied last is left to chance",
                    target=target.id,
                    resource=id,
                    path=resource.source.path,
                    line=resource.source.line,
                    help="keep one of them",
                )
            )
    return findings
