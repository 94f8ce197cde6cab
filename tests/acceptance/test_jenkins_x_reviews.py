"""Pull requests of Jenkins X repositories; those of the sample were checked by hand against their diff once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import repositories
import yaml

# pull request → conclusion, and what is said: severity, rule, path, a part of the message
SAMPLE: dict[str, tuple[str, list[tuple[str, str, str, str]]]] = {
    # Takes helmfiles/kuberhealthy/ away with its two releases, and a third from helmfiles/jx/.
    "pr-19": (
        "success",
        [
            ("warning", "helmfile-release", "helmfiles/jx/helmfile.yaml", "health-checks-jx (jxgh/jx-kh-check 0.0.78)"),
            (
                "warning",
                "helmfile-release",
                "helmfiles/kuberhealthy/helmfile.yaml",
                "jx-kh-check (jxgh/jx-kh-check 0.0.80)",
            ),
            (
                "warning",
                "helmfile-release",
                "helmfiles/kuberhealthy/helmfile.yaml",
                "kuberhealthy (kuberhealthy/kuberhealthy 64)",
            ),
            ("notice", "jenkins-x-no-output", "helmfile.yaml", "helmfile.yaml and 3 more"),
        ],
    ),
    # Takes pipelineVariables out of the global values.
    "pr-20": ("success", [("notice", "jenkins-x-no-output", "jx-global-values.yaml", "jx-global-values.yaml")]),
    # Adds a workflow of GitHub's, which deploys nothing.
    "pr-21": ("neutral", []),
    # Adds helmfiles/envoy-gateway-system/ with three releases, whose conditions are false in its jx-values.yaml.
    "pr-23": (
        "success",
        [
            ("notice", "jenkins-x-no-output", "helmfile.yaml", "helmfile.yaml and 2 more"),
            *(
                ("notice", "helmfile-release", "helmfiles/envoy-gateway-system/helmfile.yaml", text)
                for text in (
                    "gateway-helm (envoyproxy/gateway-helm 1.8.0) in envoy-gateway-system is added, and its condition",
                    "envoy-gateway (jxgh/envoy-gateway 0.1.1) in envoy-gateway-system is added, and its condition",
                    "acme-jx (jxgh/acme 0.1.0) in envoy-gateway-system is added, and its condition",
                )
            ),
        ],
    ),
}


@pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")
@pytest.mark.parametrize("pull_request", SAMPLE)
def test_pull_requests_of_the_sample(pull_request: str, tmp_path: Path) -> None:
    conclusion, expected = SAMPLE[pull_request]
    _, verdict = repositories.check(repositories.sample("jx3-kubernetes", pull_request, tmp_path))
    found = [(f["severity"], f["rule"], f["path"], f["message"]) for f in verdict["findings"]]
    assert (verdict["conclusion"], verdict["targets"], len(found)) == (conclusion, [], len(expected))
    for severity, rule, path, text in expected:
        assert [f for f in found if f[:3] == (severity, rule, path) and text in f[3]]


HELMFILE = """\
namespace: shop
releases:
- name: web
  chart: charts/web
  values: [values/web.yaml]
- name: cache
  chart: stable/redis
  version: 1.0.0
"""
CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/templates/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}', "
    "namespace: '{{ .Release.Namespace }}'}\ndata: {level: '{{ .Values.level }}'}\n",
    "charts/web/values.yaml": "level: info\n",
    "values/web.yaml": "level: warn\n",
    "helmfile.yaml": HELMFILE,
}
REQUIREMENTS = """\
apiVersion: core.jenkins-x.io/v4beta1
kind: Requirements
spec:
  cluster: {clusterName: blue}
  environments: [{key: production}]
