"""A pull request does not choose whom the bot talks to, nor what it tells them."""

from __future__ import annotations

import base64
import json
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from elsewhere import Served, chart, listening, place, remotes, served
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.remotes.addresses import is_public, is_usable
from review_bot.remotes.fetching import Remotes


def hosts(*places: str) -> RemoteHosts:
    return RemoteHosts.of({p: RemoteHost(p) for p in places})


@pytest.mark.parametrize(
    "url",
    [
        "https://ghcr.io/acme",
        "https://ghcr.io/acme/",
        "https://GHCR.io/acme/web-1.0.0.tgz",
        "https://ghcr.io:443/acme/web%2B1",
        "https://bot@ghcr.io/acme/x?y=z/../..#/..",
        "https://ghcr.io/acme/.github/x",
    ],
)
def test_what_lies_below_the_path_is_allowed(url: str) -> None:
    assert hosts("ghcr.io/acme").find(url)


@pytest.mark.parametrize(
    "url",
    [
        *("https://ghcr.io", "https://ghcr.io/", "https://ghcr.io/acm", "https://ghcr.io/acme-evil", "ghcr.io/acme"),
        *("https://ghcr.io/acme/../evil", "https://ghcr.io/acme/%2e%2e/evil", "https://ghcr.io/acme/.%2E/evil"),
        *("https://ghcr.io/acme%2F..%2Fevil", "https://ghcr.io/acme%2fweb", "https://ghcr.io/acme/%252e%252e/evil"),
        *("https://ghcr.io//acme/web", "https://ghcr.io/acme//evil", "https://ghcr.io/evil/../acme/web"),
        *("https://ghcr.io/acme/..;/evil", "https://ghcr.io/acme/..%00/evil", "https://ghcr.io/acme/.. /evil"),
        *("https://ghcr.io/acme/..%20/evil", "https://ghcr.io/acme/.../evil", "https://ghcr.io/acme\\..\\evil"),
        *("https://ghcr.io/acme/%5c..%5cevil", "https://ghcr.io\\@evil.example/acme", "https://ghcr.io/ACME/web"),
        *(
            "https://ghcr.io@evil.example/acme",
            "https://ghcr.io:443@evil.example/acme",
            "https://evil.example#@ghcr.io/acme",
        ),
        *(
            "https://evil.example?@ghcr.io/acme",
            "https://ghcr.io:8443/acme",
            "http://ghcr.io:443/acme",
            "https://ghcr.io:/x",
        ),
        *(
            "https://ghcr.io./acme",
            "https://ghcr.io.evil.example/acme",
            "https://evilghcr.io/acme",
            "https://.ghcr.io/acme",
        ),
        *("https://ghcr.\N{LATIN SMALL LETTER DOTLESS I}o/acme", "https://ghcr\N{FULLWIDTH FULL STOP}io/acme"),
        *(
            "https://ghcr.io/acme\n",
            "https://ghcr.io/ac\tme",
            "\thttps://ghcr.io/acme",
            "https:/ghcr.io/acme",
            "//ghcr.io/acme",
        ),
        *("https:ghcr.io/acme", "https:///ghcr.io/acme", "file://ghcr.io/acme", "ext::sh -c id", "--upload-pack=x"),
        *("https://[::1]/acme", "https://ghcr.io/acme/\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}/evil"),
    ],
)
def test_no_spelling_leads_out_of_the_path(url: str) -> None:
    assert hosts("ghcr.io/acme").find(url) is None


PIECES = ["ghcr.io", "evil.example", "acme", "evil", "..", ".", "%2e", "%2F", "%5c", "%25", "%00", "/", "//", "\\", "@"]
PIECES += [":", ":443", ":8443", "?", "#", ";", "https://", "http://", " ", "\t", "\n", "\N{FULLWIDTH SOLIDUS}", ".git"]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=8).map("".join))
def test_what_is_allowed_means_the_same_to_every_reader(rest: str) -> None:
    for url in (f"https://ghcr.io/acme{rest}", f"https://ghcr.io{rest}", f"https://{rest}", rest):
        if hosts("ghcr.io/acme").find(url) is not None:
            parts = urlsplit(url)
            meant = posixpath.normpath(unquote(unquote(parts.path)).replace("\\", "/"))
            assert (parts.hostname, parts.port or {"https": 443, "http": 80}[parts.scheme]) in (
                ("ghcr.io", 443),
                ("ghcr.io", 80),
            )
            assert meant == "/acme" or meant.startswith("/acme/")
            assert url.isascii() and url.isprintable() and "//" not in parts.path
        if hosts("ghcr.io").find(url) is not None:
            assert urlsplit(url).hostname == "ghcr.io"


