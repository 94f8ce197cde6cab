"""Every decision is in the audit log with its facts, once, and can be replayed to the same answer."""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from repositories import run
from town import DEPLOYMENT, FILES, REPOSITORY, Town, played, until

BUMP = {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.5.0")}
PASSWORD, NEXT = "correct-horse-battery", "staple-of-the-horse"
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: VALUE}
data: {token: ENCODED}
"""
TALKATIVE = """\
package main

require_approval contains {"msg": sprintf("%v is %v", [input.kind, input]), "user": "carol"} if input.kind == "Secret"
"""
OVERRIDE = {**FILES, ".review-bot.yaml": "version: 1\napprovals: {override: {users: [dave]}}\n"}


def database(root: Path) -> Path:
    return root / "state" / "bot.sqlite"


def audit(path: Path, *words: str) -> tuple[int, str]:
    done = run("audit", *words, env={"REVIEW_BOT_DATABASE_URL": f"sqlite:///{path}"})
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database after a pull request was approved, and another was let through by breaking the glass."""
    root = tmp_path_factory.mktemp("audit")

    async def story(here: Town) -> None:
        number, sha = await here.open("bump", BUMP)
        await here.completed(sha, conclusion="action_required")
        await here.carol.review(REPOSITORY, number, "APPROVE")
        await here.completed(sha, conclusion="success")
        other, head = await here.open("urgent", {"app/deploy.yaml": DEPLOYMENT.replace("1.4.2", "1.4.3")})
        await here.completed(head, conclusion="action_required")
        await here.dave.comment(REPOSITORY, other, "/override the site is down")
        await here.completed(head, conclusion="success")

        async def told() -> bool | None:
            with closing(sqlite3.connect(database(root))) as db:
                rows = db.execute("SELECT record FROM audit WHERE number = ?", (other,)).fetchall()
            return any(json.loads(r[0])["body"]["overridden"] for r in rows) or None

        await until(told, "the override in the log")

    played(root, story, OVERRIDE)
    return database(root)


def test_the_log_is_whole_and_says_where_it_ends(log: Path) -> None:
    status, text = audit(log, "verify")
    assert status == 0, text
    anchor = text.splitlines()[-1].removeprefix("anchor ")
    assert audit(log, "verify", "--anchor", anchor)[0] == 0


def test_what_happened_can_be_read(log: Path) -> None:
    _, text = audit(log, "show")
    assert "approved" in text and "pending" in text
    assert "@dave broke the glass: the site is down" in text
    assert "carol" in text
    for nothing in ("o/none#1", "0", "nonsense"):
        assert audit(log, "show", nothing)[0] == 2


def test_an_anchor_that_is_none_is_wrong_usage(log: Path) -> None:
    status, text = audit(log, "verify", "--anchor", "7")
    assert status == 2
    assert "→ write it as `audit verify` printed it" in text


def test_only_a_decision_can_be_replayed(log: Path) -> None:
    done = run("gate", "simulate", "--audit", "0", env={"REVIEW_BOT_DATABASE_URL": f"sqlite:///{log}"})
    assert done.returncode == 2
    assert "record 0 of the audit log is no decision" in done.stderr


def test_replaying_any_decision_gives_the_decision_that_was_recorded(log: Path, tmp_path: Path) -> None:
    _, text = audit(log, "export")
    records = [json.loads(line) for line in text.splitlines()]
    decisions = [r for r in records if r["kind"] == "decision"]
    assert {r["state"] for r in decisions} >= {"pending", "approved"}
    env = {"REVIEW_BOT_DATABASE_URL": f"sqlite:///{log}"}
    (tmp_path / "line.json").write_text(text.splitlines()[decisions[-1]["seq"] - 1])
    done = run("gate", "simulate", str(tmp_path / "line.json"), "-o", "json")
    assert json.loads(done.stdout) == decisions[-1]["body"]["decision"]
    for record in decisions:
        done = run("gate", "simulate", "--audit", str(record["seq"]), "-o", "json", env=env)
        assert json.loads(done.stdout) == record["body"]["decision"]
    (tmp_path / "record.json").write_text(json.dumps(decisions[0]))
    done = run("gate", "simulate", str(tmp_path / "record.json"), "-o", "json")
    assert json.loads(done.stdout) == decisions[0]["body"]["decision"]


