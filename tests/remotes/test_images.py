"""What `review-bot check` says of the images that a change brings, as a real registry knows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import repositories
from asking import PODS, SOURCE, about_images, operator, reviewed, verdict_on
from registries import Registry, running

BOTH = "{platforms: [linux/amd64, linux/arm64]}"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running(tmp_path_factory.mktemp("registry")) as found:
        found.push("acme/web", "1.4.2")
        found.push("acme/web", "1.5.0")
        found.push("acme/web", "2.0.0", ("linux/amd64", "linux/arm64/v8"))
        yield found


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
    assert found["help"].startswith("did you mean 1.5.0? correct the tag")
    assert (verdict["checks"]["images"], verdict["conclusion"]) == ("failure", "failure")


def test_a_digest_that_does_not_exist_blocks(tmp_path: Path, registry: Registry) -> None:
    (found,) = about_images(reviewed(tmp_path, registry, f"HOST/acme/web@sha256:{'a' * 64}"))
    assert (found["rule"], found["severity"]) == ("image-missing", "error")
    assert "correct the digest" in found["help"]


def test_a_name_that_the_registry_does_not_know_is_called_wrong_and_not_its_tag(
    tmp_path: Path, registry: Registry
) -> None:
    (found,) = about_images(reviewed(tmp_path, registry, "HOST/acme/wbe:1.5.0"))
    assert f"there is no repository {registry.host}/acme/wbe" in found["message"]
    assert "correct the name" in found["help"]


def test_an_image_without_a_tag_is_the_latest(tmp_path: Path, registry: Registry) -> None:
    (found,) = about_images(reviewed(tmp_path, registry, "HOST/acme/web"))
    assert f"the image {registry.host}/acme/web:latest does not exist" in found["message"]


def test_a_waiver_lets_it_pass(tmp_path: Path, registry: Registry) -> None:
    waiver = "{rule: image-missing, match: {kind: Pod, name: web}, reason: it is pushed at night, until: 2999-01-01}"
    base = {".review-bot.yaml": f"version: 1\nwaivers: [{waiver}]\n"}
    pod = PODS.format(image=f"{registry.host}/acme/web:tomorrow")
    root = repositories.make(tmp_path / "r", base, {"web/pod.yaml": pod})
    verdict = repositories.check(root, env=operator(tmp_path, registry))[1]
    assert [f["waived"] is not None for f in about_images(verdict)] == [True]
    assert (verdict["checks"]["images"], verdict["conclusion"]) == ("success", "success")


def test_every_platform_that_the_operator_names_must_be_there(tmp_path: Path, registry: Registry) -> None:
    (found,) = about_images(reviewed(tmp_path / "one", registry, "HOST/acme/web:1.5.0", images=BOTH))
    assert (found["rule"], found["severity"]) == ("image-platform", "error")
    assert "is not built for linux/arm64, only for linux/amd64" in found["message"]
    # An index names its platforms; what is attested beside them is none, and a variant counts for its architecture.
    assert about_images(reviewed(tmp_path / "index", registry, "HOST/acme/web:2.0.0", images=BOTH)) == []


def test_what_an_index_does_not_say_its_images_do(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        made = [registry.push("acme/web", p.partition("/")[2], (p,)) for p in ("linux/amd64", "linux/arm64")]
        mediatype = "application/vnd.oci.image.manifest.v1+json"
        rows = [{"mediaType": mediatype, "digest": digest, "size": 1} for digest in made]
        registry.index("acme/web", "both", rows)
        assert about_images(reviewed(tmp_path, registry, "HOST/acme/web:both", images=BOTH)) == []


def test_an_image_that_names_no_platform_runs_nowhere_for_sure(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        registry.artifact("acme/model", "1.0.0", "application/vnd.acme.model", b"weights")
        (found,) = about_images(reviewed(tmp_path / "pod", registry, "HOST/acme/model:1.0.0", images=BOTH))
        assert (found["rule"], found["severity"]) == ("image-platform", "error")
        # What is only mounted need not run.
        volume = f"{{name: m, image: {{reference: '{registry.host}/acme/model:1.0.0'}}}}"
        pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: m}\nspec: {containers: [], volumes: [VOLUME]}\n"
        files: dict[str, str | None] = {"m/pod.yaml": pod.replace("VOLUME", volume)}
        root = repositories.make(tmp_path / "r", {"README.md": "x"}, files)
        assert about_images(repositories.check(root, env=operator(tmp_path, registry, BOTH))[1]) == []


def test_a_tag_that_has_moved_on_from_the_digest_beside_it_is_told(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        old = registry.push("acme/web", "1.5.0", labels={"build": "1"})
        registry.push("acme/web", "1.5.0", labels={"build": "2"})
        (found,) = about_images(reviewed(tmp_path / "moved", registry, f"HOST/acme/web:1.5.0@{old}"))
        assert (found["rule"], found["severity"]) == ("image-digest", "warning")
        assert "the tag 1.5.0 now stands for sha256:" in found["message"]
        (found,) = about_images(reviewed(tmp_path / "gone", registry, f"HOST/acme/web:1.4.9@{old}"))
        assert (found["rule"], found["severity"]) == ("image-digest", "warning")
        assert "the tag 1.4.9 is no longer there" in found["message"]


def test_the_digest_of_one_platform_beside_the_tag_of_all_is_no_contradiction(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        one = registry.push("acme/web", "build", labels={"same": "bytes"})
        registry.push("acme/web", "1.5.0", ("linux/amd64", "linux/arm64"), labels={"same": "bytes"})
        assert about_images(reviewed(tmp_path, registry, f"HOST/acme/web:1.5.0@{one}")) == []


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


def test_strangers_words_make_no_link_and_leave_no_message(tmp_path: Path) -> None:
    evil = "https://github.com/a) @everyone [x](https://evil.example.com"
    with running(tmp_path / "registry") as registry:
        registry.push("acme/web", "1.5.0", ("linux\n@everyone/![x](https://evil.example.com)",), labels={SOURCE: evil})
        verdict = reviewed(tmp_path, registry, "HOST/acme/web:1.5.0", images=BOTH)
        assert verdict["versions"][0]["notes"] is None
        (found,) = about_images(verdict)
        assert found["message"].endswith("is not built for linux/amd64 and linux/arm64, it names no platform")


def test_targets_whose_images_nobody_could_ask_about_have_not_passed(tmp_path: Path, registry: Registry) -> None:
    pods: dict[str, str | None] = {
        "here/pod.yaml": PODS.format(image=f"{registry.host}/acme/web:1.5.0"),
        "there/pod.yaml": PODS.format(image="quay.io/acme/web:1.5.0"),
    }
    root = repositories.make(tmp_path / "r", {"README.md": "x"}, pods)
    words = ("check", str(root), "--base", "main", "--head", "change", "-o", "markdown")
    rows = repositories.run(*words, env=operator(tmp_path, registry)).stdout.splitlines()
    assert [row.rpartition("images ")[2] for row in rows if "images " in row and row.startswith("| ")] == [
        *("✓ |", "not in full |")
    ]


def test_a_check_that_could_ask_nobody_is_not_configured(tmp_path: Path, registry: Registry) -> None:
    verdict = verdict_on(tmp_path, operator(tmp_path, registry), "quay.io/acme/web:1.5.0")
    assert "images" not in verdict["checks"]
    assert [(f["rule"], f["severity"]) for f in about_images(verdict)] == [("image-not-asked", "notice")]


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


def test_images_in_secrets_are_nobodys_business(tmp_path: Path, registry: Registry) -> None:
    secret = (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{image: '{registry.host}/acme/web:x'}}\n"
    )
    root = repositories.make(tmp_path / "r", {"README.md": "x"}, {"s/s.yaml": secret})
    before = len(registry.asked)
    assert about_images(repositories.check(root, env=operator(tmp_path, registry))[1]) == []
    assert len(registry.asked) == before


def test_the_digest_of_the_effect_does_not_depend_on_what_a_registry_says(tmp_path: Path, registry: Registry) -> None:
    asked = reviewed(tmp_path / "asked", registry, "HOST/acme/web:nope")
    root = tmp_path / "asked" / "repository"
    assert repositories.check(root)[1]["effect_digest"] == asked["effect_digest"]


def test_nothing_is_asked_unless_the_operator_says_so(tmp_path: Path) -> None:
    head: dict[str, str | None] = {"web/pod.yaml": PODS.format(image="127.0.0.1:9/acme/web:latest")}
    root = repositories.make(tmp_path / "r", {"README.md": "x"}, head)
    verdict = repositories.check(root)[1]
    assert about_images(verdict) == []
    assert "images" not in verdict["checks"]
    words = ("check", str(root), "--base", "main", "--head", "change")
    assert (
        "images: no registry was asked (images: and remotes: in the operator's file)" in repositories.run(*words).stdout
    )
    assert "No registry was asked whether these images exist." in repositories.run(*words, "-o", "markdown").stdout
