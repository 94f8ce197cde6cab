"""What must survive a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from review_bot.github.webhook import Wish
from review_bot.server.store import Store

PULL = Wish("pull:org/config#7", 5)


def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "db.sqlite")


def test_a_delivery_that_was_seen_changes_nothing(tmp_path: Path) -> None:
    one = store(tmp_path)
    assert one.receive("id-1", "push", [PULL])
    (work,) = one.due([], time.time())
    one.done(work)
    assert not one.receive("id-1", "push", [PULL])
    assert one.due([], time.time()) == ()


def test_a_burst_of_wishes_is_one_row_and_one_more_look(tmp_path: Path) -> None:
    one = store(tmp_path)
    for number in range(50):
        one.receive(f"id-{number}", "push", [PULL])
    (work,) = one.due([], time.time())
    one.want([PULL, PULL])
    one.done(work)
    (again,) = one.due([], time.time())
    one.done(again)
    assert one.due([], time.time()) == ()


def test_a_wish_for_a_fresh_review_is_kept_until_a_look_that_knew_of_it(tmp_path: Path) -> None:
    one = store(tmp_path)
    one.want([PULL])
    (work,) = one.due([], time.time())
    one.want([Wish(PULL.key, 5, fresh=True)])
    one.done(work)
    (again,) = one.due([], time.time())
    assert (work.fresh, again.fresh) == (False, True)


def test_a_held_installation_waits_and_another_does_not(tmp_path: Path) -> None:
    one = store(tmp_path)
    one.want([PULL, Wish("pull:other/config#1", 6)])
    now = time.time()
    one.hold(5, now + 60)
    one.hold(5, now + 30)
    assert [w.key for w in one.due([], now)] == ["pull:other/config#1"]
    assert one.next_due(now) == now + 60
    assert len(one.due([], now + 61)) == 2


def test_what_fails_waits_and_a_new_event_ends_the_wait(tmp_path: Path) -> None:
    one = store(tmp_path)
    one.want([PULL])
    now = time.time()
    one.later(one.due([], now)[0], now + 600)
    assert one.due([], now) == ()
    one.want([PULL])
    assert [w.attempts for w in one.due([], now)] == [0]


def test_an_effect_that_comes_back_is_a_new_entry(tmp_path: Path) -> None:
    one = store(tmp_path)
    for digest in ("a", "a", "b", "a"):
        one.published("org/config", 7, "h", digest)
    assert [e.digest for e in one.effects("org/config", 7)] == ["a", "b", "a"]


def test_what_was_received_is_there_after_kill_9(tmp_path: Path) -> None:
    script = (
        "import os, sys, signal\nfrom pathlib import Path\n"
        "from review_bot.github.webhook import Wish\nfrom review_bot.server.store import Store\n"
        "s = Store(Path(sys.argv[1]))\ns.receive('d', 'push', [Wish('pull:o/r#1', 1)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "db.sqlite")], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    after = store(tmp_path)
    assert [w.key for w in after.due([], time.time())] == ["pull:o/r#1"]
    assert not after.receive("d", "push", [])


def test_an_alarm_is_a_wish_at_its_moment_and_one_a_reason(tmp_path: Path) -> None:
    one = store(tmp_path)
    now = time.time()
    one.notes.wake(PULL, "freeze", now + 500)
    one.notes.wake(Wish(PULL.key, 5, fresh=True), "waiver", now + 900)
    one.notes.wake(PULL, "freeze", now + 700)
    assert one.due([], now + 699) == () and one.next_due(now) == now + 700
    (work,) = one.due([], now + 701)
    assert (work.key, work.fresh) == (PULL.key, False)
    one.done(work)
    assert one.due([], now + 800) == ()
    one.notes.wake(Wish(PULL.key, 5, fresh=True), "waiver", None)
    assert one.due([], now + 1000) == () and one.next_due(now) is None
