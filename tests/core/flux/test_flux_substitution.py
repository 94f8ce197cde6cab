"""postBuild: the variables that Flux puts into what it has built."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployed import CONFIG_MAP, Deployed, deployed, kustomization

from review_bot.core.flux.secrecy import concealed, concealed_text
from review_bot.core.model import Severity

HERE = "clusters/here/apps.yaml"
FROM = "postBuild: {substituteFrom: [{kind: %s}]}"


def data(**values: str) -> str:
    rows = "".join(f'  {key}: "{value}"\n' for key, value in values.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: apps}}\ndata:\n{rows}"


def variables(name: str, kind: str = "ConfigMap", **values: str) -> str:
    field = "data" if kind == "ConfigMap" else "stringData"
    rows = "".join(f"  {key}: {value}\n" for key, value in values.items())
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: flux-system}}\n{field}:\n{rows}"


def post_build(rows: str) -> str:
    return "postBuild:\n" + "".join(f"  {row}\n" for row in rows.strip("\n").splitlines())


def built(root: Path, spec: str, text: str, **more: str) -> Deployed:
    others = {f"clusters/here/{name}.yaml": content for name, content in more.items()}
    return deployed(root, {HERE: kustomization("apps", spec), "apps/a.yaml": text, **others})


def test_inline_variables_beat_those_of_sources_and_later_sources_earlier_ones(tmp_path: Path) -> None:
    spec = post_build("""\
substitute: {one: inline}
substituteFrom:
  - {kind: ConfigMap, name: first}
  - {kind: ConfigMap, name: second}
""")
    found = built(
        tmp_path,
        spec,
        data(all="${one} ${two} ${three}"),
        first=variables("first", one="first", two="first", three="first"),
        second=variables("second", one="second", two="second"),
    )
    assert found.said() == []
    assert found.only("flux:apps")["data"] == {"all": "inline second first"}


@pytest.mark.parametrize(
    ("written", "becomes"),
    [("${none:-d}", "d"), ("${none:=d}", "d"), ("${none=d}", "d"), ("$one", "$one"), ("$${one}", "${one}")],
)
def test_the_forms_that_work(tmp_path: Path, written: str, becomes: str) -> None:
    found = built(tmp_path, post_build("substitute: {one: x}"), data(key=written))
    assert found.only("flux:apps")["data"] == {"key": becomes}


@pytest.mark.parametrize("written", ["${one-d}", "${one+x}", "${a.b}"])
def test_the_forms_that_do_not_are_errors_at_the_object(tmp_path: Path, written: str) -> None:
    found = built(tmp_path, post_build("substitute: {one: x}"), data(key=written))
    finding = found.findings[0]
    assert (finding.rule, finding.severity, finding.path) == ("render-failed", Severity.ERROR, "apps/a.yaml")
    assert "the variables in ConfigMap settings can't be substituted" in finding.message
    assert found.rendered["flux:apps"].failed


def test_a_name_that_is_none_of_a_variable_is_an_error(tmp_path: Path) -> None:
    found = built(tmp_path, post_build("substitute: {not-one: x}"), data(key="${one}"))
    assert '"not-one" is no name of a variable' in found.findings[0].message


def test_newlines_are_stripped(tmp_path: Path) -> None:
    found = built(tmp_path, post_build('substitute: {one: "a\\nb\\n"}'), data(key="[${one}]"))
    assert found.only("flux:apps")["data"] == {"key": "[ab]"}


def test_the_result_is_parsed_again_so_that_types_may_change(tmp_path: Path) -> None:
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n"
    text = thing + "spec: {replicas: '${count}', text: '\"${count}\"'}\n"
    found = built(tmp_path, post_build("substitute: {count: '3'}"), text)
    assert found.only("flux:apps", "Thing")["spec"] == {"replicas": 3, "text": '"3"'}


@pytest.mark.parametrize(("spec", "becomes"), [("", "${one:-d}"), ("substituteStrategy: Always", "d")])
def test_without_variables_nothing_is_substituted_unless_always(tmp_path: Path, spec: str, becomes: str) -> None:
    found = built(tmp_path, post_build(spec or "substitute: {}"), data(key="${one:-d}"))
    assert found.only("flux:apps")["data"] == {"key": becomes}


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_an_object_may_opt_out(tmp_path: Path, field: str) -> None:
    mark = f"name: settings, {field}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}},"
    text = data(key="${one}").replace("name: settings,", mark)
    assert built(tmp_path, post_build("substitute: {one: x}"), text).only("flux:apps")["data"] == {"key": "${one}"}


def test_a_source_that_is_missing_is_named_and_its_variables_stay(tmp_path: Path) -> None:
    spec = post_build("substitute: {one: x}\nsubstituteFrom: [{kind: Secret, name: gone}]")
    found = built(tmp_path, spec, data(key="${one} ${two} ${three:-d}"))
    assert [(f.rule, f.severity, f.path, f.line) for f in found.findings] == [("not-seen", Severity.WARNING, HERE, 9)]
    assert "the Secret flux-system/gone" in found.findings[0].message
    assert found.only("flux:apps")["data"] == {"key": "x ${two} ${three}"}


def test_an_optional_source_may_be_missing(tmp_path: Path) -> None:
    spec = post_build("substituteFrom: [{kind: Secret, name: gone, optional: true}]\nsubstitute: {one: x}")
    found = built(tmp_path, spec, data(key="${one}${two}"))
    assert found.said() == []
    assert found.only("flux:apps")["data"] == {"key": "x"}


def test_the_value_of_a_secret_is_used_and_never_shown(tmp_path: Path) -> None:
    spec = post_build("substituteFrom: [{kind: Secret, name: hidden}]")
    secret = variables("hidden", "Secret", word="hunter2", port="'54321'", flag="'true'")
    found = built(tmp_path, spec, data(word="<${word}>", port="<${port}>", flag="<${flag}>"), hidden=secret)
    shown = found.only("flux:apps")["data"]
    assert shown["word"] == f"<{concealed_text('hunter2')}>"
    assert shown["port"] != "<54321>" and len(shown["port"]) == len("<54321>")
    assert shown["flag"] == "<true>"
    delivery = found.targets["flux:apps"].delivery
    assert "hunter2" not in repr((found.rendered["flux:apps"], delivery))


def test_stand_ins_are_alike_only_for_equal_values_and_keep_their_kind() -> None:
    assert concealed({"a": ["x", 12, True, None, ""]}) == concealed({"a": ["x", 12, True, None, ""]})
    assert concealed_text("x") != concealed_text("y")
    shown = concealed({"n": 4711, "t": "4711x", "b": False})
    assert shown["n"] != 4711 and 1000 <= shown["n"] <= 9999
    assert shown["b"] is False
    assert concealed_text(concealed_text("x")) == concealed_text("x")


def test_variables_of_an_object_that_leads_nowhere_else_are_found(tmp_path: Path) -> None:
    """A folder of nothing but variables is rendered too."""
    found = deployed(
        tmp_path,
        {
            HERE: kustomization("vars", "", "vars"),
            "clusters/here/apps.yml": kustomization(
                "apps", post_build("substituteFrom: [{kind: ConfigMap, name: own}]")
            ),
            "vars/own.yaml": variables("own", one="x"),
            "apps/a.yaml": data(key="${one}"),
        },
    )
    assert found.said() == []
    assert found.only("flux:apps")["data"] == {"key": "x"}


def test_a_plain_config_map_stays_what_it_is(tmp_path: Path) -> None:
    assert built(tmp_path, "", CONFIG_MAP).only("flux:apps")["data"] == {"key": "value"}
