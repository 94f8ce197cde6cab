"""Versions and image references, as semver.org, Docker and people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.versions import images
from review_bot.core.versions.steps import WEIGHT, Step, Version, read, step, worst


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.4.2", "1.4.3", Step.PATCH),
        ("1.4.2", "1.5.0", Step.MINOR),
        ("v1.4.2", "v2.0.0", Step.MAJOR),
        ("1.4.2", "v1.4.3", Step.PATCH),
        ("1.4", "1.5", Step.MINOR),
        ("1.5.0", "1.4.9", Step.DOWNGRADE),
        ("1.5.0", "1.6.0-rc.1", Step.PRE_RELEASE),
        ("1.6.0-rc.1", "1.6.0-rc.2", Step.PRE_RELEASE),
        ("1.6.0-rc.2", "1.6.0", Step.PATCH),
        ("1.6.0", "1.6.0-rc.2", Step.DOWNGRADE),
        ("1.2.3-alpine3.18", "1.2.3-alpine3.19", Step.PATCH),
        ("1.2.3-alpine3.18", "1.3.0-alpine3.19", Step.MINOR),
        ("3.12.1-management", "3.13.0-management", Step.MINOR),
        ("1.2.3-alpine", "1.2.4-debian", Step.UNKNOWN),
        ("1.2.3-debian-12-r4", "1.2.3-debian-12-r5", Step.PATCH),
        ("1.2.3+build.1", "1.2.3+build.2", Step.PATCH),
        ("2024-01-01", "2024-02-01", Step.UNKNOWN),
        ("2024-02-01", "2024-01-01", Step.DOWNGRADE),
        ("2024.1.0", "2025.1.0", Step.UNKNOWN),
        ("0a1b2c3", "9d8e7f6", Step.UNKNOWN),
        ("latest", "1.2.3", Step.UNKNOWN),
        ("17", "18", Step.UNKNOWN),
        ("v1", "v2", Step.MAJOR),
        ("1.4.2", "1.4.2", Step.SAME),
        ("1.2.3", "1.2.4+build.7", Step.PATCH),
        ("~> 5.1", "~> 6.0", Step.MAJOR),
        (">= 1.5", ">= 1.6", Step.MINOR),
        ("^1.2.0", "^1.1.0", Step.DOWNGRADE),
        ("6.x", "7.x", Step.MAJOR),
        ("18.1.x", "18.2.x", Step.MINOR),
        ("~> 5.1", ">= 5.2", Step.UNKNOWN),
        ("~1.2.0", "1.2.0", Step.UNKNOWN),
        (">= 1.0, < 2.0", ">= 1.0, < 3.0", Step.UNKNOWN),
    ],
)
def test_how_far_it_is_from_one_to_the_other(old: str, new: str, expected: Step) -> None:
    assert step(old, new) is expected


@pytest.mark.parametrize(
    ("text", "place", "tag", "digest"),
    [
        ("nginx", "docker.io/library/nginx", None, False),
        ("nginx:1.25", "docker.io/library/nginx", "1.25", False),
        ("acme/web:1.2", "docker.io/acme/web", "1.2", False),
        ("ghcr.io/acme/web:v1@sha256:" + "a" * 64, "ghcr.io/acme/web", "v1", True),
        ("localhost:5000/web", "localhost:5000/web", None, False),
        ("localhost/web:1", "localhost/web", "1", False),
        ("registry.example.com:8443/a/b/c:x", "registry.example.com:8443/a/b/c", "x", False),
        ("web@sha256:" + "a" * 64, "docker.io/library/web", None, True),
    ],
)
def test_references_name_what_docker_would_pull(text: str, place: str, tag: str | None, digest: bool) -> None:
    image = images.parse(text)
    assert image is not None
    assert (image.place, image.tag, image.digest is not None) == (place, tag, digest)


@pytest.mark.parametrize(
    "text", ["", "Web", "web:", "web@", "web@sha256:zz", "a b", "$(params.image)", "web:/b", "-web"]
)
def test_what_is_no_reference_is_none(text: str) -> None:
    assert images.parse(text) is None


numbers = st.integers(0, 30)
identifiers = st.lists(st.sampled_from(["alpha", "beta", "rc", "1", "2", "11"]), max_size=2).map(tuple)
versions = st.builds(Version, st.tuples(numbers, numbers, numbers), identifiers)


@given(versions, versions, versions)
def test_the_order_of_versions_is_total(a: Version, b: Version, c: Version) -> None:
    assert (a < b) + (b < a) + (a == b) == 1
    if a < b and b < c:
        assert a < c


@given(versions, versions)
def test_there_and_back_is_a_downgrade_on_exactly_one_way(a: Version, b: Version) -> None:
    texts = [".".join(map(str, v.core)) + (f"-{'.'.join(v.pre)}" if v.pre else "") for v in (a, b)]
    if read(texts[0]) == a and read(texts[1]) == b and a != b:
        there, back = step(*texts), step(*reversed(texts))
        assert (there is Step.DOWNGRADE) != (back is Step.DOWNGRADE)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_is_too_odd(a: str, b: str) -> None:
    assert step(a, b) in WEIGHT
    images.parse(a)


def test_the_worst_step_labels_the_whole() -> None:
    assert worst([Step.PATCH, Step.MAJOR, Step.MINOR]) is Step.MAJOR
    assert worst([]) is None