def test_a_port_is_a_place_of_its_own() -> None:
    assert hosts("ghcr.io:8443").find("https://ghcr.io:8443/x") and hosts("ghcr.io:443").find("https://ghcr.io/x")
    assert hosts("ghcr.io:8443").find("https://ghcr.io/x") is None


def test_the_longest_place_decides_about_credentials() -> None:
    rows = {p: RemoteHost(p, password=p) for p in ("ghcr.io", "ghcr.io/acme/private", "ghcr.io/acme")}
    found = RemoteHosts.of(rows).find("https://ghcr.io/acme/private/x")
    assert found is not None and found.password == "ghcr.io/acme/private"


@pytest.mark.parametrize(
    "address",
    [
        *(
            "10.0.0.1",
            "127.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "::ffff:10.0.0.1"),
        *(
            "::ffff:8.8.8.8",
            "::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2001:0:a00:1::1",
            "ff02::1",
        ),
    ],
)
def test_an_address_that_may_be_our_own_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "140.82.121.4", "2606:50c0:8000::153"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200", "fe80::1"]
)
def test_not_even_the_operators_word_opens_the_clouds_own_address(address: str) -> None:
    assert not is_usable(address)


@pytest.fixture
def repository() -> Iterator[Served]:
    with served() as found:
        found.holds_charts("1.0.0")
        yield found


def wanted(url: str) -> Remote:
    return Remote(RemoteKind.HELM, url, "web", "1.0.0")


def below(server: Served, path: str) -> str:
    """The charts below a path of the server; what lies there."""
    for name in list(server):
        server[f"{path}{name}"] = server.pop(name)
    return f"{server.url}{path}"


@pytest.mark.parametrize("to", ["/evil/web.tgz", "/acme/../evil/web.tgz", "/acme/%2e%2e/evil/web.tgz", "//127.0.0.2/x"])
def test_neither_redirect_nor_index_leads_out_of_the_path(repository: Served, tmp_path: Path, to: str) -> None:
    url = below(repository, "/acme")
    repository["/evil/web.tgz"] = chart("1.0.0")
    repository.redirects["/acme/web-1.0.0.tgz"] = to
    with pytest.raises(InputError, match="is not a host that the operator allows"):
        remotes(tmp_path, place(url)).fetch(wanted(url))
    repository["/acme/index.yaml"] = f"entries: {{web: [{{version: 1.0.0, urls: ['{to}']}}]}}\n".encode()
    with pytest.raises(InputError, match="is not a host that the operator allows"):
        remotes(tmp_path, place(url)).fetch(wanted(url))
    assert not any("evil" in path for path in repository.paths)


def test_credentials_of_one_part_of_a_host_are_not_sent_to_another(repository: Served, tmp_path: Path) -> None:
    url = below(repository, "/acme")
    repository["/public/web.tgz"] = chart("1.0.0")
    repository.redirects["/acme/web-1.0.0.tgz"] = "/public/web.tgz"
    rows = [
        RemoteHost(place(url), True, "bot", "hunter2", True),
        RemoteHost(f"{place(repository.url)}/public", True, plain_http=True),
    ]
    Remotes(RemoteHosts.of({r.place: r for r in rows}), tmp_path / "cache").fetch(wanted(url))
    told = {path: "Authorization" in headers for path, headers in repository.asked}
    assert told == {"/acme/index.yaml": True, "/acme/web-1.0.0.tgz": True, "/public/web.tgz": False}