def test_records_name_effect_policies_and_people_and_are_written_once(log: Path) -> None:
    _, text = audit(log, "show", "-o", "json")
    records = json.loads(text)
    last = [r for r in records if r["state"] == "approved"][-1]
    assert last["effect"].startswith("sha256:") and last["policies"].startswith("sha256:")
    assert {"alice", "dave"} <= set(last["actors"])
    for one, two in pairwise(records):
        assert {k: v for k, v in one.items() if k not in ("seq", "time", "previous", "hash")} != {
            k: v for k, v in two.items() if k not in ("seq", "time", "previous", "hash")
        }


def test_the_database_itself_refuses_to_change_or_shorten_it(log: Path) -> None:
    with closing(sqlite3.connect(log)) as db:
        row = "seq, repository, number, kind, substance, '{}' FROM audit WHERE seq = 1"
        for statement in (
            "UPDATE audit SET record = '{}'",
            "DELETE FROM audit",
            f"REPLACE INTO audit SELECT {row}",
            f"INSERT INTO audit SELECT -{row}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match=r"the audit log (is never|only grows)"):
                db.execute(statement)


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("UPDATE audit SET record = replace(record, 'carol', 'mallory')", "was changed"),
        ("UPDATE audit SET record = 'no record' WHERE seq = 2", "BROKEN at record 2"),
        ("UPDATE audit SET record = '{}' WHERE seq = 2", "BROKEN at record 2"),
        ("UPDATE audit SET repository = 'else/where' WHERE seq = 2", "record 2 is filed under something else"),
        ("UPDATE audit SET substance = 'sha256:0' WHERE seq = 1", "record 1 is filed under something else"),
        ("DELETE FROM audit_end", "the store wrote record 0 last"),
        ("DELETE FROM audit WHERE seq = 2", "records are missing"),
        ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "the store wrote record"),
    ],
)
def test_whoever_gets_around_that_is_found(log: Path, tmp_path: Path, tampering: str, words: str) -> None:
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(log)) as db, closing(sqlite3.connect(copy)) as other:
        db.backup(other)
        for trigger in ("audit_stays", "audit_is_kept"):
            other.execute(f"DROP TRIGGER {trigger}")
        other.execute(tampering)
        other.commit()
    status, text = audit(copy, "verify")
    assert status == 1
    assert words in text


def test_an_exported_log_is_verified_without_the_database(log: Path, tmp_path: Path) -> None:
    _, text = audit(log, "export")
    (tmp_path / "log.jsonl").write_text(text)
    assert audit(log, "verify", "--file", str(tmp_path / "log.jsonl"))[0] == 0
    (tmp_path / "log.jsonl").write_text(text.replace("carol", "mallory", 1))
    status, said = audit(log, "verify", "--file", str(tmp_path / "log.jsonl"), "-o", "json")
    assert status == 1
    assert json.loads(said)["whole"] is False


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    status, text = audit(tmp_path / "none.sqlite", "verify")
    assert status == 2
    assert "there is no database" in text and "→ name the service's database" in text


def secret(value: str) -> str:
    return SECRET.replace("VALUE", value).replace("ENCODED", base64.b64encode(value.encode()).decode())


def test_values_of_secrets_never_get_into_it_though_a_policy_quotes_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counted: list[str] = []

    async def story(here: Town) -> None:
        _, sha = await here.open("secret", {"app/secret.yaml": secret(NEXT)})
        await here.completed(sha)
        counted.append(await here.metrics())

    played(tmp_path, story, {**FILES, "app/secret.yaml": secret(PASSWORD), "policies/talk.rego": TALKATIVE})
    _, text = audit(database(tmp_path), "export")
    facts = json.loads(text.splitlines()[0])["body"]["facts"]
    (change,), (demand,) = facts["changes"], facts["demands"]
    assert '"password": "(secret)"' in demand["reason"]
    assert (change["kind"], change["name"]) == ("Secret", "db")
    assert any("password" in field for field in change["fields"])
    for value in (PASSWORD, NEXT):
        assert value not in text
        assert base64.b64encode(value.encode()).decode() not in text
    # What was written is noted outside of the database too.
    anchor = audit(database(tmp_path), "verify")[1].splitlines()[-1].removeprefix("anchor ")
    assert f"anchor {anchor}: decision of {REPOSITORY}#1" in caplog.text
    assert 'review_bot_audit_records_total{kind="decision",state="pending"} 1.0' in counted[0]
    assert "review_bot_audit_last 1.0" in counted[0]
