"""Changes say what people would say: fields by path, noise left out, secrets never shown."""

from __future__ import annotations

from typing import Any

from review_bot.core.diff import compare
from review_bot.core.digest import effect_digest
from review_bot.core.model import Action, Resource, Source
from review_bot.core.resources import identity


def resource(manifest: dict[str, Any]) -> Resource:
    found = identity(manifest)
    assert found is not None
    return Resource(found, manifest, Source("a.yaml", 1))


def deployment(**spec: Any) -> Resource:
    return resource({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})


def secret(value: str) -> Resource:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": value}}
    return resource(manifest)


def test_a_changed_field_is_named_by_its_path() -> None:
    (change,) = compare("t", [deployment(replicas=1)], [deployment(replicas=2)])
    assert (change.action, change.fields) == (Action.UPDATE, ("spec.replicas",))
    assert "-  replicas: 1" in change.diff
    assert "+  replicas: 2" in change.diff


def test_an_inserted_container_does_not_shift_the_others() -> None:
    before = deployment(containers=[{"name": "a", "image": "a:1"}])
    after = deployment(containers=[{"name": "new", "image": "n:1"}, {"name": "a", "image": "a:1"}])
    (change,) = compare("t", [before], [after])
    assert change.fields == ("spec.containers[0]",)


def test_a_key_with_dots_is_quoted() -> None:
    (change,) = compare("t", [deployment(sel={"a.b/c": "1"})], [deployment(sel={"a.b/c": "2"})])
    assert change.fields == ('spec.sel["a.b/c"]',)


def test_a_new_api_version_is_an_update_of_the_same_object() -> None:
    old = resource({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}})
    new = resource({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}})
    (change,) = compare("t", [old], [new])
    assert (change.action, change.fields) == (Action.UPDATE, ("apiVersion",))


def test_noise_alone_is_no_change() -> None:
    noisy = deployment(replicas=1)
    noisy = resource({**noisy.manifest, "status": {"x": 1}, "metadata": {"name": "web", "creationTimestamp": None}})
    assert compare("t", [deployment(replicas=1)], [noisy]) == ()


def test_a_secret_shows_that_it_changed_and_never_its_value() -> None:
    (change,) = compare("t", [secret("hunter2-old")], [secret("hunter2-new")])
    assert change.fields == ("stringData.password",)
    assert "hunter2" not in change.diff
    assert change.diff.count("(secret ") == 2


def test_the_digest_is_the_same_in_any_order_and_differs_with_the_effect() -> None:
    one = compare("a", [deployment(replicas=1)], [deployment(replicas=2)])
    two = compare("b", [], [secret("x")])
    assert effect_digest([*one, *two]) == effect_digest([*two, *one])
    assert effect_digest(one) != effect_digest(compare("a", [deployment(replicas=1)], [deployment(replicas=3)]))
    assert effect_digest(two) != effect_digest(compare("b", [], [secret("y")]))
