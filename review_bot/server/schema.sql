-- Deliveries that were seen, by GitHub's id: a second one starts nothing.
CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    received REAL NOT NULL
);
-- What to look at again: one row a subject. `wanted` grows with each wish, `done` is the value that a look began with.
CREATE TABLE IF NOT EXISTS work (
    key TEXT PRIMARY KEY,
    installation INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    fresh INTEGER NOT NULL DEFAULT 0,
    since REAL NOT NULL,
    not_before REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0
);
-- Installations that GitHub asked to leave alone until a moment.
CREATE TABLE IF NOT EXISTS holds (
    installation INTEGER PRIMARY KEY,
    until REAL NOT NULL
);
-- Heads on which check runs were, or were about to be, started.
CREATE TABLE IF NOT EXISTS heads (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    sha TEXT NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (repository, number, sha)
);
-- Merged pull requests whose way into the clusters is followed, or was: `data` is the server's rollout as JSON.
CREATE TABLE IF NOT EXISTS rollouts (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    data TEXT NOT NULL,
    finished INTEGER NOT NULL,
    updated REAL NOT NULL,
    PRIMARY KEY (repository, number)
);
-- Up to when a repository's comments were looked through for requests on merged pull requests (GitHub's time).
CREATE TABLE IF NOT EXISTS heard (
    repository TEXT PRIMARY KEY,
    until TEXT NOT NULL
);
-- What of a pull request was answered, or asked for, already: `comment:12`, `review:3`, `asked:carol`.
CREATE TABLE IF NOT EXISTS answered (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (repository, number, what)
);
-- When to look at a subject though nothing happens: a freeze begins or ends, a waiver ends. One row a reason.
CREATE TABLE IF NOT EXISTS alarms (
    key TEXT NOT NULL,
    why TEXT NOT NULL,
    installation INTEGER NOT NULL,
    fresh INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (key, why)
);
-- Merge groups on which check runs were, or were about to be, started. `passed`: the numbers of its members, like
-- ",7,8,", if the gate let them through.
CREATE TABLE IF NOT EXISTS groups (
    repository TEXT NOT NULL,
    branch TEXT NOT NULL,
    head TEXT NOT NULL,
    number INTEGER NOT NULL,
    passed TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (repository, branch, head)
);
-- Pull requests whose merge waits for what other Apps say of this head.
CREATE TABLE IF NOT EXISTS merges (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    PRIMARY KEY (repository, number)
);
-- Every effect that was published, in order: approvals are bound to the one that was current when they were given.
CREATE TABLE IF NOT EXISTS effects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    digest TEXT NOT NULL,
    published REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS effects_of ON effects (repository, number);
-- What an effect was, for people who approved it and want to know what changed since.
CREATE TABLE IF NOT EXISTS effect_details (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    shown TEXT NOT NULL,
    PRIMARY KEY (repository, number, digest)
);
-- The newest review of each pull request, what GitHub's state was when it was last looked at, and what its gate said.
CREATE TABLE IF NOT EXISTS reviews (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    tip TEXT NOT NULL,
    document TEXT NOT NULL,
    updated_at TEXT NOT NULL DEFAULT '',
    gate TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (repository, number)
);
-- The audit log: hash-chained, and never changed (see core/audit.py). `substance` is for finding an equal last record.
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY,
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    substance TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_of ON audit (repository, number, kind, seq);
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
-- INSERT OR REPLACE deletes without asking the trigger for deletions.
CREATE TRIGGER IF NOT EXISTS audit_only_grows BEFORE INSERT ON audit
WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never shortened'); END;
-- Where the log ends, kept apart from it so that a shortened one is found.
CREATE TABLE IF NOT EXISTS audit_end (
    one INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
);
