"""How registries are asked about images: how often, with which credentials, and for how long."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import repositories
from asking import PODS, SOURCE, about_images, operator, reviewed, verdict_on
from elsewhere import listening
from registries import PASSWORD, USER, Registry, running
from tokens import TokenService, token_service

from review_bot.core.model import Severity
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.core.versions.images import Image, parse
from review_bot.core.versions.registries import ImageSettings
from review_bot.remotes import images as asking
from review_bot.remotes.image_repository import MOST_FAILURES

CREDENTIALS = ", username_env: PULL_USER, password_env: PULL_WORD"
GIVEN = {"PULL_USER": USER, "PULL_WORD": PASSWORD}


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
        verdict_on(tmp_path, operator(tmp_path, registry), *[f"{registry.host}/acme/web:1.5.0"] * 5)
        assert [line for line in registry.asked if "1.5.0" in line] == ["HEAD /v2/acme/web/manifests/1.5.0"]


def test_what_a_digest_holds_is_kept_and_only_its_existence_asked_again(tmp_path: Path) -> None:
    with running(tmp_path / "registry") as registry:
        digest = registry.push("acme/web", "1.5.0", labels={SOURCE: "https://github.com/acme/web"})
        env = operator(tmp_path, registry)
        for turn, image in (("first", f"acme/web@{digest}"), ("second", "acme/web:1.5.0")):
            verdict = verdict_on(tmp_path / turn, env, f"{registry.host}/{image}")
            assert verdict["versions"][0]["notes"] == "https://github.com/acme/web/releases"
        # A registry counts what is got, not what is looked at by HEAD.
        assert [line.split("/")[-2] for line in registry.asked if line.startswith("GET")] == ["manifests", "blobs"]
        assert registry.asked[-1] == "HEAD /v2/acme/web/manifests/1.5.0"
        registry.delete("acme/web", digest)
        (found,) = about_images(verdict_on(tmp_path / "third", env, f"{registry.host}/acme/web@{digest}"))
        assert found["rule"] == "image-missing"


def test_a_registry_that_wants_a_password_gets_the_operators(tmp_path: Path) -> None:
    with running(tmp_path / "registry", password=True) as registry:
        registry.push("acme/web", "1.5.0")
        image = f"{registry.host}/acme/web:1.5.0"
        env = operator(tmp_path, registry, more=CREDENTIALS) | GIVEN
        assert about_images(verdict_on(tmp_path / "right", env, image)) == []
        (found,) = about_images(verdict_on(tmp_path / "wrong", env | {"PULL_WORD": "wrong-word"}, image))
        assert (found["rule"], found["severity"]) == ("image-registry", "warning")
        assert "credentials" in found["message"] + found["help"]
        assert "wrong-word" not in json.dumps(found)


@pytest.fixture(scope="module")
def tokens() -> Iterator[TokenService]:
    with token_service(USER, PASSWORD) as found:
        yield found


@pytest.fixture(scope="module")
def behind_tokens(tokens: TokenService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running(tmp_path_factory.mktemp("tokens"), tokens=tokens) as found:
        found.push("public/web", "1.5.0")
        found.push("acme/web", "1.5.0")
        yield found


def rows(registry: Registry, tokens: TokenService) -> str:
    plain = "{private: true, plain_http: true}"
    return f"  {registry.host}/public: {plain}\n  {tokens.url.removeprefix('http://')}: {plain}\n"


def test_a_token_service_that_the_operator_allows_is_asked_for_the_right_to_pull(
    tmp_path: Path, tokens: TokenService, behind_tokens: Registry
) -> None:
    before = len(tokens.asked)
    env = operator(tmp_path, behind_tokens, rows=rows(behind_tokens, tokens))
    found = about_images(verdict_on(tmp_path, env, *(f"{behind_tokens.host}/public/web:{t}" for t in ("1.5.0", "no"))))
    assert [(f["rule"], f["path"]) for f in found] == [("image-missing", "1/pod.yaml")]
    assert tokens.asked[before:] == [("repository:public/web:pull", "")]


def test_credentials_are_shown_to_the_token_service_that_the_operator_names(
    tmp_path: Path, tokens: TokenService, behind_tokens: Registry
) -> None:
    image, service = f"{behind_tokens.host}/acme/web:1.5.0", tokens.url.removeprefix("http://")
    env = operator(tmp_path, behind_tokens, more=f"{CREDENTIALS}, token_host: '{service}'") | GIVEN
    assert about_images(verdict_on(tmp_path / "named", env, image)) == []
    assert tokens.asked.pop() == ("repository:acme/web:pull", USER)
    # One that is only allowed is asked in nobody's name.
    env = operator(tmp_path, behind_tokens, more=CREDENTIALS, rows=rows(behind_tokens, tokens)) | GIVEN
    (found,) = about_images(verdict_on(tmp_path / "allowed", env, image))
    assert found["rule"] == "image-registry"
    assert tokens.asked.pop() == ("repository:acme/web:pull", "")


def test_a_token_that_gives_no_right_is_a_refusal_and_no_verdict_on_the_image(
    tmp_path: Path, tokens: TokenService, behind_tokens: Registry
) -> None:
    env = operator(tmp_path, behind_tokens, rows=rows(behind_tokens, tokens))
    (found,) = about_images(verdict_on(tmp_path, env, f"{behind_tokens.host}/acme/web:1.5.0"))
    assert (found["rule"], found["severity"]) == ("image-registry", "warning")
    assert "refused (401); there is no such repository, or the bot may not see it" in found["message"]


def test_a_token_service_that_the_operator_does_not_allow_is_not_asked(
    tmp_path: Path, tokens: TokenService, behind_tokens: Registry
) -> None:
    before = list(tokens.asked)
    env = operator(tmp_path, behind_tokens)
    (found,) = about_images(verdict_on(tmp_path, env, f"{behind_tokens.host}/acme/web:1.5.0"))
    assert found["rule"] == "image-registry"
    assert "is not a host that the operator allows" in found["message"]
    assert tokens.asked == before


def test_a_registry_that_does_not_answer_weighs_what_the_operator_says(tmp_path: Path) -> None:
    gone = Registry("127.0.0.1:9", tmp_path / "log")
    for weight, severity, conclusion in (("warn", "warning", "success"), ("block", "error", "failure")):
        settings = f"{{unreachable: {weight}}}"
        verdict = reviewed(tmp_path / weight, gone, "HOST/acme/web:1.5.0", images=settings)
        (found,) = about_images(verdict)
        assert (found["rule"], found["severity"], verdict["conclusion"]) == ("image-registry", severity, conclusion)
        assert "127.0.0.1" in found["message"]


def test_registries_that_the_operator_does_not_name_are_not_asked_and_told_once(tmp_path: Path) -> None:
    gone = Registry("127.0.0.1:9", tmp_path / "log")
    images = ("nginx:1.27", "quay.io/x/y:1", "index.docker.io/library/nginx:1.28", "127.0.0.1:9/acme-evil/web:1")
    (found,) = about_images(verdict_on(tmp_path, operator(tmp_path, gone), *images))
    assert (found["rule"], found["severity"]) == ("image-not-asked", "notice")
    assert found["message"].startswith("127.0.0.1:9, docker.io, quay.io: not among the operator's remotes, so 4 images")


class Counted:
    """What a badly behaved registry was asked, by status that it answers with."""

    def __init__(self) -> None:
        self.asked: list[str] = []


def answering(status: int, counted: Counted, headers: dict[str, str] | None = None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            counted.asked.append(self.path)
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler


def asked(host: str, folder: Path, settings: ImageSettings | None = None) -> asking.AskedRegistries:
    row = RemoteHost(host, private=True, plain_http=True)
    return asking.AskedRegistries(settings or ImageSettings(), RemoteHosts.of({host: row}), folder)


def many(host: str) -> list[Image]:
    return [Image(host, f"acme/{n}", "1.5.0") for n in range(40)]


@pytest.mark.parametrize(("status", "words"), [(429, "too often"), (503, "answered 503")])
def test_a_registry_that_wants_rest_is_left_in_peace(tmp_path: Path, status: int, words: str) -> None:
    counted = Counted()
    with listening(answering(status, counted)) as url:
        host = url.removeprefix("http://")
        answers = asked(host, tmp_path).ask(many(host))
        assert all(words in answer.trouble and answer.exists is None for answer in answers.values())
        # Some may be under way when the one comes that ends it.
        assert len(counted.asked) <= MOST_FAILURES + asking.THREADS


def test_nothing_new_is_asked_once_the_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SECONDS", 0)
    counted = Counted()
    with listening(answering(200, counted)) as url:
        images = many(url.removeprefix("http://"))
        answers = asked(url.removeprefix("http://"), tmp_path).ask(images)
        assert {answers[image].trouble for image in images} == {"it did not answer within 0 s"}
        assert counted.asked == []


@pytest.mark.parametrize("named", ["docker.io", "HOST"])
def test_dockers_hub_is_asked_where_its_api_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    counted = Counted()
    with listening(answering(404, counted)) as url:
        host = url.removeprefix("http://")
        monkeypatch.setattr(asking, "HOSTS", {"docker.io": host})
        image = parse("nginx:1.27")
        assert image is not None
        answer = asked(named.replace("HOST", host), tmp_path).ask([image])[image]
        assert (answer.allowed, answer.exists) == (True, False)
        assert counted.asked[0] == "/v2/library/nginx/manifests/1.27"


def test_what_was_not_found_by_head_is_asked_for_once_more(tmp_path: Path) -> None:
    counted = Counted()
    with listening(answering(404, counted)) as url:
        host = url.removeprefix("http://")
        image = Image(host, "acme/web", "1.5.0")
        answer = asked(host, tmp_path).ask([image])[image]
        assert (answer.exists, answer.place_exists) == (False, False)
        assert counted.asked == [*["/v2/acme/web/manifests/1.5.0"] * 2, "/v2/acme/web/tags/list?n=1000"]


def test_a_registry_that_does_not_say_what_it_serves_is_read(tmp_path: Path) -> None:
    empty = f"sha256:{hashlib.sha256(b'').hexdigest()}"
    with listening(answering(200, Counted())) as url:
        host = url.removeprefix("http://")
        tag, right, wrong = (
            Image(host, "acme/web", *names) for names in (("1",), (None, empty), (None, empty[:-1] + "0"))
        )
        answers = asked(host, tmp_path).ask([tag, right, wrong])
        assert (answers[tag].exists, answers[right].exists, answers[wrong].exists) == (True, True, None)
        assert "serves something else" in answers[wrong].trouble


def test_platforms_that_cannot_be_read_are_told_and_not_taken_for_there(tmp_path: Path) -> None:
    counted, digest = Counted(), f"sha256:{'a' * 64}"
    # Like storage elsewhere that the operator has not allowed: the manifest is there and can't be read.
    with listening(answering(200, counted, {"Docker-Content-Digest": digest})) as url:
        host = url.removeprefix("http://")
        image = Image(host, "acme/web", "1.5.0")
        wanted = ImageSettings(("linux/amd64",), Severity.ERROR)
        answer = asked(host, tmp_path, wanted).ask([image])[image]
        assert (answer.exists, answer.platforms) == (True, None)
        assert "serves something else" in answer.trouble
        # Without platforms to look for there is nothing that it leaves open.
        assert asked(host, tmp_path).ask([image])[image].trouble == ""


def test_a_registry_that_never_ends_its_answer_holds_a_review_up_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        images = many(host)
        answers = asked(host, tmp_path).ask(images)
        assert all("did not answer" in answers[image].trouble for image in images)
