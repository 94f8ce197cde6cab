"""`review-bot check` as a person runs it: real git, kustomize, helm and OPA."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import repositories
from repositories import DEPLOYMENT, POLICY

OVERLAY = "resources: [../../base]\nnamePrefix: prod-\n"
BASE = {
    "base/deploy.yaml": DEPLOYMENT,
    "base/kustomization.yaml": "resources: [deploy.yaml]\n",
    "overlays/prod/kustomization.yaml": OVERLAY,
    "overlays/staging/kustomization.yaml": OVERLAY.replace("prod", "staging"),
    "policies/main.rego": POLICY,
    "README.md": "hello\n",
}


def reviewed(root: Path, head: dict[str, str | None], base: dict[str, str] | None = None) -> dict[str, Any]:
    status, verdict = repositories.check(repositories.make(root, base or BASE, head))
    assert status == (1 if verdict["conclusion"] == "failure" else 0)
    return verdict


def errors(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in verdict["findings"] if f["severity"] == "error"]


def test_a_change_of_the_base_shows_in_every_overlay(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")})
    assert verdict["conclusion"] == "success"
    assert [t["id"] for t in verdict["targets"]] == ["kustomize:overlays/prod", "kustomize:overlays/staging"]
    assert {c["name"] for c in verdict["changes"]} == {"prod-web", "staging-web"}
    assert {tuple(c["fields"]) for c in verdict["changes"]} == {("spec.template.spec.containers[0].image",)}
    assert verdict["checks"] == {
        "render": "success",
        "schema": "success",
        "policy": "success",
        "dry-run": "not-configured",
    }


def test_a_change_that_nothing_deploys_is_neutral(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, {"README.md": "bye\n"})
    assert (verdict["conclusion"], verdict["targets"], verdict["findings"]) == ("neutral", [], [])


def test_a_policy_violation_stands_on_its_line_in_the_source(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")})
    assert verdict["conclusion"] == "failure"
    assert {(f["rule"], f["path"], f["line"], f["help"]) for f in errors(verdict)} == {
        ("no-latest-tag", "base/deploy.yaml", 15, "name a version")
    }
    assert {f["resource"]["name"] for f in errors(verdict)} == {"prod-web", "staging-web"}


def test_what_stood_before_is_shown_and_does_not_block(tmp_path: Path) -> None:
    old = {**BASE, "base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}
    verdict = reviewed(
        tmp_path, {"base/deploy.yaml": old["base/deploy.yaml"].replace("replicas: 2", "replicas: 3")}, old
    )
    assert verdict["conclusion"] == "success"
    assert [f["introduced"] for f in errors(verdict)] == [False, False]


def test_the_base_s_policies_decide_even_if_the_change_deletes_them(tmp_path: Path) -> None:
    head = {"policies/main.rego": None, "base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}
    assert reviewed(tmp_path, head)["checks"]["policy"] == "failure"


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        (DEPLOYMENT.replace("replicas: 2", "replicas: two"), "schema-type", 6),
        (DEPLOYMENT.replace("replicas:", "replica:"), "schema-unknown-field", 6),
        (DEPLOYMENT.replace("kind: Deployment", "kind: Deploymnt"), "schema-unknown-kind", 2),
        (DEPLOYMENT.replace("apps/v1", "extensions/v1beta1"), "schema-removed-api", 1),
    ],
)
def test_a_schema_error_stands_on_its_line(tmp_path: Path, text: str, rule: str, line: int) -> None:
    verdict = reviewed(tmp_path, {"base/deploy.yaml": text})
    assert verdict["conclusion"] == "failure"
    assert (rule, "base/deploy.yaml", line) in {(f["rule"], f["path"], f["line"]) for f in errors(verdict)}


def test_a_missing_file_is_named_with_who_names_it_and_what_may_be_meant(tmp_path: Path) -> None:
    head = {"base/kustomization.yaml": "resources: [deploi.yaml]\n"}
    verdict = reviewed(tmp_path, head)
    first = errors(verdict)[0]
    assert verdict["conclusion"] == "failure"
    assert verdict["changes"] == []
    assert (first["check"], first["path"], first["line"]) == ("render", "base/kustomization.yaml", 1)
    assert "base/deploi.yaml" in first["message"]
    assert first["help"] == "did you mean deploy.yaml?"


def test_unparsable_yaml_is_a_finding_with_file_and_line(tmp_path: Path) -> None:
    base = {"plain/a.yaml": DEPLOYMENT}
    verdict = reviewed(tmp_path, {"plain/a.yaml": DEPLOYMENT + "  bad: [\n"}, base)
    assert (errors(verdict)[0]["path"], errors(verdict)[0]["line"]) == ("plain/a.yaml", 16)


def test_an_alias_bomb_is_a_finding_and_quick(tmp_path: Path) -> None:
    rows = ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: x}", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    verdict = reviewed(tmp_path, {"plain/a.yaml": "\n".join(rows)}, {"plain/a.yaml": DEPLOYMENT})
    assert "too many values" in errors(verdict)[0]["message"]


def test_a_remote_base_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    head = {"overlays/prod/kustomization.yaml": "resources: ['https://example.com/x?ref=v1']\n"}
    first = errors(reviewed(tmp_path, head))[0]
    assert (first["rule"], first["line"]) == ("remote-base", 1)
    assert "vendor" in first["help"]


def test_a_chart_without_its_dependency_names_it(tmp_path: Path) -> None:
    chart = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
    dependency = "dependencies:\n  - {name: redis, version: 1.2.3, repository: 'https://charts.example.com'}\n"
    base = {"charts/web/Chart.yaml": chart, "charts/web/templates/d.yaml": DEPLOYMENT}
    first = errors(reviewed(tmp_path, {"charts/web/Chart.yaml": chart + dependency}, base))[0]
    assert first["path"] == "charts/web/Chart.yaml"
    assert "redis 1.2.3" in first["message"]
    assert "helm dependency build" in first["help"]


def test_random_values_of_a_chart_are_no_change(tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: '{{ randAlphaNum 20 }}'}\n"
    base = {
        "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "charts/web/values.yaml": "replicas: 1\n",
        "charts/web/templates/s.yaml": secret,
        "charts/web/templates/d.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: {{ .Values.replicas }}"),
    }
    verdict = reviewed(tmp_path, {"charts/web/values.yaml": "replicas: 2\n"}, base)
    assert [c["kind"] for c in verdict["changes"]] == ["Deployment"]


def test_a_symbolic_link_out_of_the_repository_shows_nothing_of_it(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {})
    (root / "overlays/prod/host.txt").symlink_to("/etc/passwd")
    kustomization = OVERLAY + "configMapGenerator: [{name: c, files: [host.txt]}]\n"
    (root / "overlays/prod/kustomization.yaml").write_text(kustomization)
    repositories.commit(root, "leak")
    status, verdict = repositories.check(root)
    assert status == 1
    assert "root:" not in json.dumps(verdict)


def test_a_policy_that_fails_is_named_and_the_others_still_judge(tmp_path: Path) -> None:
    conflict = (
        'package main\n\nboom := 1 if input.kind\nboom := 2 if input.kind\n\ndeny_boom contains "x" if boom == 3\n'
    )
    base = {**BASE, "policies/boom.rego": conflict}
    verdict = reviewed(tmp_path, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}, base)
    found = {(f["rule"], f["resource"] is None) for f in errors(verdict)}
    assert ("no-latest-tag", False) in found
    assert any(alone and "boom" in rule for rule, alone in found)


def test_a_policy_that_does_not_compile_is_named_with_its_line(tmp_path: Path) -> None:
    base = {**BASE, "policies/broken.rego": "package main\n\ndeny_x contains if {\n"}
    verdict = reviewed(tmp_path, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}, base)
    broken = [f for f in errors(verdict) if f["resource"] is None]
    assert [(f["check"], f["rule"], f["path"]) for f in broken] == [("policy", "broken", "policies/broken.rego")]
    assert "no-latest-tag" in {f["rule"] for f in errors(verdict)}


def test_rego_of_the_older_syntax_still_judges(tmp_path: Path) -> None:
    older = 'package main\n\ndeny[msg] {\n  input.spec.replicas > 5\n  msg := "too many"\n}\n'
    base = {**BASE, "policies/main.rego": older}
    verdict = reviewed(tmp_path, {"base/deploy.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 9")}, base)
    assert {f["message"] for f in errors(verdict)} == {"too many"}


def test_an_exception_suppresses_its_rule(tmp_path: Path) -> None:
    exception = 'package main\n\nexception contains ["no_latest_tag"] if input.metadata.name == "prod-web"\n'
    base = {**BASE, "policies/exceptions.rego": exception}
    verdict = reviewed(tmp_path, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}, base)
    assert {f["resource"]["name"] for f in errors(verdict)} == {"staging-web"}


def test_a_waiver_of_the_base_lets_its_rule_pass_until_its_day(tmp_path: Path) -> None:
    waiver = "version: 1\nwaivers:\n  - {rule: no-latest-tag, match: {name: '*-web'}, reason: agreed, until: %s}\n"
    head: dict[str, str | None] = {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")}
    valid = reviewed(tmp_path / "a", head, {**BASE, ".review-bot.yaml": waiver % "2999-01-01"})
    ended = reviewed(tmp_path / "b", head, {**BASE, ".review-bot.yaml": waiver % "2020-01-01"})
    assert (valid["conclusion"], ended["conclusion"]) == ("success", "failure")
    assert "agreed" in valid["findings"][0]["waived"]


def test_a_broken_configuration_blocks_with_its_line(tmp_path: Path) -> None:
    base = {**BASE, ".review-bot.yaml": "version: 1\ntargts: {}\n"}
    first = errors(reviewed(tmp_path, {"README.md": "x"}, base))[0]
    assert (first["check"], first["path"], first["line"]) == ("config", ".review-bot.yaml", 2)
    assert "targets" in first["message"]


def test_a_custom_kind_is_checked_by_its_definition_in_the_repository(tmp_path: Path) -> None:
    definition = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {kind: Gadget, plural: gadgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {size: {type: integer}}}}
"""
    gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec:\n  size: %s\n"
    base = {"crds/gadget.yaml": definition, "app/gadget.yaml": gadget % 1}
    assert reviewed(tmp_path / "a", {"app/gadget.yaml": gadget % 2}, base)["findings"] == []
    first = errors(reviewed(tmp_path / "b", {"app/gadget.yaml": gadget % "big"}, base))[0]
    assert (first["rule"], first["line"]) == ("schema-type", 5)