def test_what_is_no_longer_allowed_is_no_longer_served(repository: Served, tmp_path: Path) -> None:
    with served() as other:
        other["/web.tgz?key=hunter2"] = chart("1.0.0")
        row = f"{{version: 1.0.0, urls: ['{other.url}/web.tgz?key=hunter2']}}"
        repository["/index.yaml"] = f"entries: {{web: [{row}]}}".encode()
        both = place(repository.url), place(other.url)
        assert remotes(tmp_path, *both).fetch(wanted(repository.url)).entries()
        for allowed in (both[:1], both[1:], ("example.com",)):
            with pytest.raises(InputError, match="is not a host that the operator allows"):
                remotes(tmp_path, *allowed).fetch(wanted(repository.url))
        with pytest.raises(InputError, match="private network"):
            remotes(tmp_path, *both, private=False).fetch(wanted(repository.url))
        asked = len(repository.asked), len(other.asked)
        assert remotes(tmp_path, *both).fetch(wanted(repository.url)).entries()
        assert (len(repository.asked), len(other.asked)) == asked
    kept = [p.read_bytes() for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert kept and not any(b"hunter2" in data for data in kept)


@pytest.mark.parametrize("kind", list(RemoteKind))
def test_no_error_repeats_a_password_that_stands_in_an_address(tmp_path: Path, kind: RemoteKind) -> None:
    scheme = "oci" if kind is RemoteKind.OCI else "http"
    for url in (f"{scheme}://bot:hunter2@127.0.0.1:1/x", f"{scheme}://127.0.0.1:1/x?token=hunter2"):
        for own in (remotes(tmp_path, "127.0.0.1:1"), remotes(tmp_path, "example.com")):
            with pytest.raises(InputError) as caught:
                own.fetch(Remote(kind, url, "web", "1.0.0"))
            assert "hunter2" not in f"{caught.value.message} {caught.value.help}"


class Registry:
    """Speaks as much of the distribution API as asks for a token; `asked` are the requests with their credentials."""

    def __init__(self) -> None:
        self.url, self.realm = "", ""
        self.asked: list[tuple[str, str]] = []


@contextmanager
def registry() -> Iterator[Registry]:
    found = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = self.headers.get("Authorization", "")
            found.asked.append((self.path.partition("?")[0], said))
            is_token = self.path.startswith("/token")
            self.send_response(200 if is_token else 404 if said.startswith("Bearer") else 401)
            if not is_token:
                self.send_header("WWW-Authenticate", f'Bearer realm="{found.realm}",service="x"')
            self.end_headers()
            self.wfile.write(json.dumps({"token": "t0ken"}).encode() if is_token else b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with listening(Handler) as found.url:
        yield found


BASIC = "Basic " + base64.b64encode(b"bot:hunter2").decode()


def asked_for_a_token(root: Path, one: Registry, other: Registry, named: bool) -> None:
    """`one` has credentials, `other` has some as well; what happens where `one` sends for a token to `other`."""
    one.realm = f"{other.url}/token"
    rows = [
        RemoteHost(place(one.url), True, "bot", "hunter2", True, place(other.url) if named else ""),
        RemoteHost(place(other.url), True, "other", "swordfish", True),
    ]
    own = Remotes(RemoteHosts.of({r.place: r for r in rows}), root / "cache")
    with pytest.raises(InputError, match="answered 404"):
        own.fetch(Remote(RemoteKind.OCI, f"oci://{place(one.url)}/acme/web", "", "1.0.0"))


def test_a_registry_gets_no_token_for_another_hosts_credentials(tmp_path: Path) -> None:
    with registry() as one, registry() as other:
        asked_for_a_token(tmp_path, one, other, named=False)
        assert other.asked == [("/token", "")]
        other.asked.clear()
        asked_for_a_token(tmp_path, one, other, named=True)
        assert other.asked == [("/token", BASIC)]


def test_a_registry_sends_for_tokens_only_to_where_the_operator_allows(tmp_path: Path) -> None:
    with registry() as one, registry() as other:
        for realm in (f"{other.url}/token", "file:///etc/passwd", "https:///token", "http://169.254.169.254/token"):
            one.realm = realm
            with pytest.raises(InputError, match="is not a host that the operator allows"):
                remotes(tmp_path, place(one.url)).fetch(
                    Remote(RemoteKind.OCI, f"oci://{place(one.url)}/acme/web", "", "1.0.0")
                )
        assert other.asked == []


@pytest.mark.parametrize(
    "url",
    ["acme.git", "acme/../evil", "acme%2f..%2fevil", "evil", "acme-evil/x", "acme//web", "ACME/web", "acme/web?x=y"],
)
def test_a_registry_is_asked_below_the_path_only(tmp_path: Path, url: str) -> None:
    with registry() as one:
        with pytest.raises(InputError):
            remotes(tmp_path, f"{place(one.url)}/acme").fetch(
                Remote(RemoteKind.OCI, f"oci://{place(one.url)}/{url}", "", "1.0.0")
            )
        assert one.asked == []
