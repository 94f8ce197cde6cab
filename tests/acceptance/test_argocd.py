"""A review follows Argo CD from its root application to every object, with the real git, helm and kustomize."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import repositories
from repositories import DEPLOYMENT

from review_bot.core.yaml_reader import parse

NEWER = DEPLOYMENT.replace("1.4.2", "1.5.0")
CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "size: 1\nwords: none\n",
    "charts/web/templates/map.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\n"
        "data: {size: '{{ .Values.size }}', words: {{ .Values.words | quote }}, "
        "served: '{{ .Capabilities.APIVersions.Has \"example.com/v1\" }}', kube: '{{ .Capabilities.KubeVersion }}'}\n"
    ),
    "charts/web/crds/crd.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n"
        "spec: {group: example.com, scope: Namespaced, names: {kind: Thing, plural: things}, versions: []}\n"
    ),
}
BUILT = {
    "apps/built/base/kustomization.yaml": "resources: [deploy.yaml]\n",
    "apps/built/base/deploy.yaml": DEPLOYMENT,
    "apps/built/over/kustomization.yaml": "resources: [../base]\n",
}


def application(name: str, source: str, more: str = "") -> str:
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\n"
        f"spec:\n  project: default\n  source: {{repoURL: https://github.com/acme/gitops, {source}}}\n"
        f"  destination: {{name: prod, namespace: {name}}}\n{more}"
    )


def reviewed(root: Path, base: Mapping[str, str], head: Mapping[str, str | None]) -> dict[str, Any]:
    _, verdict = repositories.check(repositories.make(root, base, head))
    return verdict


def effect(verdict: dict[str, Any]) -> dict[str, list[str]]:
    """The changes of each touched target."""
    rows: dict[str, list[str]] = {t["id"]: [] for t in verdict["targets"]}
    for c in verdict["changes"]:
        rows[c["target"]].append(f"{c['action']} {c['kind']} {c['namespace']}/{c['name']}")
    return rows


def manifests(root: Path, target: str) -> list[Any]:
    """The target's objects on the changed side, as a person gets them."""
    done = repositories.run("render", str(root), target, "--rev", "change")
    assert done.returncode == 0, done.stderr
    return [d.value for d in parse(done.stdout.encode(), path="rendered")]


def errors(verdict: dict[str, Any]) -> list[str]:
    return [f["rule"] for f in verdict["findings"] if f["severity"] == "error"]


def test_an_app_of_apps_is_followed_from_the_top(tmp_path: Path) -> None:
    base = {
        "root/root.yaml": application("root", "path: apps"),
        "apps/web.yaml": application("web", "path: web"),
        "web/deploy.yaml": DEPLOYMENT,
    }
    verdict = reviewed(tmp_path / "1", base, {"web/deploy.yaml": NEWER})
    assert effect(verdict) == {"argocd:web": ["update Deployment web/web"]}
    more = {"apps/more.yaml": application("more", "path: more"), "more/deploy.yaml": DEPLOYMENT}
    assert effect(reviewed(tmp_path / "2", base, more)) == {
        "argocd:more": ["create Deployment more/web"],
        "argocd:root": ["create Application argocd/more"],
    }
    other = {"apps/other.yaml": application("other", "path: web")}
    verdict = reviewed(tmp_path / "3", base | other, {"apps/web.yaml": None})
    assert effect(verdict)["argocd:web"] == ["delete Deployment web/web"]
    assert "objects-stay" in [f["rule"] for f in verdict["findings"]]


def test_an_application_that_includes_itself_ends(tmp_path: Path) -> None:
    base = {"apps/self.yaml": application("self", "path: apps"), "apps/deploy.yaml": DEPLOYMENT}
    assert effect(reviewed(tmp_path, base, {"apps/deploy.yaml": NEWER})) == {
        "argocd:self": ["update Deployment self/web"]
    }


def test_helm_is_given_values_parameters_and_versions_in_argo_cds_order(tmp_path: Path) -> None:
    options = (
        "path: charts/web, helm: {releaseName: named, valueFiles: [/env/prod.yaml], valuesObject: {words: object}, "
        "parameters: [{name: words, value: 'a,b $ARGOCD_APP_NAME'}], apiVersions: [example.com/v1], "
        "kubeVersion: 1.31.2}"
    )
    base = CHART | {"root/web.yaml": application("web", options), "env/prod.yaml": "size: 3\nwords: file\n"}
    root = repositories.make(tmp_path, base, {"env/prod.yaml": "size: 4\nwords: file\n"})
    _, verdict = repositories.check(root)
    assert effect(verdict) == {"argocd:web": ["update ConfigMap web/named"]}
    by_kind = {m["kind"]: m for m in manifests(root, "argocd:web")}
    assert by_kind["ConfigMap"]["data"] == {"size": "4", "words": "a,b web", "served": "true", "kube": "v1.31.2"}
    assert "namespace" not in by_kind["CustomResourceDefinition"]["metadata"]


