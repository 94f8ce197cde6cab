"""Helmfiles with templates and environments are evaluated, and their releases rendered.

What values a release comes to was held against helmfile 1.8.0: each of CASES was given to `helmfile -e ENVIRONMENT
template` once, with helm 4.1.4 and this chart, which prints its values; `expected` is what that gave.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import repositories
import yaml

CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "level: info\n",
    "charts/web/templates/values.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
    "  namespace: {{ .Release.Namespace }}\ndata:\n  values: {{ .Values | toJson | quote }}\n",
}
ENVIRONMENTS = {
    "helmfile.yaml.gotmpl": """\
environments:
  dev:
    values: [env/common.yaml, env/dev.yaml]
  prod:
    values: [env/common.yaml, env/prod.yaml.gotmpl, {extra: inline}]
---
releases:
- name: web-{{ .Environment.Name }}
  namespace: {{ .Values.ns }}
  chart: ./charts/web
  values:
  - values/web.yaml.gotmpl
  - level: {{ .Values.level }}
  {{- if eq .Environment.Name "prod" }}
  - replicas: 3
    extra: {{ .Values.extra }}
  {{- end }}
""",
    "env/common.yaml": "ns: shop\nlist: [a, b]\nflag: true\n",
    "env/dev.yaml": "level: debug\nflag: false\nlist: []\n",
    "env/prod.yaml.gotmpl": "level: {{ .Environment.Name }}-warn\n",
    "values/web.yaml.gotmpl": """\
list: {{ .Values.list | toJson }}
flag: {{ .StateValues | get "flag" }}
is: {{ .Release.Name }} in {{ .Release.Namespace }}
none: {{ .Values | getOrNil "no.such" | default "dflt" }}
""",
}
TEMPLATES = {
    "helmfile.yaml": """\
commonLabels: {team: a}
templates:
  default:
    namespace: team-{{ .Release.Labels.tier }}
    values: [base.yaml, "values/{{ .Release.Name }}.yaml"]
    missingFileHandler: Warn
  other:
    set: [{name: level, value: "x,y"}]
releases:
- name: one
  chart: ./charts/web
  labels: {tier: front}
  inherit: [{template: default}, {template: other}]
- name: two
  chart: ./charts/web
  labels: {tier: back}
  inherit: [{template: default, except: [values]}]
  values: [{list: [z]}]
- name: off
  chart: ./charts/web
  installed: false
""",
    "base.yaml": "base: true\n",
    "values/one.yaml": "own: one\n",
}
BASES = {
    "helmfile.yaml.gotmpl": """\
