"""A helmfile with several environments is read in each, as far as its templates only name fields."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from trees import MemoryTree

from review_bot.core.closure import Files
from review_bot.core.configuration import Config
from review_bot.core.discovery import Discovery
from review_bot.core.jenkins_x import releases
from review_bot.core.jenkins_x.fields import Unseen, filled
from review_bot.core.jenkins_x.helmfile import declared, read_all
from review_bot.core.model import FileChange, Target
from review_bot.core.planning import discover, plan, reason

HELMFILE = """\
bases: [common.yaml]
environments:
  staging:
    values: [env/staging.yaml, {size: 1}]
  production:
    values: [env/production.yaml]
---
releases:
- name: web
  namespace: "shop-{{ .Environment.Name }}"
  chart: charts/web
  values:
  - values/web.yaml
  - values/{{ .Environment.Name }}.yaml
  - values/more.yaml.gotmpl
  - {color: red}
  setTemplate:
  - {name: tag, value: "{{ .Values.tag }}"}
  set:
  - {name: hosts, values: [a, "b,c"]}
- name: extra
  namespace: shop
  chart: charts/web
  condition: extra.enabled
"""
FILES = {
    "helmfile.yaml": HELMFILE,
    "common.yaml": "values: [{domain: example.com}]\nhelmDefaults: {wait: true}\n",
    "env/staging.yaml": "tag: v2\nextra: {enabled: true}\n",
    "env/production.yaml": "tag: v1\nextra: {enabled: false}\n",
    "values/web.yaml": "level: info\n",
    "values/staging.yaml": "level: debug\n",
    "values/production.yaml": "level: warn\n",
    "values/more.yaml.gotmpl": "host: {{ .Release.Name }}.{{ .Environment.Name }}.{{ .Values.domain }}\n",
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/templates/a.yaml": "kind: ConfigMap\n",
}


def tree(changed: Mapping[str, str | None] | None = None) -> MemoryTree:
    """A repository of Jenkins X: in others, what can't be followed so is evaluated (docs/helmfile.md)."""
    files = {"jx-requirements.yml": "spec: {}\n", **FILES, **(changed or {})}
    return MemoryTree({p: t for p, t in files.items() if t is not None})


def targets(changed: Mapping[str, str | None] | None = None) -> dict[str, Target]:
    return {t.id: t for t in Discovery(Files(tree(changed)), Config()).targets()}


def test_each_environment_has_targets_of_its_own_named_after_it() -> None:
    found = targets()
    assert {id: t.environment for id, t in found.items()} == {
        "helm:charts/web#production/shop-production/web": "production",
        "helm:charts/web#staging/shop-staging/web": "staging",
        "helm:charts/web#staging/shop/extra": "staging",
    }


def test_value_files_come_first_then_what_is_filled_in_then_what_is_set() -> None:
    helm = targets()["helm:charts/web#staging/shop-staging/web"].helm
    assert helm is not None
    assert helm.values == ("values/web.yaml", "values/staging.yaml")
    assert json.loads(helm.sets[1]) == {"host": "web.staging.example.com", "color": "red"}
    assert (helm.sets[0], helm.sets[2:]) == ("--set-json", ("--set", "tag=v2", "--set", "hosts={a,b\\,c}"))


# what stands in the release → what is said not to be followed
UNSEEN = {
    'values: ["values/{{ requiredEnv `X` }}.yaml"]': "values/{{ requiredEnv `X` }}.yaml ({{ requiredEnv `X` }})",
    "values: ['values/{{ .Values.none }}.yaml']": "{{ .Values.none }}",
    "values: [{a: ref+vault://x#/y}]": "values within the helmfile",
    "values: [{a: '{{ .Values.tag }}'}]": "values within the helmfile",
    "values: [values/exec.yaml.gotmpl]": '{{ exec "date" (list) }}',
    "values: ['values/*.yaml']": "a pattern or an address",
    "secrets: [s.yaml]": "secrets",
    "inherit: [{template: x}]": "inherit",
    "set: [{name: a, file: x}]": "set",
    # helmfile 1.8 gives it to helm as it stands.
    "set: [{name: a, value: '{{ .Values.tag }}'}]": "set",
    "version: '{{ .Values.tag | quote }}'": "{{…}} in version",
    "values: [jx-values.yaml]": "written before helmfile runs",
}


@pytest.mark.parametrize("line", UNSEEN)
def test_what_needs_more_than_fields_is_said_and_not_guessed(line: str) -> None:
    helmfile = "environments: {default: {values: [{tag: x}]}}\nreleases:\n- {name: web, chart: charts/web}\n"
    helmfile = helmfile.replace("chart: charts/web}", "chart: charts/web, " + line + "}")
    change = {"helmfile.yaml": helmfile, "values/exec.yaml.gotmpl": 'a: {{ exec "date" (list) }}\n'}
    assert set(targets(change)) == {"helm:charts/web"}
    (finding,) = releases.unseen(read_all(tree(change)), frozenset(["helmfile.yaml"]))
    assert UNSEEN[line] in finding.message and finding.severity == "notice"


def test_a_template_of_a_helmfile_sees_what_the_documents_before_it_declare() -> None:
    text = "environments:\n  a: {values: [{ns: one}]}\n  b: {values: [{ns: two}]}\n---\nreleases:\n"
    text += "- {name: web, chart: charts/web, namespace: {{ .Values.ns }}}\n"
    change = {"helmfile.yaml": None, "helmfile.yaml.gotmpl": text}
    assert declared(tree(change)) == ("a", "b")
    assert set(targets(change)) == {"helm:charts/web#a/one/web", "helm:charts/web#b/two/web"}
    change["helmfile.yaml.gotmpl"] = text + "{{ if true }}{{ end }}\n"
    (problem,) = releases.problems(read_all(tree(change), "a"))
    assert problem.severity == "warning" and "{{ if true }}" in problem.message