def test_without_policies_the_check_says_so_and_does_not_claim_success(tmp_path: Path) -> None:
    base = {name: text for name, text in BASE.items() if not name.startswith("policies")}
    verdict = reviewed(tmp_path, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "2")}, base)
    assert verdict["checks"]["policy"] == "not-configured"


def test_the_work_tree_is_reviewed_with_what_is_not_committed(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {})
    (root / "base/deploy.yaml").write_text(DEPLOYMENT.replace("replicas: 2", "replicas: 4"))
    done = repositories.run("check", str(root), "--base", "main", "-o", "json")
    assert [c["fields"] for c in json.loads(done.stdout)["changes"]] == [["spec.replicas"]] * 2


def test_the_digest_follows_the_effect_and_not_the_text(tmp_path: Path) -> None:
    one = reviewed(tmp_path / "a", {"base/deploy.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 3")})
    two = reviewed(tmp_path / "b", {"base/deploy.yaml": "# said\n" + DEPLOYMENT.replace("replicas: 2", "replicas:  3")})
    three = reviewed(tmp_path / "c", {"base/deploy.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 5")})
    assert one["effect_digest"] == two["effect_digest"] != three["effect_digest"]


@pytest.mark.parametrize("words", [("--base", "nowhere"), ("--base", "--exec=x"), ("--base", "main", "--config", "no")])
def test_wrong_usage_ends_with_2_and_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = repositories.run("check", str(repositories.make(tmp_path, BASE, {})), *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_no_repository_is_wrong_usage(tmp_path: Path) -> None:
    done = repositories.run("check", str(tmp_path), "--base", "main")
    assert done.returncode == 2
    assert "not a git repository" in done.stderr


@pytest.mark.parametrize("form", ["text", "markdown", "sarif", "junit"])
def test_every_format_tells_the_problem(tmp_path: Path, form: str) -> None:
    root = repositories.make(tmp_path, BASE, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", "latest")})
    done = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", form)
    assert done.returncode == 1
    assert "no-latest-tag" in done.stdout
    if form == "sarif":
        assert json.loads(done.stdout)["version"] == "2.1.0"
    if form == "junit":
        assert ElementTree.fromstring(done.stdout).get("failures") == "2"


def test_text_of_a_pull_request_can_not_mention_or_break_out(tmp_path: Path) -> None:
    name = "x`@everyone</details><!-- marker -->"
    evil = DEPLOYMENT.replace("name: web\nspec", f"name: {json.dumps(name)}\nspec").replace(
        "- name: web", "- name: '```'"
    )
    root = repositories.make(tmp_path, BASE, {"base/deploy.yaml": evil})
    shown = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", "markdown").stdout
    outside = "".join(part for part in shown.split("````")[::2])
    assert "@everyone" not in outside
    assert "<!-- marker" not in outside


def test_rendering_sees_neither_the_environment_nor_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_TOKEN", "hush")
    template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {v: '{{ .Files.Get \"/etc/passwd\" }}'}\n"
    base = {"charts/a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n", "charts/a/templates/c.yaml": template}
    verdict = reviewed(tmp_path, {"charts/a/values.yaml": "x: 1\n"}, base)
    assert "hush" not in json.dumps(verdict)
    assert "root:" not in json.dumps(verdict)


def test_what_was_rendered_once_is_taken_from_the_cache(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {"base/deploy.yaml": DEPLOYMENT.replace("1.4.2", f"t{time.time_ns()}")})
    first, second = repositories.check(root)[1], repositories.check(root)[1]
    drop = ("duration_ms",)
    assert {k: v for k, v in first.items() if k not in drop} == {k: v for k, v in second.items() if k not in drop}


def test_a_broken_policy_does_not_keep_out_what_mends_it(tmp_path: Path) -> None:
    base = {**BASE, "policies/broken.rego": "package main\n\ndeny_x contains if {\n"}
    assert reviewed(tmp_path, {"policies/broken.rego": None}, base)["conclusion"] == "neutral"


def test_a_file_name_of_any_bytes_is_reviewed(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {})
    name = b"overlays/prod/\xff\x1b[31m.yaml"
    with open(bytes(root) + b"/" + name, "wb") as file:
        file.write(DEPLOYMENT.encode())
    repositories.commit(root, "odd name")
    for form in ("json", "text", "markdown"):
        done = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", form)
        assert done.returncode in (0, 1), done.stderr
        assert "\x1b" not in done.stdout


def test_a_finding_stands_on_the_overlay_that_made_the_change(tmp_path: Path) -> None:
    images = "images: [{name: example.com/web, newTag: latest}]\n"
    verdict = reviewed(tmp_path, {"overlays/prod/kustomization.yaml": OVERLAY + images})
    line = len(OVERLAY.splitlines()) + 1
    assert {(f["path"], f["line"]) for f in errors(verdict)} == {("overlays/prod/kustomization.yaml", line)}


def test_a_removed_object_is_judged_by_the_package_for_deletions(tmp_path: Path) -> None:
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    rule = 'package deletion\n\ndeny_claim contains "the data goes with it" if input.kind == "PersistentVolumeClaim"\n'
    base = {**BASE, "policies/deletion.rego": rule, "db/claim.yaml": claim}
    first = errors(reviewed(tmp_path, {"db/claim.yaml": None}, base))[0]
    assert (first["rule"], first["message"], first["path"]) == ("claim", "the data goes with it", "db/claim.yaml")


def test_a_policy_can_ask_for_an_approval_and_finds_nothing_wrong(tmp_path: Path) -> None:
    policy = """\
package main

require_approval_scaling contains {"msg": "it grows beyond five", "team": "acme/capacity", "count": 2} if {
	input.spec.replicas > 5
	data.review_bot.old.spec.replicas <= 5
}
"""
    head = {"base/deploy.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 6")}
    verdict = reviewed(tmp_path, head, BASE | {"policies/scaling.rego": policy})
    assert verdict["conclusion"] == "success"
    assert [(f["rule"], f["severity"]) for f in verdict["findings"]] == [("scaling", "notice")] * 2
    assert [(d["rule"], d["name"], d["teams"], d["count"]) for d in verdict["demands"]] == [
        ("scaling", "prod-web", ["acme/capacity"], 2),
        ("scaling", "staging-web", ["acme/capacity"], 2),
    ]


def test_a_policy_that_asks_nonsense_fails_by_itself(tmp_path: Path) -> None:
    policy = 'package main\n\nrequire_approval contains {"msg": "x", "count": 0} if input.spec.replicas == 3\n'
    head = {"base/deploy.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 3")}
    verdict = reviewed(tmp_path, head, BASE | {"policies/scaling.rego": policy})
    assert verdict["conclusion"] == "failure"
    assert "asks for 0 approvals" in errors(verdict)[0]["message"]


def test_a_custom_kind_without_a_schema_is_told_once_and_not_for_each_object(tmp_path: Path) -> None:
    row = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w%d}\nspec: {size: %d}\n---\n"
    base = {"web/widgets.yaml": "".join(row % (i, 1) for i in range(5))}
    root = repositories.make(tmp_path, base, {"web/widgets.yaml": "".join(row % (i, 2) for i in range(5))})
    text = repositories.run("check", str(root), "--base", "main", "--head", "change").stdout
    assert text.count("schema-unknown-kind") == 1
    assert "and so for 4 more objects" in text
    assert "1 remark " in text
    markdown = repositories.run("check", str(root), "--base", "main", "--head", "change", "-o", "markdown").stdout
    assert "Worth a look: 1 remark<" in markdown