bases: [env.yaml, defaults.yaml.gotmpl]
---
helmfiles:
- path: apps/*/helmfile.yaml.gotmpl
  values: [{given: {{ .Values.level }}}]
---
releases:
- name: web
  namespace: d
  chart: charts/web
  condition: web.enabled
  values: [{level: {{ .Values.level }}, dflt: {{ .Values.dflt }}}]
""",
    "env.yaml": """\
environments:
  default:
    values: [{level: base, web: {enabled: true}}]
  stage:
    values: [{level: stage, web: {enabled: false}}]
""",
    "defaults.yaml.gotmpl": "values: [{dflt: {{ .Environment.Name }}, level: lower}]\n",
    "apps/a/helmfile.yaml.gotmpl": """\
namespace: forced
releases:
- name: a
  namespace: other
  chart: ../../charts/web
  values: [{given: {{ .Values.given }}, level: {{ .Values | get "level" "none" }}}]
""",
}
CASES: dict[str, tuple[dict[str, str], dict[str, dict[str, Any]]]] = {
    "environments": (
        ENVIRONMENTS,
        {
            "dev/shop/web-dev": {"level": "debug", "list": [], "flag": False, "is": "web-dev in shop", "none": "dflt"},
            "prod/shop/web-prod": {
                "level": "prod-warn",
                "list": ["a", "b"],
                "flag": True,
                "is": "web-prod in shop",
                "none": "dflt",
                "replicas": 3,
                "extra": "inline",
            },
        },
    ),
    "templates": (
        TEMPLATES,
        {
            "team-front/one": {"level": "x,y", "base": True, "own": "one"},
            "team-back/two": {"level": "info", "list": ["z"]},
        },
    ),
    "bases": (
        BASES,
        {
            "default/d/web": {"level": "base", "dflt": "default"},
            "default/forced/a": {"given": "base", "level": "none"},
            "stage/forced/a": {"given": "stage", "level": "none"},
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_releases_get_the_values_that_helmfile_gives_them(case: str, tmp_path: Path) -> None:
    files, expected = CASES[case]
    root = repositories.make(tmp_path, CHART | files, {})
    targets = json.loads(repositories.run("targets", str(root), "-o", "json").stdout)
    found = {}
    for target in targets:
        (shown,) = yaml.safe_load_all(repositories.run("render", str(root), target["id"]).stdout)
        found[target["id"].partition("#")[2]] = json.loads(shown["data"]["values"])
    assert found == expected
    assert all(t["renderer"] == "helm" and t["path"] == "charts/web" for t in targets)


WHOLE = CHART | ENVIRONMENTS
HELMFILE = ENVIRONMENTS["helmfile.yaml.gotmpl"]
VALUES = ENVIRONMENTS["values/web.yaml.gotmpl"]
DEV, PROD = (f"helm:charts/web#{env}/shop/web-{env}" for env in ("dev", "prod"))


@pytest.mark.parametrize(
    ("head", "touched"),
    [
        ({"env/dev.yaml": "level: trace\n"}, {DEV: "dev"}),
        ({"helmfile.yaml.gotmpl": HELMFILE.replace("replicas: 3", "replicas: 4")}, {PROD: "prod"}),
        # What dev has of its own hides what changes here.
        ({"env/common.yaml": "ns: shop\nlist: [c]\nflag: true\n"}, {PROD: "prod"}),
        ({"charts/web/values.yaml": "level: info\nmore: true\n"}, {DEV: "dev", PROD: "prod"}),
        ({"helmfile.yaml.gotmpl": HELMFILE.replace("\n---\n", "\n# words\n---\n")}, {}),
        ({"README.md": "x\n"}, {}),
    ],
)
def test_a_change_touches_the_environments_that_it_changes(
    head: dict[str, str], touched: dict[str, str], tmp_path: Path
) -> None:
    status, verdict = repositories.check(repositories.make(tmp_path, WHOLE, head))
    assert (status, {t["id"]: t["environment"] for t in verdict["targets"]}) == (0, touched)
    assert {c["target"] for c in verdict["changes"]} == touched.keys()
    assert verdict["findings"] == []


def test_a_release_that_goes_takes_its_objects_along(tmp_path: Path) -> None:
    head = {"helmfile.yaml.gotmpl": f"{HELMFILE.partition('releases:')[0]}releases: []\n"}
    status, verdict = repositories.check(repositories.make(tmp_path, WHOLE, head))
    assert status == 0
    assert {(c["target"], c["action"]) for c in verdict["changes"]} == {(DEV, "delete"), (PROD, "delete")}


def test_a_helmfile_that_begins_to_need_evaluation_keeps_its_releases(tmp_path: Path) -> None:
    plain = "releases:\n- name: web\n  namespace: d\n  chart: ./charts/web\n"
    base = CHART | {"helmfile.yaml": plain}
    root = repositories.make(tmp_path, base, {"helmfile.yaml": f"{plain}  values: [{{level: x}}]\n"})
    _, verdict = repositories.check(root)
    assert [(c["target"], c["action"]) for c in verdict["changes"]] == [("helm:charts/web#d/web", "update")]


# what changes → severity, rule, path, line and a part of the message
BAD: list[tuple[dict[str, str | None], str, str, str, int | None, str]] = [
    ({"env/prod.yaml.gotmpl": None}, "error", "helmfile", "helmfile.yaml.gotmpl", None, "no file of values env/prod"),
    (
        {"helmfile.yaml.gotmpl": HELMFILE.replace("{{- end }}", "{{- ende }}")},
        "error",
        "helmfile",
        "helmfile.yaml.gotmpl",
        17,
        'function "ende" not defined',
    ),
    ({"env/dev.yaml": "a: [\n"}, "error", "helmfile", "helmfile.yaml.gotmpl", None, "env/dev.yaml: yaml: line"),
    (
        {"values/web.yaml.gotmpl": f"{VALUES}x: {{{{ .Values.nothing.here }}}}\n"},
        "error",
        "helmfile",
        "values/web.yaml.gotmpl",
        5,
        'map has no entry for key "nothing"',
    ),
    (
        {"helmfile.yaml.gotmpl": HELMFILE.replace("./charts/web", "./charts/wep")},
        "error",
        "helmfile",
        "helmfile.yaml.gotmpl",
        None,
        "there is no chart in charts/wep",
    ),
    (
        {"helmfile.yaml.gotmpl": HELMFILE.replace("values/web", "../../../../etc/passwd")},
        "error",
        "helmfile",
        "helmfile.yaml.gotmpl",
        None,
        "leaves the repository",
    ),
    (
        {"values/web.yaml.gotmpl": '{{ readFile "/etc/passwd" }}\n'},
        "error",
        "helmfile",
        "values/web.yaml.gotmpl",
        1,
        "there is no file values/etc/passwd",
    ),
    (
        {"helmfile.yaml.gotmpl": '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}' + HELMFILE},
        "error",
        "helmfile",
        "helmfile.yaml.gotmpl",
        1,
        "a includes itself without end",
    ),
    (
        {"helmfile.yaml.gotmpl": HELMFILE.replace("releases:", 'x: {{ exec "id" (list) }}\nreleases:')},
        "error",
        "hidden",
        "helmfile.yaml.gotmpl",
        None,
        "web-dev was rendered before this change",
    ),
    (
        {"values/web.yaml.gotmpl": '{{ requiredEnv "TOKEN" }}\n'},
        "error",
        "hidden",
        "helmfile.yaml.gotmpl",
        None,
        "web-dev was rendered before this change",
    ),
]


@pytest.mark.parametrize(("head", "severity", "rule", "path", "line", "words"), BAD)
def test_what_helmfile_would_stop_at_or_nobody_can_see_blocks_and_deletes_nothing(
    head: dict[str, str | None], severity: str, rule: str, path: str, line: int | None, words: str, tmp_path: Path
) -> None:
    status, verdict = repositories.check(repositories.make(tmp_path, WHOLE, head))
    found = [(f["severity"], f["rule"], f["path"], f["line"]) for f in verdict["findings"] if words in f["message"]]
    assert (status, (severity, rule, path, line) in found) == (1, True)
    assert not any(c["action"] == "delete" for c in verdict["changes"])


def test_what_lies_outside_of_the_repository_is_said_and_blocks_nobody(tmp_path: Path) -> None:
    remote = "repositories:\n- name: bit\n  url: https://charts.example.com\nreleases:\n"
    remote += "- name: redis\n  namespace: d\n  chart: bit/redis\n  version: 1.2.3\n"
    head = {
        "helmfile.yaml": remote.replace("1.2.3", "1.3.0"),
        "apps/helmfile.yaml.gotmpl": "releases:\n- name: web\n  chart: ../charts/web\n"
        '  values: [{level: {{ requiredEnv "LEVEL" }}}]\n',
    }
    status, verdict = repositories.check(repositories.make(tmp_path, CHART | {"helmfile.yaml": remote}, head))
    said = {(f["severity"], f["rule"], f["path"], f["line"]) for f in verdict["findings"]}
    assert (status, verdict["changes"]) == (0, [])
    assert said == {
        ("warning", "not-seen", "helmfile.yaml", 5),
        ("warning", "not-seen", "apps/helmfile.yaml.gotmpl", 4),
    }


def test_helmfiles_of_a_folder_are_roots_of_their_own(tmp_path: Path) -> None:
    one = "releases:\n- {name: one, namespace: d, chart: ../charts/web}\n"
    base = CHART | {"helmfile.d/1-one.yaml": one, "helmfile.d/2-two.yaml": one.replace("one", "two")}
    root = repositories.make(tmp_path, base, {"charts/web/values.yaml": "level: warn\n"})
    _, verdict = repositories.check(root)
    assert {c["target"] for c in verdict["changes"]} == {
        f"helm:charts/web#helmfile.d/d/{name}" for name in ("one", "two")
    }


def test_the_environment_of_the_machine_is_empty_and_that_is_said(tmp_path: Path) -> None:
    root = repositories.make(
        tmp_path, WHOLE, {"values/web.yaml.gotmpl": 'level: {{ env "HOME" | default "homeless" }}\n'}
    )
    _, verdict = repositories.check(root)
    assert {(f["severity"], f["rule"]) for f in verdict["findings"]} == {("notice", "not-seen")}
    assert all("HOME" in f["message"] for f in verdict["findings"])
    assert all("/root" not in c["diff"] and "/home" not in c["diff"] for c in verdict["changes"])
