"""Parameters of ApplicationSets to the letter: what was held against argo-cd's own generators on random sets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argo import HERE
from test_application_sets import APPS, LIST, application_set, generated, go, rules, shown

from review_bot.core.argocd.patching import strategic
from review_bot.core.argocd.values import expanded
from review_bot.render.expander import Expander
from review_bot.render.sandbox import Limits, Sandbox

FOLDERS = f"{{git: {{repoURL: {HERE}, directories: [{{path: apps/*}}], values: {{own: '{{{{path.basename}}}}'}}}}}}"
SECRETS = """
---
apiVersion: v1
kind: Secret
metadata:
  name: one
  labels: {argocd.argoproj.io/secret-type: cluster, env: prod}
  annotations: {argocd.argoproj.io/refresh: normal, zone: a}
stringData: {name: one, server: https://one.example.com, project: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: bare, labels: {argocd.argoproj.io/secret-type: cluster}}
stringData: {name: bare, server: https://bare.example.com}
"""


@pytest.fixture(scope="module")
def words() -> Iterator[Expander]:
    expander = Expander(Sandbox(Limits()))
    yield expander
    expander.close()


def label_of(objects: str, words: Expander, label: str = "l") -> list[str]:
    return [a["metadata"]["labels"][label] for a in shown(APPS, objects, templating=words)]


def test_several_generators_in_one_entry_of_a_set_all_count() -> None:
    both = f"{{list: {{elements: [{{name: ant}}]}}, git: {{repoURL: {HERE}, directories: [{{path: apps/bee}}]}}}}"
    assert generated(APPS, application_set(both, "{{name}}{{path.basename}}")) == [
        "ant{{path.basename}}",
        "{{name}}bee",
    ]


def test_a_set_generates_in_its_own_namespace_whatever_its_template_says() -> None:
    (first, *_) = shown(APPS, application_set(LIST, "{{name}}", metadata=", namespace: elsewhere"))
    assert first["metadata"]["namespace"] == "argocd"
    patch = "  templatePatch: 'metadata: {namespace: elsewhere}'\n"
    (first, *_) = shown(APPS, application_set(LIST, "{{name}}", more=patch))
    assert first["metadata"]["namespace"] == "argocd"


def test_without_any_parameters_the_template_stays_as_it_is_and_gets_no_finalizer(words: Expander) -> None:
    one = application_set("{list: {elements: [{}]}}", "x{{ .name }}", more=go())
    (only,) = shown(APPS, one, templating=words)
    assert only["metadata"] == {"name": "x{{ .name }}", "namespace": "argocd"}


def test_a_plain_template_is_a_line_that_holds_a_whole_tag_and_an_open_tag_beside_one_is_an_error() -> None:
    plain = application_set("{list: {elements: [{name: ant}]}}", "a", metadata=', labels: {l: "{{\\nname}}"}')
    assert shown(APPS, plain)[0]["metadata"]["labels"] == {"l": "{{\nname}}"}
    spaced = application_set(
        "{list: {elements: [{name: ant}]}}", "a", metadata=", labels: {'{{ name }}': '{{{{name}}}}'}"
    )
    assert shown(APPS, spaced)[0]["metadata"]["labels"] == {"ant": "{{{{name}}}}"}
    assert rules(APPS, application_set("{list: {elements: [{name: ant}]}}", "{{name}}{{b")) == [("error", "template")]


def test_a_matrix_without_go_templates_makes_texts_of_all_parameters() -> None:
    many = "{list: {elementsYaml: '[{name: ant, size: 3, live: true, deep: {a: 1}}]'}}"
    alone = application_set(many, "x", metadata=", labels: {l: '{{size}} {{live}} {{deep}}'}")
    assert shown(APPS, alone)[0]["metadata"]["labels"] == {"l": "{{size}} {{live}} {{deep}}"}
    paired = f"{{matrix: {{generators: [{many}, {{list: {{elements: [{{b: c}}]}}}}]}}}}"
    both = application_set(paired, "x", metadata=", labels: {l: '{{size}} {{live}} {{deep}}'}")
    assert shown(APPS, both)[0]["metadata"]["labels"] == {"l": "3 true map[a:1]"}


def test_values_of_a_matrixs_second_generator_may_use_its_own_parameters_and_the_firsts(words: Expander) -> None:
    second = (
        f"{{git: {{repoURL: {HERE}, directories: [{{path: 'apps/{{{{ .name }}}}'}}], "
        "values: {mine: '{{ .path.basename }}', theirs: '{{ .name }}'}}}"
    )
    pair = f"{{matrix: {{generators: [{{list: {{elements: [{{name: ant}}, {{name: cat}}]}}}}, {second}]}}}}"
    name = "{{ .values.mine }}-{{ .values.theirs }}"
    for options in ("", "  goTemplateOptions: [missingkey=error]\n"):
        assert generated(APPS, application_set(pair, name, more=go(options)), templating=words) == [
            "ant-ant",
            "cat-cat",
        ]


def test_a_git_generator_second_in_a_matrix_finds_folders_by_the_firsts_path(words: Expander) -> None:
    first = f"{{git: {{repoURL: {HERE}, directories: [{{path: apps/*}}], pathParamPrefix: first}}}}"
    second = f"{{git: {{repoURL: {HERE}, files: [{{path: 'config/{{{{ .first.path.basename }}}}/**'}}]}}}}"
    pair = f"{{matrix: {{generators: [{first}, {second}]}}}}"
    name = "{{ .first.path.basename }}-{{ .tier.name }}"
    assert generated(APPS, application_set(pair, name, more=go()), templating=words) == ["ant-a", "bee-b"]


def test_matrix_and_merge_nest_once() -> None:
    def wrapped(inner: str) -> str:
        return f"{{matrix: {{generators: [{{list: {{elements: [{{k: v}}]}}}}, {inner}]}}}}"

    assert len(generated(APPS, application_set(wrapped(wrapped(LIST)), "{{name}}"))) == 2
    assert rules(APPS, application_set(wrapped(wrapped(wrapped(LIST))), "{{name}}")) == [("error", "generator")]


def test_labels_values_and_segments_hold_texts_so_that_what_is_not_there_is_empty(words: Expander) -> None:
    wanted = ', labels: {l: \'{{ index .metadata.labels "env" }}|{{ index .metadata.labels "none" }}|\'}'
    chosen = "{clusters: {selector: {matchLabels: {env: prod}}}}"
    assert label_of(application_set(chosen, "{{ .name }}", more=go(), metadata=wanted) + SECRETS, words) == ["prod||"]
    wrong = ", labels: {l: '{{ hasKey .metadata.labels \"env\" }}'}"
    refused = application_set(chosen, "{{ .name }}", more=go(), metadata=wrong) + SECRETS
    assert ("error", "template") in rules(APPS, refused, templating=words)


def test_clusters_give_their_project_and_only_the_metadata_that_is_theirs(words: Expander) -> None:
    wanted = ", labels: {l: '{{ .project }} {{ .metadata | toJson }}'}"
    told = application_set("{clusters: {}}", "{{ .name }}", more=go(), metadata=wanted) + SECRETS
    assert label_of(told, words) == [
        ' {"labels":{"argocd.argoproj.io/secret-type":"cluster"}}',
        " null",
        'shop {"annotations":{"zone":"a"},"labels":{"argocd.argoproj.io/secret-type":"cluster","env":"prod"}}',
    ]


def test_of_a_parameter_file_the_first_document_counts_and_of_a_key_the_last() -> None:
    files = {"c/a.yaml": "name: first\nname: second\n---\nname: third\n"}
    found = application_set(f"{{git: {{repoURL: {HERE}, files: [{{path: c/a.yaml}}]}}}}", "{{name}}")
    assert generated(files | APPS, found) == ["second"]


def test_keys_that_hold_nothing_are_lost_where_templates_are_filled_in() -> None:
    own = application_set(LIST, "{{name}}").replace(
        "path: 'apps/ant'}", "path: apps/ant, helm: {valuesObject: {gone: null, kept: [null, {gone: null}]}}}"
    )
    assert shown(APPS, own)[0]["spec"]["source"]["helm"]["valuesObject"] == {"kept": [None, {}]}


@pytest.mark.parametrize(
    "selector",
    [
        "{matchExpressions: [{key: a, operator: In}]}",
        "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
    ],
)
def test_a_selector_that_argo_cd_refuses_is_an_error_though_there_is_nothing_to_select(selector: str) -> None:
    assert rules(APPS, application_set(f"{{list: {{}}, selector: {selector}}}", "x")) == [("error", "selector")]


def test_a_cluster_is_not_selected_by_what_is_no_label() -> None:
    tagged = "{clusters: {selector: {matchLabels: {env: '{{env}}'}}}}"
    assert ("error", "selector") in rules(APPS, application_set(tagged, "x") + SECRETS)


def test_a_selector_sees_segments_as_one_text(words: Expander) -> None:
    chosen = FOLDERS.replace("path.basename", ".path.basename")[:-1]
    key = "{key: path.segments.0, operator: DoesNotExist}"
    found = application_set(f"{chosen}, selector: {{matchExpressions: [{key}]}}}}", "{{ .path.basename }}", more=go())
    assert generated(APPS, found, templating=words) == ["ant", "bee", "cat"]


def test_a_template_patch_is_a_strategic_merge_patch() -> None:
    before = {"metadata": {"labels": {"a": "1"}, "finalizers": ["x"]}, "spec": {"list": [1, 2]}}
    assert strategic(before, {"spec": {"list": [3]}})["spec"] == {"list": [3]}
    assert strategic(before, {"metadata": {"labels": {"$patch": "replace", "b": "2"}}})["metadata"]["labels"] == {
        "b": "2"
    }
    assert strategic(before, {"metadata": {"labels": {"$patch": "delete"}}})["metadata"]["labels"] == {}
    assert strategic(before, {"metadata": {"finalizers": ["y"]}})["metadata"]["finalizers"] == ["y", "x"]
    removed = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}}
    assert strategic(before, removed)["metadata"]["finalizers"] == []
    retained = application_set(LIST, "{{name}}", more="  templatePatch: 'metadata: {$retainKeys: [name]}'\n")
    assert rules(APPS, retained) == [("error", "template")]


def test_variables_expand_as_go_expands_them() -> None:
    names = {"A": "a", "A1": "b", "1": "one"}
    assert expanded("$A $A1 ${A} $$A $1x $B.", names) == "a b a $A onex ."