def test_kustomizations_are_edited_before_they_are_built(tmp_path: Path) -> None:
    options = (
        "path: apps/built/over, kustomize: {namePrefix: pre-, images: ['example.com/web=other.example.com/web:2'], "
        "replicas: [{name: web, count: 5}], commonLabels: {a: b}, namespace: own}"
    )
    base = BUILT | {"root/web.yaml": application("web", options)}
    root = repositories.make(tmp_path, base, {"apps/built/base/deploy.yaml": NEWER + "          env: []\n"})
    _, verdict = repositories.check(root)
    assert list(effect(verdict)) == ["argocd:web"]
    (deployment,) = manifests(root, "argocd:web")
    assert (deployment["metadata"]["name"], deployment["metadata"]["namespace"]) == ("pre-web", "own")
    assert deployment["spec"]["replicas"] == 5
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "other.example.com/web:2"
    assert verdict["changes"][0]["fields"] == ["spec.template.spec.containers[0].env"]


def test_two_sources_are_one_target_and_the_last_wins(tmp_path: Path) -> None:
    source = "  sources:\n    - {repoURL: x, path: one}\n    - {repoURL: x, path: two}\n"
    text = application("web", "path: none").replace(
        "  source: {repoURL: https://github.com/acme/gitops, path: none}\n", source
    )
    base = {"root/web.yaml": text, "one/a.yaml": DEPLOYMENT, "two/a.yaml": DEPLOYMENT}
    verdict = reviewed(tmp_path, base, {"two/a.yaml": NEWER})
    assert effect(verdict) == {"argocd:web": ["update Deployment web/web"]}
    assert [(f["rule"], f["path"]) for f in verdict["findings"] if f["rule"] == "defined-twice"] == [
        ("defined-twice", "two/a.yaml")
    ]


def application_set(generator: str) -> str:
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all, namespace: argocd}\nspec:\n"
        f"  goTemplate: true\n  goTemplateOptions: [missingkey=error]\n  generators: [{generator}]\n  template:\n"
        "    metadata: {name: '{{.path.basename}}'}\n    spec:\n      project: default\n"
        "      source: {repoURL: https://github.com/acme/gitops, path: '{{.path.path}}'}\n"
        "      destination: {name: prod, namespace: '{{.path.basename}}'}\n"
    )


FOLDERS = "{git: {repoURL: https://github.com/acme/gitops, directories: [{path: apps/*}]}}"
SET = {
    "root/set.yaml": application_set(FOLDERS),
    "apps/ant/deploy.yaml": DEPLOYMENT,
    "apps/bee/deploy.yaml": DEPLOYMENT,
}


def test_a_change_in_one_generated_application_touches_no_other(tmp_path: Path) -> None:
    assert effect(reviewed(tmp_path, SET, {"apps/ant/deploy.yaml": NEWER})) == {
        "argocd:ant": ["update Deployment ant/web"]
    }


def test_a_new_folder_is_an_application_that_appears_and_a_removed_one_goes(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, SET, {"apps/cat/deploy.yaml": DEPLOYMENT, "apps/bee/deploy.yaml": None})
    assert effect(verdict) == {
        "argocd:applicationset/all": ["delete Application argocd/bee", "create Application argocd/cat"],
        "argocd:bee": ["delete Deployment bee/web"],
        "argocd:cat": ["create Deployment cat/web"],
    }


def test_a_change_of_the_set_shows_what_changes_in_applications_and_in_what_they_deploy(tmp_path: Path) -> None:
    head = {"root/set.yaml": SET["root/set.yaml"].replace("namespace: '{{.path.basename}}'", "namespace: same")}
    found = effect(reviewed(tmp_path, SET, head))
    assert found["argocd:applicationset/all"] == ["update Application argocd/ant", "update Application argocd/bee"]
    assert found["argocd:ant"] == ["delete Deployment ant/web", "create Deployment same/web"]
    assert found["plain:root"] == ["update ApplicationSet argocd/all"]


def test_a_template_error_on_the_head_deletes_nothing(tmp_path: Path) -> None:
    head = {"root/set.yaml": SET["root/set.yaml"].replace("{name: '{{.path.basename}}'}", "{name: '{{.nme}}'}")}
    verdict = reviewed(tmp_path, SET, head)
    assert not [c for c in verdict["changes"] if c["action"] == "delete"]
    (finding,) = [f for f in verdict["findings"] if f["rule"] == "template"]
    assert (finding["path"], finding["line"]) == ("root/set.yaml", 9)
    assert "apps/ant" in finding["message"]
    assert verdict["conclusion"] == "failure"


def test_a_broken_source_on_the_head_deletes_nothing(tmp_path: Path) -> None:
    base = {"root/web.yaml": application("web", "path: web"), "web/deploy.yaml": DEPLOYMENT}
    verdict = reviewed(tmp_path, base, {"root/web.yaml": application("web", "path: wbe")})
    assert effect(verdict)["argocd:web"] == []
    assert errors(verdict) == ["no-such-folder"]