"""
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: jx-production}\ndata: {x: 'y'}\n"


def said(verdict: dict[str, Any]) -> list[tuple[str, str, str, int | None]]:
    return [(f["severity"], f["rule"], f["path"], f["line"]) for f in verdict["findings"]]


def test_a_release_of_a_local_chart_is_rendered_with_its_values_in_its_namespace(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, CHART, {"values/web.yaml": "level: debug\n"})
    status, verdict = repositories.check(root)
    assert (status, [t["id"] for t in verdict["targets"]]) == (0, ["helm:charts/web#shop/web"])
    (change,) = verdict["changes"]
    assert (change["namespace"], change["name"], change["fields"]) == ("shop", "web", ["data.level"])
    assert "-  level: warn\n+  level: debug" in change["diff"]


def test_a_release_that_moves_to_another_namespace_takes_its_objects_along(tmp_path: Path) -> None:
    root = repositories.make(
        tmp_path, CHART, {"helmfile.yaml": HELMFILE.replace("namespace: shop", "namespace: store")}
    )
    _, verdict = repositories.check(root)
    assert {(t["id"], t["summary"]["create"], t["summary"]["delete"]) for t in verdict["targets"]} == {
        ("helm:charts/web#shop/web", 0, 1),
        ("helm:charts/web#store/web", 1, 0),
    }


def test_a_version_that_moves_is_told_and_touches_no_other_release(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, CHART, {"helmfile.yaml": HELMFILE.replace("1.0.0", "1.1.0")})
    _, verdict = repositories.check(root)
    assert verdict["changes"] == []
    assert said(verdict) == [("notice", "helmfile-release", "helmfile.yaml", 6)]
    assert "stable/redis 1.0.0 → 1.1.0" in verdict["findings"][0]["message"]


def test_generated_output_has_its_environment_and_what_was_edited_by_hand_is_told(tmp_path: Path) -> None:
    base = {"jx-requirements.yml": REQUIREMENTS, "config-root/namespaces/jx-production/web/a.yaml": OBJECT}
    head = {"config-root/namespaces/jx-production/web/a.yaml": OBJECT.replace("'y'", "'z'")}
    _, verdict = repositories.check(repositories.make(tmp_path, base, head))
    (target,) = verdict["targets"]
    assert (target["environment"], target["cluster"]) == ("production", "blue")
    assert ("notice", "jenkins-x-edited-output", "config-root/namespaces/jx-production/web/a.yaml", None) in said(
        verdict
    )


def test_a_pull_request_does_not_say_of_itself_that_it_is_not_production(tmp_path: Path) -> None:
    base = {"jx-requirements.yml": REQUIREMENTS, "config-root/namespaces/jx-production/web/a.yaml": OBJECT}
    head = {
        "config-root/namespaces/jx-production/web/a.yaml": OBJECT.replace("'y'", "'z'"),
        "jx-requirements.yml": REQUIREMENTS.replace("production", "playground"),
    }
    _, verdict = repositories.check(repositories.make(tmp_path, base, head))
    assert [t["environment"] for t in verdict["targets"]] == ["production"]


def test_requirements_that_cannot_be_read_on_the_base_block(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, {"jx-requirements.yml": "spec: [\n"}, {"README.md": "x\n"})
    status, verdict = repositories.check(root)
    assert (status, said(verdict)) == (1, [("error", "configuration", "jx-requirements.yml", 1)])


def test_a_source_without_its_output_is_a_warning(tmp_path: Path) -> None:
    base = CHART | {"config-root/namespaces/shop/a.yaml": OBJECT}
    root = repositories.make(tmp_path, base, {"helmfile.yaml": HELMFILE.replace("1.0.0", "1.1.0")})
    status, verdict = repositories.check(root)
    assert status == 0
    assert ("warning", "jenkins-x-not-regenerated", "helmfile.yaml", None) in said(verdict)


def test_a_job_whose_pipeline_goes_blocks(tmp_path: Path) -> None:
    triggers = "spec:\n  presubmits:\n  - name: verify\n    source: pr.yaml\n"
    task = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: a}\nspec: {steps: [{image: x}]}\n"
    base = {".lighthouse/jx/triggers.yaml": triggers, ".lighthouse/jx/pr.yaml": task}
    status, verdict = repositories.check(repositories.make(tmp_path, base, {".lighthouse/jx/pr.yaml": None}))
    assert (status, said(verdict)) == (1, [("error", "lighthouse-trigger", ".lighthouse/jx/triggers.yaml", 4)])


ENVIRONMENTS = """\
environments:
  staging: {values: [{level: debug}]}
  production: {values: [{level: warn}]}
---
releases:
- name: web
  namespace: shop
  chart: charts/web
  values:
  - values/{{ .Environment.Name }}.yaml
  - {extra: {kept: true, gone: null}}
  setTemplate: [{name: level, value: "{{ .Values.level }}"}]
