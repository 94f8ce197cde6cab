"""ApplicationSets: generators and templates, as ../shared/SEMANTICS.md states Argo CD's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from argo import HERE, MAP, Remotes, application, around, expand, told

from review_bot.core.argocd import ArgoCD
from review_bot.core.argocd.values import printed
from review_bot.core.delivery import Expansion
from review_bot.core.model import Severity
from review_bot.render.expander import Expander
from review_bot.render.sandbox import Limits, Sandbox

APPS = {f"apps/{name}/map.yaml": MAP for name in ("ant", "bee", "cat", "bee/deep")} | {
    ".hidden/apps/map.yaml": MAP,
    "apps/.x/map.yaml": MAP,
    "config/ant/config.json": '{"tier": {"name": "a"}, "size": 3, "on": true, "list": ["x"], "path": "lost"}',
    "config/bee/deep/config.json": '{"tier": {"name": "b"}, "size": 1000000}',
    "config/cat.yaml": "[{tier: {name: c}}, {tier: {name: d}}]",
}
TEMPLATE = f"""
    spec:
      project: default
      source: {{repoURL: {HERE}, path: 'PATH'}}
      destination: {{server: https://kubernetes.default.svc, namespace: web}}
"""


@pytest.fixture(scope="module")
def words() -> Iterator[Expander]:
    expander = Expander(Sandbox(Limits()))
    yield expander
    expander.close()


def application_set(generators: str, name: str, *, path: str = "apps/ant", more: str = "", metadata: str = "") -> str:
    """A set whose generators are a flow list."""
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all, namespace: argocd}\nspec:\n"
        f"{more}  generators: [{generators}]\n  template:\n"
        f"    metadata: {{name: '{name}'{metadata}}}" + TEMPLATE.replace("PATH", path)
    )


def go(text: str = "") -> str:
    return f"  goTemplate: true\n{text}"


def names(found: Expansion) -> list[str]:
    """The ids of generated Applications, in their order."""
    return [t.id.partition(":")[2] for t in found.targets if t.delivery and t.delivery.object.kind == "Application"]


def generated(files: Mapping[str, str], objects: str, **more: Any) -> list[str]:
    _, found = expand(files, objects, **more)
    assert [f.message for f in found.findings] == []
    return names(found)


def rules(files: Mapping[str, str], objects: str, **more: Any) -> list[tuple[str, str]]:
    return [(str(f.severity), f.rule) for f in expand(files, objects, **more)[1].findings]


def shown(files: Mapping[str, str], objects: str, **more: Any) -> list[dict[str, Any]]:
    """The manifests of the generated Applications, as the set's own target shows them."""
    side, found = expand(files, objects, **more)
    (part,) = next(t for t in found.targets if t.id.startswith("argocd:applicationset/")).parts
    (path,) = part.reads or ()
    return [json.loads(text) for text in (side.graft.read(path) or b"").decode().split("\n---\n") if text]


LIST = "{list: {elements: [{name: bee, path: apps/bee}, {name: ant, path: apps/ant}]}}"


def test_a_list_generates_applications_sorted_by_name_each_a_target_beside_that_of_the_set() -> None:
    _, found = expand(APPS, application_set(LIST, "{{name}}", path="{{ path }}"))
    assert [t.id for t in found.targets] == ["argocd:applicationset/all", "argocd:ant", "argocd:bee"]
    top, ant, _ = found.targets
    assert ant.delivery is not None and top.delivery is not None
    assert (ant.path, ant.delivery.parent, top.delivery.parent) == (
        "apps/ant",
        "argocd:applicationset/all",
        "plain:top",
    )
    assert top.parts[0].path == ".~argocd-set-all"


def test_generated_applications_are_objects_of_the_sets_own_target() -> None:
    first = shown(APPS, application_set(LIST, "{{name}}", path="{{path}}"))[0]
    assert (first["kind"], first["metadata"]["name"], first["metadata"]["namespace"]) == (
        "Application",
        "ant",
        "argocd",
    )
    assert first["spec"]["source"]["path"] == "apps/ant"


def test_what_stands_in_the_output_of_a_set_is_not_expanded_twice() -> None:
    side = around(APPS, application_set(LIST, "{{name}}", path="{{path}}"))
    tool = ArgoCD()
    once = tool.expand(side)
    again = [t for m in shown(APPS, application_set(LIST, "{{name}}")) for t in told(json.dumps(m), once.targets[0])]
    side.objects = [*side.objects, *again]
    assert tool.expand(side) == once


def test_equal_sets_give_equal_targets_in_every_round() -> None:
    text = application_set(LIST, "{{name}}", path="{{path}}")
    assert expand(APPS, text)[1] == expand(APPS, text)[1]


def test_without_go_templates_only_texts_are_replaced_and_an_unknown_tag_stays_as_it_is() -> None:
    text = application_set(LIST, "{{name}}", metadata=", labels: {a: '{{none}} {{ name }}', '{{name}}': x}")
    assert shown(APPS, text)[0]["metadata"]["labels"] == {"a": "{{none}} ant", "ant": "x"}


def test_with_go_templates_texts_and_keys_are_templates_with_sprig(words: Expander) -> None:
    labels = ", labels: {'{{.name}}': '{{ .name | upper | quote }}', none: '{{.none}}'}"
    text = application_set(LIST, "{{.name}}", more=go(), metadata=labels)
    assert shown(APPS, text, templating=words)[0]["metadata"]["labels"] == {"ant": '"ANT"', "none": "<no value>"}


def test_a_missing_key_is_an_error_if_the_options_say_so_and_names_field_and_parameters(words: Expander) -> None:
    text = application_set(LIST, "{{.none}}", more=go("  goTemplateOptions: [missingkey=error]\n"))
    _, found = expand(APPS, text, templating=words)
    (finding,) = found.findings
    assert (finding.severity, finding.rule, finding.path, finding.line) == (
        Severity.ERROR,
        "template",
        "top/app.yaml",
        9,
    )
    assert 'map has no entry for key "none"' in finding.message
    assert finding.message.endswith("with the parameters of apps/bee")
    assert [(t.id, t.parts) for t in found.targets] == [("argocd:applicationset/all", ())]


def test_elements_without_go_templates_are_texts() -> None:
    assert rules(APPS, application_set("{list: {elements: [{name: 3}]}}", "a{{name}}")) == [("error", "generator")]
    elements = "{list: {elements: [{name: x, values: {a: b}}]}}"
    assert generated(APPS, application_set(elements, "{{name}}-{{values.a}}")) == ["x-b"]


def test_elements_can_be_yaml_in_a_text(words: Expander) -> None:
    elements = "{list: {elements: [], elementsYaml: '[{name: x, size: 3}]'}}"
    assert generated(APPS, application_set(elements, "{{.name}}-{{.size}}", more=go()), templating=words) == ["x-3"]


def git(what: str, more: str = "") -> str:
    return f"{{git: {{repoURL: {HERE}, revision: HEAD, {what}{more}}}}}"


def test_git_directories_match_the_full_path_a_star_stops_at_folders_and_exclude_wins() -> None:
    folders = "directories: [{path: apps/*}, {path: apps/bee, exclude: true}]"
    assert generated(APPS, application_set(git(folders), "{{path.basename}}")) == ["ant", "cat"]
    assert generated(APPS, application_set(git("directories: [{path: apps/*/*}]"), "{{path[1]}}-{{path[2]}}")) == [
        "bee-deep"
    ]


def test_git_directories_leave_out_what_begins_with_a_dot() -> None:
    assert generated(APPS, application_set(git("directories: [{path: '*'}]"), "x-{{path}}")) == ["x-apps", "x-config"]


def test_git_directories_tell_their_path(words: Expander) -> None:
    files = {"apps/My_App/map.yaml": MAP}
    folders = git("directories: [{path: apps/*}]")
    text = application_set(folders, "{{path.basenameNormalized}}", path="{{path}}")
    assert generated(files, text) == ["my-app"]
    go_text = "{{.path.basenameNormalized}}-{{index .path.segments 0}}"
    assert generated(files, application_set(folders, go_text, path="{{.path.path}}", more=go()), templating=words) == [
        "my-app-apps"
    ]


def test_a_prefix_keeps_paths_of_two_generators_apart(words: Expander) -> None:
    folders = git("directories: [{path: apps/ant}]", ", pathParamPrefix: app")
    assert generated(APPS, application_set(folders, "x-{{app.path.basename}}-{{app.path[0]}}")) == ["x-ant-apps"]
    text = application_set(folders, "x-{{.app.path.basename}}", more=go())
    assert generated(APPS, text, templating=words) == ["x-ant"]


def test_git_files_match_over_folders_and_are_flattened_to_texts() -> None:
    files = git("files: [{path: 'config/*.json'}]")
    text = application_set(files, "{{tier.name}}-{{size}}-{{path.basename}}-{{path.filenameNormalized}}")
    assert generated(APPS, text) == ["a-3-ant-config.json", "b-1e+06-deep-config.json"]


def test_git_files_keep_their_structure_with_go_templates(words: Expander) -> None:
    files = git("files: [{path: config}, {path: config/cat.yaml, exclude: true}]")
    text = application_set(files, "{{.tier.name}}-{{.path.basename}}-{{.path.filename}}", more=go())
    assert generated(APPS, text, templating=words) == ["a-ant-config.json", "b-deep-config.json"]


def test_a_file_can_hold_several_sets_of_parameters_and_is_read_by_the_sets_target() -> None:
    _, found = expand(APPS, application_set(git("files: [{path: '*/cat.yaml'}]"), "{{tier.name}}"))
    assert names(found) == ["c", "d"]
    assert found.targets[0].reads == {"config/cat.yaml"}


def test_a_parameter_file_that_is_none_is_an_error_of_that_file() -> None:
    files = APPS | {"config/bad.yaml": "a: [\n"}
    _, found = expand(files, application_set(git("files: [{path: config/bad.yaml}]"), "x"))
    assert [(f.rule, f.path) for f in found.findings] == [("parameter-file", "config/bad.yaml")]


def test_values_are_added_with_the_parameters_in_them(words: Expander) -> None:
    folders = git("directories: [{path: apps/ant}]", ", values: {a: 'v-{{path.basename}}'}")
    assert generated(APPS, application_set(folders, "{{values.a}}")) == ["v-ant"]
    folders = git("directories: [{path: apps/ant}]", ", values: {a: 'v-{{.path.basename}}'}")
    assert generated(APPS, application_set(folders, "{{.values.a}}", more=go()), templating=words) == ["v-ant"]


CLUSTERS = (
    "argocd: {clusters: [{name: Prod_EU, server: https://eu, labels: {env: prod}, annotations: {zone: a}}, "
    "{name: test, server: https://test, labels: {env: test}}]}\n"
)
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: cluster-x, labels: {argocd.argoproj.io/secret-type: cluster, env: prod}}
data: {name: eA==, server: aHR0cHM6Ly94, config: c2VjcmV0}
---
"""


def test_clusters_are_those_of_secrets_and_of_the_configuration_with_the_local_one_without_a_selector() -> None:
    text = SECRET + application_set("{clusters: {}}", "{{nameNormalized}}")
    assert generated(APPS, text, config=CLUSTERS) == ["in-cluster", "prod-eu", "test", "x"]


def test_a_selector_chooses_clusters_by_labels_and_leaves_the_local_one_out() -> None:
    chosen = "{clusters: {selector: {matchLabels: {env: prod}}}}"
    text = SECRET + application_set(chosen, "{{nameNormalized}}-{{metadata.labels.env}}")
    assert generated(APPS, text, config=CLUSTERS) == ["prod-eu-prod", "x-prod"]


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("{key: env, operator: In, values: [test, x]}", ["test"]),
        ("{key: env, operator: NotIn, values: [test]}", ["prod-eu"]),
        ("{key: env, operator: Exists}", ["prod-eu", "test"]),
        ("{key: none, operator: DoesNotExist}", ["prod-eu", "test"]),
    ],
)
def test_selectors_have_expressions(expression: str, chosen: list[str]) -> None:
    text = application_set(f"{{clusters: {{selector: {{matchExpressions: [{expression}]}}}}}}", "{{nameNormalized}}")
    assert generated(APPS, text, config=CLUSTERS) == chosen


def test_an_operator_that_there_is_not_is_an_error() -> None:
    expression = "{key: env, operator: Like}"
    text = application_set(f"{{clusters: {{selector: {{matchExpressions: [{expression}]}}}}}}", "x")
    assert rules(APPS, text, config=CLUSTERS) == [("error", "selector")]


def test_clusters_have_structure_with_go_templates_and_can_be_one_list(words: Expander) -> None:
    text = application_set(
        "{clusters: {selector: {matchLabels: {env: prod}}}}", "{{.metadata.annotations.zone}}", more=go()
    )
    assert generated(APPS, text, config=CLUSTERS, templating=words) == ["a"]
    flat = "{clusters: {flatList: true, selector: {matchExpressions: [{key: env, operator: Exists}]}}}"
    text = application_set(flat, "{{range .clusters}}{{.nameNormalized}}.{{end}}x", more=go())
    assert generated(APPS, text, config=CLUSTERS, templating=words) == ["prod-eu.test.x"]


def test_unknown_clusters_are_not_seen_rather_than_none() -> None:
    chosen = "{clusters: {selector: {matchLabels: {env: prod}}}}"
    _, found = expand(APPS, application_set(chosen, "{{name}}"))
    assert [(f.severity, f.rule) for f in found.findings] == [(Severity.WARNING, "not-seen")]
    assert [t.parts for t in found.targets] == [()]
    assert rules(APPS, application_set("{clusters: {}}", "{{name}}")) == [("warning", "not-seen")]


def test_of_a_clusters_secret_nothing_but_name_address_and_labels_is_read() -> None:
    text = SECRET + application_set("{clusters: {}}", "{{nameNormalized}}", metadata=", labels: {a: '{{config}}'}")
    manifests = shown(APPS, text)
    assert "secret" not in json.dumps(manifests) and "c2VjcmV0" not in json.dumps(manifests)


TWO = "{list: {elements: [{env: a}, {env: b}]}}"


def test_a_matrix_pairs_two_generators_of_which_the_second_may_use_the_firsts_parameters(words: Expander) -> None:
    matrix = (
        f"{{matrix: {{generators: [{TWO}, {git('directories: [{path: apps/*}, {path: apps/cat, exclude: true}]')}]}}}}"
    )
    assert generated(APPS, application_set(matrix, "{{env}}-{{path.basename}}")) == ["a-ant", "a-bee", "b-ant", "b-bee"]
    first = "{list: {elements: [{name: ant}, {name: cat}]}}"
    second = git("directories: [{path: 'apps/{{name}}'}]")
    assert generated(
        APPS, application_set(f"{{matrix: {{generators: [{first}, {second}]}}}}", "{{name}}-{{path[0]}}")
    ) == [
        "ant-apps",
        "cat-apps",
    ]
    second = second.replace("{{name}}", "{{.name}}")
    text = application_set(f"{{matrix: {{generators: [{first}, {second}]}}}}", "{{.path.basename}}", more=go())
    assert generated(APPS, text, templating=words) == ["ant", "cat"]


def test_a_matrix_takes_exactly_two_generators() -> None:
    for inner in (TWO, f"{TWO}, {TWO}, {TWO}"):
        text = application_set(f"{{matrix: {{generators: [{inner}]}}}}", "{{env}}")
        assert rules(APPS, text) == [("error", "generator")]


def test_on_a_conflict_in_a_matrix_the_first_wins_with_go_templates_else_it_is_an_error(words: Expander) -> None:
    other = "{list: {elements: [{env: c, more: d}]}}"
    matrix = f"{{matrix: {{generators: [{TWO}, {other}]}}}}"
    assert rules(APPS, application_set(matrix, "{{env}}")) == [("error", "generator")]
    text = application_set(matrix, "{{.env}}-{{.more}}", more=go())
    assert generated(APPS, text, templating=words) == ["a-d", "b-d"]


def test_a_merge_overrides_the_first_generator_by_keys_and_drops_what_only_overrides_have(words: Expander) -> None:
    base = "{list: {elements: [{env: a, size: '1'}, {env: b, size: '1'}]}}"
    override = "{list: {elements: [{env: b, size: '2'}, {env: z, size: '9'}]}}"
    merge = f"{{merge: {{mergeKeys: [env], generators: [{base}, {override}]}}}}"
    assert generated(APPS, application_set(merge, "{{env}}-{{size}}")) == ["a-1", "b-2"]
    text = application_set(merge, "{{.env}}-{{.size}}", more=go())
    assert generated(APPS, text, templating=words) == ["a-1", "b-2"]


def test_duplicates_in_a_merge_and_missing_keys_are_errors() -> None:
    doubled = "{list: {elements: [{env: a}, {env: a}]}}"
    assert rules(APPS, application_set(f"{{merge: {{mergeKeys: [env], generators: [{doubled}, {TWO}]}}}}", "x")) == [
        ("error", "generator")
    ]
    assert rules(APPS, application_set(f"{{merge: {{generators: [{TWO}, {TWO}]}}}}", "x")) == [("error", "generator")]
    assert rules(APPS, application_set(f"{{merge: {{mergeKeys: [env], generators: [{TWO}]}}}}", "x")) == [
        ("error", "generator")
    ]


def test_a_selector_after_a_generator_chooses_among_its_parameters() -> None:
    selected = "{list: {elements: [{env: a}, {env: b}]}, selector: {matchLabels: {env: b}}}"
    assert generated(APPS, application_set(selected, "{{env}}")) == ["b"]
    merge = f"{{merge: {{mergeKeys: [env], generators: [{selected}, {TWO}]}}}}"
    assert generated(APPS, application_set(merge, "{{env}}")) == ["b"]


def test_a_generators_own_template_wins_over_that_of_the_set() -> None:
    own = "template: {metadata: {name: 'own-{{name}}'}, spec: {source: {path: apps/cat}}}"
    both = f"{{list: {{elements: [{{name: x}}], {own}}}}}, {{list: {{elements: [{{name: two}}]}}}}"
    manifests = shown(APPS, application_set(both, "{{name}}"))
    assert [(m["metadata"]["name"], m["spec"]["source"]) for m in manifests] == [
        ("own-x", {"repoURL": HERE, "path": "apps/cat"}),
        ("two", {"repoURL": HERE, "path": "apps/ant"}),
    ]


def test_a_template_patch_changes_all_but_the_project(words: Expander) -> None:
    patch = (
        "  templatePatch: |\n    metadata: {labels: {a: '{{.name}}'}}\n"
        "    spec: {project: evil, source: {path: apps/cat, helm: {values: x}}}\n"
    )
    first = shown(APPS, application_set(LIST, "{{.name}}", more=go(patch)), templating=words)[0]
    assert first["metadata"]["labels"] == {"a": "ant"}
    assert first["spec"]["project"] == "default"
    assert first["spec"]["source"] == {"repoURL": HERE, "path": "apps/cat", "helm": {"values": "x"}}


def test_a_template_patch_that_is_no_yaml_is_an_error() -> None:
    text = application_set(LIST, "{{name}}", more="  templatePatch: '{a: ['\n")
    assert rules(APPS, text) == [("error", "template")]


def test_two_applications_of_one_name_are_an_error_and_none_is_generated() -> None:
    _, found = expand(APPS, application_set(LIST, "same"))
    assert [(f.rule, f.severity) for f in found.findings] == [("same-name", Severity.ERROR)]
    assert [(t.id, t.parts) for t in found.targets] == [("argocd:applicationset/all", ())]


@pytest.mark.parametrize("kind", ["scmProvider", "pullRequest", "plugin", "clusterDecisionResource"])
def test_generators_that_ask_the_world_are_not_seen_and_others_are(kind: str) -> None:
    _, found = expand(APPS, application_set(f"{{{kind}: {{}}}}", "{{name}}"))
    assert [(f.rule, f.severity) for f in found.findings] == [("not-seen", Severity.WARNING)]
    assert [t.parts for t in found.targets] == [()]
    _, found = expand(APPS, application_set(f"{{{kind}: {{}}}}, {LIST}", "{{name}}"))
    assert names(found) == ["ant", "bee"]


def test_a_generator_that_yields_nothing_says_so() -> None:
    _, found = expand(APPS, application_set(git("directories: [{path: none/*}]"), "x"))
    assert [(f.rule, f.severity) for f in found.findings] == [("generates-nothing", Severity.NOTICE)]
    assert [len(t.parts) for t in found.targets] == [1]


def test_an_unknown_generator_is_an_error() -> None:
    assert rules(APPS, application_set("{lists: {}}", "x")) == [("error", "generator")]
    two = "{list: {elements: [{name: a}]}, git: {}}"
    assert rules(APPS, application_set(f"{{matrix: {{generators: [{two}, {LIST}]}}}}", "x")) == [("error", "generator")]


def test_generated_applications_take_their_objects_along_unless_the_policy_preserves_them() -> None:
    assert shown(APPS, application_set(LIST, "{{name}}"))[0]["metadata"]["finalizers"] == [
        "resources-finalizer.argocd.argoproj.io"
    ]
    preserved = application_set(LIST, "{{name}}", more="  syncPolicy: {preserveResourcesOnDeletion: true}\n")
    assert "finalizers" not in shown(APPS, preserved)[0]["metadata"]


@pytest.mark.parametrize(("policy", "prunes"), [("create-only", False), ("create-update", False), ("sync", True)])
def test_what_the_policy_of_a_set_holds_back_is_said(policy: str, prunes: bool) -> None:
    text = application_set(LIST, "{{name}}", more=f"  syncPolicy: {{applicationsSync: {policy}}}\n")
    _, found = expand(APPS, text)
    assert found.targets[0].delivery is not None and found.targets[0].delivery.prune is prunes
    assert [f.rule for f in found.findings] == ([] if policy == "sync" else ["applications-sync"])


def test_findings_of_a_generated_application_stand_at_the_templates_field() -> None:
    _, found = expand(APPS, application_set(LIST, "{{name}}", path="none/{{name}}"))
    assert [(f.rule, f.target, f.line) for f in found.findings] == [
        ("no-such-folder", "argocd:ant", 10),
        ("no-such-folder", "argocd:bee", 10),
    ]


def test_a_set_of_another_namespace_generates_there() -> None:
    text = application_set(LIST, "{{name}}").replace("namespace: argocd", "namespace: team-a")
    _, found = expand(APPS, text)
    assert [t.id for t in found.targets] == [
        "argocd:applicationset/team-a/all",
        "argocd:team-a/ant",
        "argocd:team-a/bee",
    ]


def test_patches_of_kustomize_in_a_template_do_not_hide_the_applications() -> None:
    text = application_set(LIST, "{{name}}", metadata=", annotations: {a: kustomize.config.k8s.io/v1}")
    side, found = expand(APPS, text)
    (path,) = found.targets[0].parts[0].reads or ()
    assert b".io/" not in (side.graft.read(path) or b"")
    assert shown(APPS, text)[0]["metadata"]["annotations"] == {"a": "kustomize.config.k8s.io/v1"}


@pytest.mark.parametrize(
    "value", [0, 3, -1.5, 100000, 1000000, 123456789, 0.0001, 0.00001, 1e21, True, None, [1, "a"], {"b": 1}]
)
def test_values_are_printed_as_go_prints_them(words: Expander, value: Any) -> None:
    (text,) = words.go_templates("{{ printf `%v` .v }}", [{"v": value}])
    assert printed(value) == text


def test_small_sets_can_not_ask_for_very_much() -> None:
    many = "{list: {elements: [" + ", ".join(f"{{X: a{n}}}" for n in range(200)) + "]}}"
    matrix = "{matrix: {generators: [" + many.replace("X", "one") + ", " + many.replace("X", "two") + "]}}"
    assert rules(APPS, application_set(matrix, "{{one}}-{{two}}")) == [("error", "generator")]
    long = "{list: {elements: [{name: x, long: " + "y" * 100_000 + "}]}}"
    text = application_set(long, "{{name}}", metadata=", annotations: {a: '" + "{{long}}" * 700 + "'}")
    assert rules(APPS, text) == [("error", "template")]


def test_two_sets_that_generate_one_name_are_told() -> None:
    other = application_set(LIST, "{{name}}", path="apps/cat").replace("name: all", "name: other")
    _, found = expand(APPS, f"{application_set(LIST, '{{name}}', path='{{path}}')}---\n{other}")
    assert [(f.rule, f.target) for f in found.findings] == [
        ("defined-twice", "argocd:ant"),
        ("defined-twice", "argocd:bee"),
    ]
    assert names(found) == ["ant", "bee"]


@pytest.mark.parametrize("patch", ["metadata: text", "spec: [a]", "metadata: {finalizers: [{a: b}]}", "[a]"])
def test_a_template_patch_of_another_form_is_an_error(patch: str) -> None:
    assert rules(APPS, application_set(LIST, "{{name}}", more=f"  templatePatch: '{patch}'\n")) == [("error", "argocd")]


def test_finalizers_of_a_template_patch_are_added() -> None:
    patch = "  templatePatch: 'metadata: {finalizers: [own]}'\n"
    assert shown(APPS, application_set(LIST, "{{name}}", more=patch))[0]["metadata"]["finalizers"] == [
        "own",
        "resources-finalizer.argocd.argoproj.io",
    ]


def test_copies_of_folders_in_another_repository_are_no_directories_of_it() -> None:
    other = "https://github.com/acme/other"
    remotes = Remotes({other: {"apps/one/kustomization.yaml": "resources: []\n", "apps/t~wo/map.yaml": MAP}})
    edits = application("path: apps/one, kustomize: {namePrefix: a-}", name="first").replace(HERE, other)
    folders = git("directories: [{path: apps/*}]").replace(HERE, other)
    text = f"{edits}---\n{application_set(folders, 'x-{{path.basenameNormalized}}')}"
    assert generated(APPS, text, remotes=remotes) == ["first", "x-one", "x-t-wo"]
