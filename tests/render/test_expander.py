"""The small languages of delivery tools mean here what they mean to the tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from review_bot.core.delivery import Variable
from review_bot.core.errors import InputError
from review_bot.render.expander import Expander
from review_bot.render.sandbox import Limits, Sandbox


@pytest.fixture(scope="module")
def words() -> Iterator[Expander]:
    expander = Expander(Sandbox(Limits()))
    yield expander
    expander.close()


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${v}", "web"),
        ("${v:-d}", "web"),
        ("${none:-d}", "d"),
        ("${none:=d}", "d"),
        ("${none=d}", "d"),
        ("[${none}]", "[]"),
        ("$v", "$v"),
        ("$${v}", "${v}"),
    ],
)
def test_flux_substitutes(words: Expander, text: str, result: str) -> None:
    assert words.substitute([text], {"v": "web"}) == [result]


@pytest.mark.parametrize("text", ["${v-d}", "${v+x}", "${a.b}"])
def test_what_flux_can_not_substitute_is_an_error_that_tells_which_text(words: Expander, text: str) -> None:
    with pytest.raises(InputError, match=r"^1: "):
        words.substitute(["fine", text], {})


@pytest.mark.parametrize(
    ("template", "options", "result"),
    [
        ("{{ .path.basename | upper }}", (), "WEB"),
        ("{{ .missing }}", (), "<no value>"),
        ("{{ slugify 12 true .branch }}", (), "feature-x-a"),
        ("{{ normalize .branch }}", (), "feature-x-a-long-one"),
        ("{{ toYaml .path }}", (), "basename: web"),
        ('{{ (fromYaml "a: [1]").a }}', (), "[1]"),
        ('{{ index (fromYamlArray "[b, c]") 1 }}', (), "c"),
        ("{{path}}", ("missingkey=error",), None),
        ("{{ .missing }}", ("missingkey=error",), None),
        ('{{ env "HOME" }}', (), None),
    ],
)
def test_application_sets_have_the_words_of_go(
    words: Expander, template: str, options: tuple[str, ...], result: str | None
) -> None:
    parameters = [{"path": {"basename": "web"}, "branch": "Feature_X/a long one"}]
    if result is None:
        with pytest.raises(InputError):
            words.go_templates(template, parameters, options)
    else:
        assert words.go_templates(template, parameters, options) == [result]


def test_keys_are_templates_too_and_other_values_stay_what_they_are(words: Expander) -> None:
    template = {"{{.a}}": ["{{.a}}", 1, True, None, "plain"]}
    assert words.go_templates(template, [{"a": "x"}, {"a": "y"}]) == [
        {"x": ["x", 1, True, None, "plain"]},
        {"y": ["y", 1, True, None, "plain"]},
    ]


def test_other_delimiters(words: Expander) -> None:
    assert words.go_templates("<< .a >> {{ .a }}", [{"a": 1}], delimiters=("<<", ">>")) == ["1 {{ .a }}"]


def test_jsonnet_sees_the_files_that_it_is_given(words: Expander) -> None:
    files = {
        "app/main.jsonnet": "(import 'part.libsonnet') + (import 'lib.libsonnet') + {x: std.extVar('x')}",
        "app/part.libsonnet": "{part: true}",
        "vendor/lib.libsonnet": "{lib: 1}",
    }
    external = [Variable("x", "1 + 1", code=True)]
    assert words.jsonnet("app/main.jsonnet", files, ["vendor"], external) == {"part": True, "lib": 1, "x": 2}
    with pytest.raises(InputError, match="there is no file /etc/hostname"):
        words.jsonnet("a.jsonnet", {"a.jsonnet": "importstr '/etc/hostname'"})


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (
            lambda words: words.go_templates("{{ range until 5000 }}{{ range until 5000 }}aa{{ end }}{{ end }}", [{}]),
            "4 MiB",
        ),
        (lambda words: words.jsonnet("a", {"a": "local f(x) = f(x + 1) tailstrict; f(0)"}), "."),
    ],
)
def test_hostile_words_end_and_the_next_ones_are_answered(ask: Any, why: str) -> None:
    words = Expander(Sandbox(Limits(seconds=3)))
    try:
        with pytest.raises(InputError, match=why):
            ask(words)
        assert words.substitute(["${a}"], {"a": "1"}) == [1]
    finally:
        words.close()