"""
ENVIRONMENTS_TREE = CHART | {
    "helmfile.yaml": ENVIRONMENTS,
    "values/staging.yaml": "size: 1\n",
    "values/production.yaml": "size: 3\n",
    "charts/web/values.yaml": "level: info\nextra: {kept: false, gone: x}\n",
    "charts/web/templates/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
    "data: {size: '{{ .Values.size }}', extra: '{{ toJson .Values.extra }}'}\n",
}


def test_each_environment_of_a_helmfile_is_rendered_with_its_own_values(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, ENVIRONMENTS_TREE, {"values/production.yaml": "size: 5\n"})
    status, verdict = repositories.check(root)
    (target,) = verdict["targets"]
    assert (status, target["id"], target["environment"]) == (0, "helm:charts/web#production/shop/web", "production")
    (change,) = verdict["changes"]
    assert 'size: "3"\n+' in change["diff"].replace("'", '"') and change["fields"] == ["data.size"]
    # Values within the helmfile lie over those of files and of the chart, and what is set over all of them.
    rendered = repositories.run("render", str(root), "helm:charts/web#staging/shop/web").stdout
    more, settings = (document["data"] for document in yaml.safe_load_all(rendered))
    assert (more, settings) == ({"size": "1", "extra": '{"kept":true}'}, {"level": "debug"})


def test_a_release_that_needs_more_than_fields_is_not_taken_for_gone(tmp_path: Path) -> None:
    head = {"helmfile.yaml": ENVIRONMENTS.replace("{{ .Values.level }}", "{{ requiredEnv `LEVEL` }}")}
    status, verdict = repositories.check(repositories.make(tmp_path, ENVIRONMENTS_TREE, head))
    assert (status, verdict["changes"]) == (1, [])
    assert ("error", "hidden", "helmfile.yaml", None) in said(verdict)


def test_a_folder_of_helmfiles_is_told_not_to_be_followed(tmp_path: Path) -> None:
    base = {"jx-requirements.yml": REQUIREMENTS, "helmfile.yaml": HELMFILE} | CHART
    _, verdict = repositories.check(repositories.make(tmp_path, base, {"helmfile.d/web.yaml": HELMFILE}))
    assert ("notice", "helmfile", "helmfile.d/web.yaml", None) in said(verdict)


def test_a_value_file_that_one_environment_misses_blocks(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, ENVIRONMENTS_TREE, {"values/production.yaml": None})
    status, verdict = repositories.check(root)
    assert status == 1 and ("error", "helmfile", "helmfile.yaml", 10) in said(verdict)


JX = {
    "jx-requirements.yml": REQUIREMENTS,
    "helmfile.yaml": "helmfiles:\n- path: helmfiles/jx/helmfile.yaml\n",
    "helmfiles/jx/helmfile.yaml": "namespace: jx\nreleases:\n- name: web\n  chart: dev/web\n  version: 1.0.0\n"
    "- name: api\n  chart: dev/api\n  version: 2.0.0\n",
    "config-root/namespaces/jx/web/web.yaml": OBJECT.replace("name: a", "name: web"),
    "config-root/namespaces/jx/api/api.yaml": OBJECT.replace("name: a", "name: api"),
}
RELEASES = JX["helmfiles/jx/helmfile.yaml"]
WEB, API = "config-root/namespaces/jx/web/web.yaml", "config-root/namespaces/jx/api/api.yaml"
NEW = f"{RELEASES}- name: new\n  chart: dev/new\n  version: 1.0.0\n"
GONE = RELEASES.partition("- name: api")[0]
REGENERATED = {WEB: JX[WEB].replace("'y'", "'z'")}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ({"helmfiles/jx/helmfile.yaml": RELEASES.replace("1.0.0", "1.1.0"), **REGENERATED}, None),
        (
            {"helmfiles/jx/helmfile.yaml": RELEASES.replace("2.0.0", "2.1.0"), **REGENERATED},
            "not for release api in jx, which moves from dev/api 2.0.0 to dev/api 2.1.0",
        ),
        ({"helmfiles/jx/helmfile.yaml": NEW, **REGENERATED}, "not for release new in jx, which is new"),
        ({"helmfiles/jx/helmfile.yaml": GONE, **REGENERATED}, "not for release api in jx, which goes"),
        ({"helmfiles/jx/helmfile.yaml": GONE, API: None}, None),
        ({"helmfiles/jx/helmfile.yaml": RELEASES.replace("2.0.0", "2.1.0")}, "was not generated again"),
    ],
)
def test_output_that_was_not_generated_with_its_source_is_told(
    head: dict[str, str | None], words: str | None, tmp_path: Path
) -> None:
    status, verdict = repositories.check(repositories.make(tmp_path, JX, head))
    found = [f["message"] for f in verdict["findings"] if f["rule"] == "jenkins-x-not-regenerated"]
    assert status == 0
    assert (words is None and not found) or (words is not None and len(found) == 1 and words in found[0])


def test_owners_and_their_aliases_answer_for_helmfiles_and_output(tmp_path: Path) -> None:
    owners = {
        "OWNERS": "approvers: [platform]\n",
        "OWNERS_ALIASES": "aliases:\n  platform: [carol, dave]\n  shop: [erin]\n",
        "helmfiles/jx/OWNERS": "options: {no_parent_owners: true}\napprovers: [shop]\n",
    }
    root = repositories.make(tmp_path, JX | owners, {})
    done = repositories.run("owners", str(root), "helmfiles/jx/helmfile.yaml", WEB, "-o", "json")
    found = {row["path"]: sorted(row["owners"]) for row in json.loads(done.stdout)}
    assert found == {"helmfiles/jx/helmfile.yaml": ["@erin"], WEB: ["@carol", "@dave"]}


def test_triggers_of_lighthouse_and_their_pipelines_are_held_to_their_rules(tmp_path: Path) -> None:
    triggers = "spec:\n  presubmits:\n  - name: verify\n    context: verify\n    source: pr.yaml\n"
    run = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: pr}\nspec:\n  pipelineSpec:\n    tasks:\n"
    run += "    - name: one\n      taskSpec: {steps: [{name: a, image: 'x:1', script: 'true'}]}\n"
    base = {".lighthouse/jx/triggers.yaml": triggers, ".lighthouse/jx/pr.yaml": run}
    head = {".lighthouse/jx/pr.yaml": f"{run}      runAfter: [two]\n"}
    status, verdict = repositories.check(repositories.make(tmp_path, base, head))
    assert (status, said(verdict)) == (1, [("error", "tekton-unresolved", ".lighthouse/jx/pr.yaml", 9)])