def test_a_helmfile_that_does_not_declare_an_environment_is_left_out_there() -> None:
    change = {"helmfile.yaml": "environments: {a: {}, b: {}}\nhelmfiles: [one.yaml, two.yaml]\n"}
    release = "releases: [{name: %s, chart: charts/web}]\n"
    files = {**change, "one.yaml": "environments: {a: {}}\n" + release % "one", "two.yaml": release % "two"}
    assert set(targets(files)) == {"helm:charts/web#a/default/one"}


@pytest.mark.parametrize(("field", "name"), [(".Environment.Name", "a/a/web"), (".Values.ns", None)])
def test_a_template_of_an_environment_s_values_may_name_the_environment(field: str, name: str | None) -> None:
    text = "environments:\n  a: {values: [{ns: one}, more.yaml.gotmpl]}\n  b: {}\n"
    text += "releases: [{name: web, chart: charts/web, namespace: '{{ .Values.ns }}'}]\n"
    found = targets({"helmfile.yaml": text, "more.yaml.gotmpl": f"ns: {{{{ {field} }}}}\n"})
    assert set(found) == {f"helm:charts/web#{name}" if name else "helm:charts/web"}


def test_what_a_helmfile_is_given_by_the_one_that_names_it_is_not_made_up() -> None:
    root = "helmfiles:\n- path: sub/one.yaml\n  values: [{live: {x: true}}]\n"
    sub = "values: [{live: {x: true}, tag: a}]\nreleases:\n- {name: plain, chart: ../charts/web}\n"
    sub += "- {name: asking, chart: ../charts/web, condition: live.x}\n"
    sub += "- {name: filled, chart: ../charts/web, setTemplate: [{name: a, value: '{{ .Values.tag }}'}]}\n"
    change = {"helmfile.yaml": root, "sub/one.yaml": sub}
    assert set(targets(change)) == {"helm:charts/web#default/plain"}
    assert [r.on for r in read_all(tree(change)).releases] == [True, None, True]


def test_bases_whose_lists_meet_those_of_the_helmfile_are_not_followed() -> None:
    change = {"helmfile.yaml": f"values: [{{x: y}}]\n{HELMFILE}"}
    (problem,) = releases.problems(read_all(tree(change)))
    assert problem.severity == "notice" and "the bases of helmfile.yaml are not followed" in problem.message


def test_more_environments_than_are_looked_at_are_an_error() -> None:
    text = "environments:\n" + "".join(f"  e{n}: {{}}\n" for n in range(60))
    text += "releases: [{name: web, chart: charts/web}]\n"
    assert len(targets({"helmfile.yaml": text})) == 50
    (problem,) = releases.problems(read_all(tree({"helmfile.yaml": text})))
    assert problem.severity == "error" and "more than 50 environments" in problem.message


def test_a_text_that_grows_without_end_is_not_filled() -> None:
    with pytest.raises(Unseen):
        filled("{{ .x }}" * 2000, {"x": "y" * 1000})


def test_a_value_file_that_may_be_missing_is_left_out() -> None:
    change = {"values/staging.yaml": None, "helmfile.yaml": f"{HELMFILE}missingFileHandler: Warn\n"}
    helm = targets(change)["helm:charts/web#staging/shop-staging/web"].helm
    assert helm is not None and helm.values == ("values/web.yaml",)
    (problem,) = releases.problems(read_all(tree({"values/staging.yaml": None}), "staging"))
    assert problem.severity == "error" and "values/staging.yaml, which does not exist" in problem.message


CHANGES: list[dict[str, str | None]] = [
    {"env/staging.yaml": "tag: v3\nextra: {enabled: true}\n"},
    {"env/production.yaml": "tag: v1\nextra: {enabled: true}\n"},
    {"common.yaml": "values: [{domain: example.org}]\n"},
    {"values/more.yaml.gotmpl": "host: x\n"},
    {"values/production.yaml": "level: error\n"},
    {"helmfile.yaml": HELMFILE.replace("production:", "live:")},
    {"helmfile.yaml": HELMFILE.replace("color: red", "color: blue")},
    {"helmfile.yaml": None, "helmfile.yaml.gotmpl": HELMFILE},
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("forth", [True, False])
def test_planning_misses_no_target_whose_rendering_differs(change: dict[str, str | None], forth: bool) -> None:
    sides = (tree(), tree(change)) if forth else (tree(change), tree())
    texts = [{p: side.read(p) for p in side.entries()} for side in sides]
    paths = [p for p in sorted(texts[0].keys() | texts[1].keys()) if texts[0].get(p) != texts[1].get(p)]
    status = {(True, False): "added", (False, True): "removed", (False, False): "modified"}
    changes = [FileChange(p, status[p not in texts[0], p not in texts[1]]) for p in paths]
    old, new = ({t.id: t for t in discover(side, Config())} for side in sides)
    planned = {p.id for p in plan(*sides, changes, Config())}
    assert planned == {i for i in old.keys() | new.keys() if reason(old.get(i), new.get(i), changes) is not None}
    differing = {i for i in old.keys() | new.keys() if _helm(old.get(i)) != _helm(new.get(i))}
    assert planned >= differing and planned


def _helm(target: Target | None) -> object:
    return target.helm if target else None
