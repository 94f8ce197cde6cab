"""Tekton objects for tests, and what is said of them."""

from __future__ import annotations

from review_bot.core.model import Finding, Resource
from review_bot.core.resources import from_documents
from review_bot.core.tekton import Catalogue, judge
from review_bot.core.yaml_reader import parse

BUILD = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: build}
spec:
  params:
    - {name: image}
    - {name: flags, type: array, default: []}
    - {name: repo, type: object, properties: {url: {type: string}, ref: {type: string}}, default: {url: "", ref: main}}
    - {name: level, default: info}
  workspaces:
    - {name: source}
    - {name: cache, optional: true}
  results:
    - {name: digest}
  steps:
    - name: build
      image: example.com/build:1
      script: echo $(params.image) > $(results.digest.path)
"""


def resources(text: str) -> list[Resource]:
    found, problems = from_documents(parse(text.encode(), path="ci/all.yaml"), path="ci/all.yaml")
    assert not problems
    return list(found)


def said(text: str, *others: str) -> list[Finding]:
    """What is said of the objects of a text, the others being there too."""
    own = resources(text)
    catalogue = Catalogue(("plain:ci", r) for r in (*own, *(r for other in others for r in resources(other))))
    return [f for resource in own for f in judge("plain:ci", resource, catalogue)]


def short(text: str, *others: str) -> list[tuple[str, str, int | None]]:
    """Severity, rule and line of each."""
    return [(str(f.severity), str(f.rule), f.line) for f in said(text, *others)]


def pipeline(body: str, declared: str = "") -> str:
    """A Pipeline whose tasks begin on line 7."""
    lines = [line for line in body.splitlines() if line.strip()]
    text = "\n".join(f"  {line}" for line in lines)
    more = declared or "params: [{name: tag}, {name: list, type: array}]"
    return (
        "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: ci, namespace: ci}\nspec:\n"
        f"  {more}\n  workspaces: [{{name: shared}}, {{name: spare, optional: true}}]\n{text}\n"
    )