def test_a_parameter_file_of_a_git_generator_is_never_missed(tmp_path: Path) -> None:
    files = "{git: {repoURL: https://github.com/acme/gitops, files: [{path: 'apps/*/config.json'}]}}"
    text = application_set(files).replace("namespace: '{{.path.basename}}'", "namespace: '{{.space}}'")
    base = SET | {"root/set.yaml": text, "apps/ant/config.json": '{"space": "one"}'}
    found = effect(reviewed(tmp_path, base, {"apps/ant/config.json": '{"space": "two"}'}))
    assert found == {
        "argocd:ant": ["delete Deployment one/web", "create Deployment two/web"],
        "argocd:applicationset/all": ["update Application argocd/ant"],
    }


def test_charts_in_kustomizations_need_an_option_that_is_not_given(tmp_path: Path) -> None:
    base = {"root/web.yaml": application("web", "path: web"), "web/kustomization.yaml": "helmCharts: [{name: a}]\n"}
    verdict = reviewed(tmp_path, base, {"web/kustomization.yaml": "helmCharts: [{name: b}]\n"})
    assert errors(verdict) == ["helm-in-kustomize"]


def test_applications_that_a_chart_takes_from_inline_values_are_followed(tmp_path: Path) -> None:
    inner = application("inner", "path: web").replace("\n", "\n        ")
    values = (
        f"path: raw\n    helm:\n      values: |\n        text: |\n          {inner.replace(chr(10), chr(10) + '  ')}"
    )
    text = application("raw", "path: x").replace(
        "{repoURL: https://github.com/acme/gitops, path: x}",
        f"\n    repoURL: https://github.com/acme/gitops\n    {values.rstrip()}",
    )
    base = {
        "root/raw.yaml": text,
        "raw/Chart.yaml": "apiVersion: v2\nname: raw\nversion: 1.0.0\n",
        "raw/templates/all.yaml": "{{ .Values.text }}\n",
        "web/deploy.yaml": DEPLOYMENT,
    }
    found = effect(reviewed(tmp_path, base, {"web/deploy.yaml": NEWER}))
    assert found == {"argocd:inner": ["update Deployment inner/web"]}


def test_generated_applications_name_their_set_and_take_over_where_it_goes(tmp_path: Path) -> None:
    config = "version: 1\ntargets: {assign: [{match: root, cluster: prod, environment: production}]}\n"
    root = repositories.make(tmp_path, SET | {".review-bot.yaml": config}, {"apps/ant/deploy.yaml": NEWER})
    done = repositories.run("targets", str(root), "--base", "main", "--head", "change", "-o", "json")
    (target,) = json.loads(done.stdout)
    assert (target["id"], target["delivery"]["parent"]) == ("argocd:ant", "argocd:applicationset/all")
    assert (target["cluster"], target["environment"]) == ("prod", "production")
    assert target["reason"] == "apps/ant/deploy.yaml changed"


def test_what_can_no_longer_be_seen_is_not_deleted(tmp_path: Path) -> None:
    head = {"root/set.yaml": SET["root/set.yaml"].replace(FOLDERS, "{scmProvider: {}}")}
    verdict = reviewed(tmp_path, SET, head)
    assert effect(verdict) == {"argocd:applicationset/all": [], "plain:root": ["update ApplicationSet argocd/all"]}
    assert "not-seen" in [f["rule"] for f in verdict["findings"]]


def test_an_application_that_is_broken_hides_no_deletion_of_others(tmp_path: Path) -> None:
    base = {
        "root/broken.yaml": application("broken", "path: none"),
        "root/web.yaml": application("web", "path: web"),
        "web/deploy.yaml": DEPLOYMENT,
    }
    verdict = reviewed(tmp_path, base, {"root/web.yaml": None})
    assert effect(verdict)["argocd:web"] == ["delete Deployment web/web"]


def test_what_was_not_seen_on_the_base_is_shown_as_new_and_what_goes_unseen_is_said(tmp_path: Path) -> None:
    base = {
        "root/broken.yaml": application("broken", "path: wbe"),
        "root/gone.yaml": application("gone", "path: nowhere"),
        "root/more.yaml": application("more", "path: web"),
        "web/deploy.yaml": DEPLOYMENT,
    }
    head = {"root/broken.yaml": application("broken", "path: web"), "root/gone.yaml": None}
    verdict = reviewed(tmp_path, base, head)
    assert effect(verdict)["argocd:broken"] == ["create Deployment broken/web"]
    said = {f["target"]: f["message"] for f in verdict["findings"] if f["rule"] == "base-not-rendered"}
    assert said["argocd:broken"].endswith("so all of it is shown as new")
    assert said["argocd:gone"].endswith("what goes away with it is not known")
