"""Names of images, their platforms, and links to their release notes.

Names were held against github.com/distribution/reference v0.6.0 (ParseNormalizedNamed, 180,000 random texts: alike, but
for a registry that is no host, where that one gives a name without registry), platforms against containerd's.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.versions.images import Image, parse
from review_bot.core.versions.manifests import Facts, labels_in, parts
from review_bot.core.versions.platforms import parse as platform_of
from review_bot.core.versions.platforms import runs_on
from review_bot.core.versions.release_notes import KEYS, SOURCE, VERSION, notes_address

part = st.from_regex(r"[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}", fullmatch=True)
registries = st.sampled_from(
    ["docker.io", "ghcr.io", "localhost", "localhost:5000", "127.0.0.1:5000", "Reg", "[::1]:5000"]
)
images = st.builds(
    Image,
    registries,
    st.lists(part, min_size=2, max_size=4).map("/".join),
    st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.none() | st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True),
)


def written(image: Image) -> str:
    tag = f":{image.tag}" if image.tag else ""
    return f"{image.place}{tag}{f'@{image.digest}' if image.digest else ''}"


@given(images)
def test_what_is_written_in_full_is_read_as_it_is(image: Image) -> None:
    assert parse(written(image)) == image


@given(images, st.sampled_from(["", "docker.io/", "index.docker.io/"]))
def test_the_hub_has_several_spellings(image: Image, prefix: str) -> None:
    tag = f":{image.tag}" if image.tag else ""
    rest = f"{tag}{f'@{image.digest}' if image.digest else ''}"
    official = replace(image, registry="docker.io", repository=f"library/{image.name}")
    assert parse(f"{prefix}{image.name}{rest}") == official
    assert parse(f"{prefix}library/{image.name}{rest}") == official


@given(st.text(max_size=60) | st.text("aA1./:@_-[] \n", max_size=40))
def test_what_is_read_is_a_name_that_can_stand_in_an_address(text: str) -> None:
    image = parse(text)
    if image is not None:
        assert re.fullmatch(r"[A-Za-z0-9.:\[\]-]+/[a-z0-9][a-z0-9._/-]*", image.place)
        assert ".." not in image.place
        assert "//" not in image.place
        assert parse(written(image)) == image


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a" * 64,
            "nginx@sha256:" + "a" * 63,
            "nginx@sha256:" + "A" * 64,
            "nginx@md5:" + "a" * 32,
            "nginx:" + "t" * 129,
        ),
        *(
            "ghcr.io/" + "a" * 256,
            "ghcr.io/Acme/web",
            "ghcr.io//web",
            "ghcr.io/../web",
            "ghcr.io/web/",
            "https://ghcr.io/web",
        ),
    ],
)
def test_what_no_runtime_would_pull_is_no_image(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("wanted", "built", "fits"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/x86_64", True),
        ("linux/amd64", "linux/amd64/v1", True),
        ("linux/amd64", "linux/amd64/v3", False),
        ("linux/amd64/v3", "linux/amd64/v2", True),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64/v8.2", "linux/arm64/v8.1", True),
        ("linux/aarch64", "linux/arm64", True),
        ("linux/arm/v7", "linux/arm/v6", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/armhf", "linux/arm/v7", True),
        ("linux/amd64", "linux/386", False),
        ("linux/amd64", "windows/amd64", False),
        ("linux/ppc64le", "linux/ppc64le/power9", False),
    ],
)
def test_a_node_runs_its_own_architecture_in_its_variant_or_an_older_one(wanted: str, built: str, fits: bool) -> None:
    assert runs_on(platform_of(wanted), platform_of(built)) is fits


@given(st.text(max_size=50))
def test_a_platform_of_a_strangers_image_is_plain_words(text: str) -> None:
    assert re.fullmatch(r"|[a-z0-9]+(/[a-z0-9._-]+){1,2}", platform_of(text))


def test_an_index_has_parts_that_run_somewhere_and_others() -> None:
    rows = [
        {"digest": "a", "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"digest": "b", "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": "c"},
        "no row",
    ]
    assert [(p.digest, p.platform) for p in parts({"manifests": rows})] == [("a", "linux/arm64"), ("c", None)]


def test_facts_survive_being_kept_and_what_is_broken_there_is_nothing() -> None:
    facts = Facts(("linux/amd64",), {SOURCE: "https://github.com/a/b"}, ("sha256:a",))
    assert Facts.of_json(facts.to_json()) == facts
    assert Facts.of_json(["odd"]) == Facts.of_json({"platforms": 7, "labels": [], "parts": [1]}) == Facts()


def test_only_known_labels_of_an_ordinary_size_are_looked_at() -> None:
    assert labels_in({SOURCE: "x" * 301, VERSION: "1", "other": "2", KEYS[1]: 7}) == {VERSION: "1"}


GITHUB, GITLAB = "https://github.com/acme/web", "https://gitlab.com/acme/team/web"


@pytest.mark.parametrize(
    ("labels", "tag", "address"),
    [
        ({SOURCE: GITHUB}, "v1.5.0", f"{GITHUB}/releases/tag/v1.5.0"),
        ({SOURCE: f"{GITHUB}.git"}, "1.5.0", f"{GITHUB}/releases"),
        ({SOURCE: GITHUB, VERSION: "v1.5.0"}, "1.5.0", f"{GITHUB}/releases/tag/v1.5.0"),
        ({SOURCE: GITHUB, VERSION: "v1.5.0"}, None, f"{GITHUB}/releases/tag/v1.5.0"),
        ({SOURCE: GITHUB, VERSION: "v1) [x](https://evil"}, None, f"{GITHUB}/releases"),
        ({SOURCE: GITLAB}, "v2.0.0-rc.1", f"{GITLAB}/-/releases/v2.0.0-rc.1"),
        ({SOURCE: f"{GITHUB}/tree/main/web"}, "v1.5.0", f"{GITHUB}/tree/main/web"),
        ({SOURCE: "https://git.example.com/x"}, "v1.5.0", "https://git.example.com/x"),
        ({KEYS[1]: "https://example.com/web"}, None, "https://example.com/web"),
        ({}, "v1.5.0", ""),
    ],
)
def test_release_notes_are_those_of_the_version_where_it_is_known(
    labels: dict[str, str], tag: str | None, address: str
) -> None:
    assert notes_address(labels, tag) == address


@given(
    st.dictionaries(st.sampled_from(KEYS), st.text(max_size=80) | st.text("https:/.githubcom@()[]|` \n", max_size=60))
)
def test_no_label_leaves_its_place_in_a_comment(labels: dict[str, str]) -> None:
    assert re.fullmatch(r"|https://[A-Za-z0-9._~%/:-]+", notes_address(labels, labels.get(VERSION)))
