"""`review-bot check` asks a real registry about the images that a change brings."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repositories
from registries import PASSWORD, USER, Registry, running

from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.core.tools import cache_dir
from review_bot.core.versions.images import Image
from review_bot.core.versions.registries import ImageSettings
from review_bot.remotes import images as asking

SOURCE = "org.opencontainers.image.source"
PODS = """\
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers:
    - name: web
      image: {image}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running(tmp_path_factory.mktemp("registry")) as found:
        found.push("acme/web", "1.4.2")
        found.push("acme/web", "1.5.0")
        found.push("acme/web", "2.0.0", ("linux/amd64", "linux/arm64/v8"))
        yield found


def operator(root: Path, registry: Registry, images: str = "{}", more: str = "") -> dict[str, str]:
    """An environment whose operator's file lets the bot ask the registry, with a cache of its own."""
    cache = root / "xdg" / "review-bot"
    if not cache.is_dir():
        cache.mkdir(parents=True)
        (cache / "tools").symlink_to(cache_dir() / "tools")
    row = f"{{private: true, plain_http: true{more}}}"
    text = f"version: 1\nimages: {images}\nremotes:\n  {registry.host}/acme: {row}\n"
    (root / "operator.yaml").write_text(text)
    return {"REVIEW_BOT_CONFIG": str(root / "operator.yaml"), "XDG_CACHE_HOME": str(cache.parent)}


def reviewed(
    root: Path, registry: Registry, new: str, old: str = "", images: str = "{}", more: str = ""
) -> dict[str, Any]:
    """The verdict on a pod whose image becomes `new`, in which HOST stands for the registry."""
    old = old or f"{registry.host}/acme/web:1.4.2"
    base = {"web/pod.yaml": PODS.format(image=old)}
    head: dict[str, str | None] = {"web/pod.yaml": PODS.format(image=new.replace("HOST", registry.host))}
    return repositories.check(
        repositories.make(root / "repository", base, head), env=operator(root, registry, images, more)
    )[1]


def about_images(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in verdict["findings"] if f["check"] == "images"]


def test_an_image_that_is_there_passes_and_the_check_is_counted(tmp_path: Path, registry: Registry) -> None:
    verdict = reviewed(tmp_path, registry, "HOST/acme/web:1.5.0")
    assert about_images(verdict) == []
    assert (verdict["checks"]["images"], verdict["conclusion"]) == ("success", "success")


def test_a_tag_that_does_not_exist_blocks_on_its_line_and_names_what_was_meant(
    tmp_path: Path, registry: Registry
) -> None:
    verdict = reviewed(tmp_path, registry, "HOST/acme/web:1.5.00")
    (found,) = about_images(verdict)
    assert (found["rule"], found["severity"], found["path"], found["line"]) == (
        *("image-missing", "error"),
        *("web/pod.yaml", 7),
    )
    assert f"the image {registry.host}/acme/web:1.5.00 does not exist" in found["message"]
    assert "did you mean 1.5.0" in found["help"]
    assert (verdict["checks"]["images"], verdict["conclusion"]) == ("failure", "failure")


def test_a_digest_that_does_not_exist_blocks(tmp_path: Path, registry: Registry) -> None:
    (found,) = about_images(reviewed(tmp_path, registry, f"HOST/acme/web@sha256:{'a' * 64}"))
    assert (found["rule"], found["severity"]) == ("image-missing", "error")


