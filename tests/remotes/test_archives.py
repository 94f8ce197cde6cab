"""Archives from elsewhere can't reach out of their folder, nor be larger than what is reviewed."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile

import pytest
from elsewhere import packed

from review_bot.core import archives
from review_bot.core.archives import unpacked, without_top
from review_bot.core.errors import InputError


def test_links_of_both_kinds_and_folders_are_left_out() -> None:
    for hard in (False, True):
        data = packed({"web/a": b"1"}, links={"web/b": "a", "web/c": "/etc/passwd"}, hard=hard)
        assert unpacked(data, "web") == {"web/a": b"1"}


@pytest.mark.parametrize("name", ["../x", "web/../../x", "/etc/x", "..", "web\\..\\x", "."])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="leads out of it"):
        unpacked(packed({"web/a": b"1", name: b"2"}), "web")


def test_detours_that_stay_inside_are_straightened() -> None:
    assert unpacked(packed({"./web//b/../a": b"1"}), "web") == {"web/a": b"1"}


@pytest.mark.parametrize("name", ["n" * 256, "/".join(["nn"] * 400)])
def test_a_name_that_fits_into_no_folder_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="too long a name"):
        unpacked(packed({name: b""}), "web")


def test_what_is_a_file_and_a_folder_is_refused() -> None:
    with pytest.raises(InputError, match="both as a file and as a folder"):
        unpacked(packed({"web/a": b"1", "web/a/b/c": b"2"}), "web")


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(archives, "MOST_FILES", 3)
    for data in (packed({"a": bytes(2 << 20)}), gzip.compress(bytes(2 << 20)), packed(dict.fromkeys("abcd", b""))):
        assert len(data) < 5000
        with pytest.raises(InputError, match="unpacks to too much"):
            unpacked(data, "web")


def test_a_file_that_only_claims_to_be_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    about = tarfile.TarInfo("a")
    about.size = 1 << 40
    with pytest.raises(InputError):
        unpacked(gzip.compress(about.tobuf()), "web")


def test_an_archive_within_the_archive_is_none() -> None:
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w"):
        pass
    with pytest.raises(InputError, match=r"is no \.tar\.gz"):
        unpacked(gzip.compress(bz2.compress(inner.getvalue())), "web")


def test_an_archive_that_ends_early_or_is_damaged_is_none() -> None:
    data = packed({"web/a": bytes(range(256)) * 64})
    for broken in (data[: len(data) // 2], data[:40] + b"\xff\xff\xff" + data[43:]):
        with pytest.raises(InputError, match=r"is no \.tar\.gz"):
            unpacked(broken, "web")


def test_only_a_single_folder_is_a_top() -> None:
    assert without_top({"web/a": b"1", "web/b/c": b"2"}) == {"a": b"1", "b/c": b"2"}
    for files in ({"web/a": b"1", "other/b": b"2"}, {"web/a": b"1", "b": b"2"}, {}):
        assert without_top(files) == files
