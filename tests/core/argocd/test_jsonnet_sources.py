"""jsonnet in directory sources, evaluated by the library that Argo CD uses."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from argo import MAP, application, expand, only_part

from review_bot.core.model import Severity
from review_bot.render.expander import Expander
from review_bot.render.sandbox import Limits, Sandbox

OBJECT = "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'made'}, data: %s}"
FILES = {
    "apps/web/map.yaml": MAP,
    "apps/web/main.jsonnet": (
        "local own = import 'own.libsonnet'; local lib = import 'lib.libsonnet';\n"
        + "function(size) "
        + OBJECT % "{own: own, lib: lib, size: size, name: std.extVar('name')}"
    ),
    "apps/web/own.libsonnet": "'own'",
    "vendor/lib.libsonnet": "import '../shared/deep.libsonnet'",
    "shared/deep.libsonnet": "'deep'",
    "shared/other.libsonnet": "'other'",
}
OPTIONS = (
    "path: apps/web, directory: {jsonnet: {libs: [vendor], tlas: [{name: size, value: 1 + 1, code: true}], "
    "extVars: [{name: name, value: $ARGOCD_APP_NAME}]}}"
)


@pytest.fixture(scope="module")
def words() -> Iterator[Expander]:
    expander = Expander(Sandbox(Limits()))
    yield expander
    expander.close()


def test_jsonnet_is_evaluated_with_libraries_of_the_root_and_variables_and_its_files_are_read(words: Expander) -> None:
    side, found = expand(FILES, application(OPTIONS), templating=words)
    assert found.findings == ()
    (target,) = found.targets
    (made,) = (target.parts[0].reads or frozenset()) - {"apps/web/map.yaml"}
    assert json.loads(side.graft.read(made) or b"")["data"] == {"own": "own", "lib": "deep", "size": 2, "name": "web"}
    assert side.graft.original(made).path == "apps/web/main.jsonnet"
    assert target.reads is not None
    assert target.reads >= set(FILES) - {"shared/other.libsonnet"}
    assert "shared/other.libsonnet" not in target.reads


def test_a_list_is_several_objects(words: Expander) -> None:
    files = {"apps/web/all.jsonnet": f"[{OBJECT % '{}'}, {OBJECT % '{}'}]"}
    side, part = only_part(files, application("path: apps/web"), templating=words)
    (made,) = part.reads or ()
    assert (side.graft.read(made) or b"").count(b"---") == 1


def test_jsonnet_that_fails_is_an_error_of_its_file(words: Expander) -> None:
    _, found = expand({"apps/web/a.jsonnet": "error 'no'"}, application("path: apps/web"), templating=words)
    assert [(f.severity, f.rule, f.path) for f in found.findings] == [(Severity.ERROR, "jsonnet", "apps/web/a.jsonnet")]
    assert [t.parts for t in found.targets] == [()]