def test_what_the_base_has_already_is_not_asked_about(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        registry.push("acme/web", "1.5.0")
        image = f"{registry.host}/acme/web:gone"
        base = {"web/pod.yaml": PODS.format(image=image), "web/b.yaml": PODS.format(image=image)}
        changed = base["web/pod.yaml"].replace("name: web}", "name: web, labels: {a: b}}")
        root = repositories.make(tmp_path / "r", base, {"web/pod.yaml": changed})
        verdict = repositories.check(root, env=operator(tmp_path, registry))[1]
        assert about_images(verdict) == []
        assert registry.asked == []


def test_each_image_is_asked_about_once_however_many_targets_bring_it(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        registry.push("acme/web", "1.5.0")
        pods = {f"{name}/pod.yaml": PODS.format(image=f"{registry.host}/acme/web:1.5.0") for name in "abcde"}
        head: dict[str, str | None] = dict(pods)
        root = repositories.make(tmp_path / "r", {"README.md": "x"}, head)
        repositories.check(root, env=operator(tmp_path, registry))
        assert [path for path in registry.asked if "manifests" in path] == ["/v2/acme/web/manifests/1.5.0"]


def test_every_platform_that_the_operator_names_must_be_there(tmp_path: Path, registry: Registry) -> None:
    wanted = "{platforms: [linux/amd64, linux/arm64]}"
    (found,) = about_images(reviewed(tmp_path / "one", registry, "HOST/acme/web:1.5.0", images=wanted))
    assert (found["rule"], found["severity"]) == ("image-platform", "error")
    assert "is not built for linux/arm64, only for linux/amd64" in found["message"]
    # An index names its platforms; what is attested beside them is none, and a variant counts for its architecture.
    assert about_images(reviewed(tmp_path / "index", registry, "HOST/acme/web:2.0.0", images=wanted)) == []


def test_a_tag_that_has_moved_on_from_the_digest_beside_it_is_told(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        old = registry.push("acme/web", "1.5.0", labels={"build": "1"})
        registry.push("acme/web", "1.5.0", labels={"build": "2"})
        (found,) = about_images(reviewed(tmp_path, registry, f"HOST/acme/web:1.5.0@{old}"))
        assert (found["rule"], found["severity"]) == ("image-digest", "warning")
        assert "the tag 1.5.0 now stands for sha256:" in found["message"]


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_release_notes_are_linked_from_what_the_image_says_of_its_source(tmp_path: Path, where: str) -> None:
    said = {SOURCE: "https://github.com/acme/web.git"}
    with running(tmp_path / "registry") as registry:
        registry.push("acme/web", "1.4.2")
        if where == "labels":
            registry.push("acme/web", "v1.5.0", labels=said)
        else:
            registry.push("acme/web", "v1.5.0", ("linux/amd64", "linux/arm64"), annotations=said)
        env = operator(tmp_path, registry)
        head: dict[str, str | None] = {"web/pod.yaml": PODS.format(image=f"{registry.host}/acme/web:v1.5.0")}
        base = {"web/pod.yaml": PODS.format(image=f"{registry.host}/acme/web:1.4.2")}
        root = repositories.make(tmp_path / "r", base, head)
        (row,) = repositories.check(root, env=env)[1]["versions"]
        assert row["notes"] == "https://github.com/acme/web/releases/tag/v1.5.0"
        words = ("check", str(root), "--base", "main", "--head", "change", "-o", "markdown")
        assert f"([notes]({row['notes']}))" in repositories.run(*words, env=env).stdout


@pytest.mark.parametrize(
    "source",
    [
        "javascript:alert(1)",
        "http://github.com/acme/web",
        "https://evil.example.com/a)[x](https://evil.example.com",
        "https://user:word@github.com/acme/web",
        "https://github.com/acme/web\n@everyone",
        "https://github.com/" + "a" * 400,
        "https://github.com/acme/../evil",
    ],
)
def test_labels_are_strangers_words_and_make_no_link_but_a_plain_address(tmp_path: Path, source: str) -> None:
    with running(tmp_path / "registry") as registry:
        registry.push("acme/web", "1.5.0", labels={SOURCE: source})
        (row,) = reviewed(tmp_path, registry, "HOST/acme/web:1.5.0")["versions"]
        assert row["notes"] is None


def test_an_answer_by_digest_is_kept_and_still_asked_whether_it_is_there(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        digest = registry.push("acme/web", "1.5.0", labels={SOURCE: "https://github.com/acme/web"})
        for turn in ("first", "second"):
            env = operator(tmp_path, registry)
            head: dict[str, str | None] = {"web/pod.yaml": PODS.format(image=f"{registry.host}/acme/web@{digest}")}
            root = repositories.make(tmp_path / turn, {"README.md": "x"}, head)
            assert repositories.check(root, env=env)[1]["versions"][0]["notes"]
        blobs = [path for path in registry.asked if "/blobs/" in path]
        assert len(blobs) == 1
        assert registry.asked.count(f"/v2/acme/web/manifests/{digest}") == 2


def test_a_registry_that_wants_a_password_gets_the_operators(tmp_path: Path) -> None:
    with running(tmp_path / "registry", password=True) as registry:
        registry.push("acme/web", "1.5.0")
        given = ", username_env: PULL_USER, password_env: PULL_WORD"
        root = repositories.make(
            tmp_path / "r", {"README.md": "x"}, {"web/pod.yaml": PODS.format(image=f"{registry.host}/acme/web:1.5.0")}
        )
        env = operator(tmp_path, registry, more=given) | {"PULL_USER": USER, "PULL_WORD": PASSWORD}
        assert about_images(repositories.check(root, env=env)[1]) == []
        env = operator(tmp_path, registry, more=given) | {"PULL_USER": USER, "PULL_WORD": "wrong-word"}
        (found,) = about_images(repositories.check(root, env=env)[1])
        assert (found["rule"], found["severity"]) == ("image-registry", "warning")
        assert "credentials" in found["message"] + found["help"]
        assert "wrong-word" not in json.dumps(found)


def test_a_registry_that_does_not_answer_weighs_what_the_operator_says(tmp_path: Path, registry: Registry) -> None:
    gone = Registry("127.0.0.1:9", tmp_path / "log")
    for weight, severity, conclusion in (("warn", "warning", "success"), ("block", "error", "failure")):
        settings = f"{{unreachable: {weight}}}"
        verdict = reviewed(tmp_path / weight, gone, "HOST/acme/web:1.5.0", images=settings)
        (found,) = about_images(verdict)
        assert (found["rule"], found["severity"], verdict["conclusion"]) == ("image-registry", severity, conclusion)
        assert "127.0.0.1" in found["message"]


def test_registries_that_the_operator_does_not_name_are_not_asked_and_told_once(
    tmp_path: Path, registry: Registry
) -> None:
    pods = {
        name: PODS.format(image=image) for name, image in (("a/a.yaml", "nginx:1.27"), ("a/b.yaml", "quay.io/x/y:1"))
    }
    head: dict[str, str | None] = {n: t.replace("name: web}", f"name: {n[2]}}}") for n, t in pods.items()}
    root = repositories.make(tmp_path / "r", {"README.md": "x"}, head)
    (found,) = about_images(repositories.check(root, env=operator(tmp_path, registry))[1])
    assert (found["rule"], found["severity"]) == ("image-not-asked", "notice")
    assert found["message"].startswith("docker.io, quay.io: not among the operator's remotes, so 2 images are")


def test_a_path_beside_the_allowed_one_is_not_asked(tmp_path: Path, registry: Registry) -> None:
    (found,) = about_images(reviewed(tmp_path, registry, "HOST/acme-evil/web:1.5.0"))
    assert found["rule"] == "image-not-asked"


def test_nothing_is_asked_unless_the_operator_says_so(tmp_path: Path) -> None:
    head: dict[str, str | None] = {"web/pod.yaml": PODS.format(image="127.0.0.1:9/acme/web:1")}
    root = repositories.make(tmp_path / "r", {"README.md": "x"}, head)
    verdict = repositories.check(root)[1]
    assert about_images(verdict) == []
    assert "images" not in verdict["checks"]
    text = repositories.run("check", str(root), "--base", "main", "--head", "change").stdout
    assert "images: registries are not asked (images: in the operator's file)" in text


def test_an_image_of_something_that_no_cluster_pulls_by_itself_is_a_warning_at_most(
    tmp_path: Path, registry: Registry
) -> None:
    machine = """\
apiVersion: example.com/v1
kind: Machine
metadata: {name: m}
spec: {image: HOST/acme/web:nope, disk: {image: debian-12}}
""".replace("HOST", registry.host)
    root = repositories.make(tmp_path / "r", {"README.md": "x"}, {"m/m.yaml": machine})
    found = about_images(repositories.check(root, env=operator(tmp_path, registry))[1])
    assert [(f["rule"], f["severity"]) for f in found] == [("image-missing", "warning")]


def test_the_digest_of_the_effect_does_not_depend_on_what_a_registry_says(tmp_path: Path, registry: Registry) -> None:
    asked = reviewed(tmp_path / "asked", registry, "HOST/acme/web:nope")
    root = tmp_path / "asked" / "repository"
    assert repositories.check(root)[1]["effect_digest"] == asked["effect_digest"]


def test_a_registry_that_never_ends_its_answer_holds_a_review_up_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        row = RemoteHost(host, private=True, plain_http=True)
        registries = asking.AskedRegistries(ImageSettings(), RemoteHosts.of({host: row}), tmp_path)
        image = Image(host, "acme/web", "1.5.0")
        assert "did not answer" in registries.ask([image])[image].trouble
