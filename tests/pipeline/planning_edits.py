"""Random edits of a repository: of every kind of file, and of every kind that a pull request can hold."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path

SCALAR = re.compile(r"(?m)^(?P<key>[ \t-]*[\w./-]+:[ \t]+)(?P<value>[^\s#|>&*{\[][^\n#]*)$")
# Files that have a meaning by their name alone, with a content that changes something.
MEANT = {
    "kustomization.yaml": "namePrefix: new-\nresources: []\n",
    "Kustomization": "namePrefix: new-\n",
    ".argocd-source.yaml": "directory:\n  recurse: true\n",
    ".sourceignore": "*.yaml\n",
    ".helmignore": "templates/*\n",
    "Chart.yaml": "apiVersion: v2\nname: new\nversion: 1.0.0\n",
    "values.yaml": "replicas: 7\n",
    "new.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\n",
    "new.json": '{"name": "new"}\n',
    "new.tf": 'locals {\n  new = "new"\n}\n',
    "new.auto.tfvars": "new = 1\n",
}


def edited(root: Path, luck: random.Random) -> str:
    """Change one file or folder in some way; says how."""
    # What an edit can't be made of is left for another one.
    while not (said := luck.choice(EDITS)(root, luck)):
        pass
    return said


def files_of(root: Path) -> list[Path]:
    found = (p for p in root.rglob("*") if (p.is_file() or p.is_symlink()) and ".git" not in p.relative_to(root).parts)
    return sorted(found)


def folders_of(root: Path) -> list[Path]:
    found = (
        p for p in root.rglob("*") if p.is_dir() and not p.is_symlink() and ".git" not in p.relative_to(root).parts
    )
    return sorted(found)


def in_the_text(root: Path, luck: random.Random) -> str:
    """One character, line or value of a file."""
    path = _real(root, luck)
    text = path.read_text(errors="surrogateescape")
    how = luck.choice(["digit", "word", "remark", "line gone", "line twice", "emptied"])
    rows = text.splitlines(keepends=True)
    digits = [i for i, c in enumerate(text) if c.isdigit()]
    if how == "digit" and digits:
        at = luck.choice(digits)
        text = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
    elif how == "remark":
        text += "\n# a remark\n"
    elif how == "emptied":
        text = ""
    elif rows:
        at = luck.randrange(len(rows))
        rows[at] = {"line gone": "", "line twice": rows[at] * 2}.get(how, rows[at].rstrip("\n") + "x\n")
        text = "".join(rows)
    path.write_text(text, errors="surrogateescape")
    return f"{path.relative_to(root)}: {how}"


def another_value(root: Path, luck: random.Random) -> str:
    """A value of YAML takes the place of another one, from any file: so references change too."""
    path, other = _real(root, luck), _real(root, luck)
    text = path.read_text(errors="surrogateescape")
    here = list(SCALAR.finditer(text))
    there = list(SCALAR.finditer(other.read_text(errors="surrogateescape")))
    if not here or not there:
        return ""
    old = luck.choice(here)
    same = [m for m in there if m["key"].strip() == old["key"].strip() and m["value"] != old["value"]]
    new = luck.choice(same or there)["value"]
    path.write_text(text[: old.start("value")] + new + text[old.end("value") :], errors="surrogateescape")
    return f"{path.relative_to(root)}: {old['key'].strip()} {old['value']} becomes {new}"


def removed(root: Path, luck: random.Random) -> str:
    path = luck.choice(files_of(root))
    path.unlink()
    return f"{path.relative_to(root)} removed"


def renamed(root: Path, luck: random.Random) -> str:
    path = luck.choice(files_of(root))
    to = path.with_name(luck.choice([f"moved-{path.name}", f"{path.stem}.yaml", f"{path.stem}.txt", f".{path.name}"]))
    if to.exists():
        return ""
    path.rename(to)
    return f"{path.relative_to(root)} is now {to.name}"


def moved(root: Path, luck: random.Random) -> str:
    path, to = luck.choice(files_of(root)), luck.choice([root, *folders_of(root)])
    if (to / path.name).exists() or (to / path.name).is_symlink():
        return ""
    path.rename(to / path.name)
    return f"{path.relative_to(root)} moved to {to.relative_to(root)}"


def copied(root: Path, luck: random.Random) -> str:
    path = _real(root, luck)
    to = path.with_name(f"copy-of-{path.name}")
    if to.exists():
        return ""
    shutil.copy(path, to)
    return f"{path.relative_to(root)} copied to {to.name}"


def exchanged(root: Path, luck: random.Random) -> str:
    path = _real(root, luck)
    others = [p for p in files_of(root) if p.suffix == path.suffix and p != path and not p.is_symlink()]
    if not others:
        return ""
    other = luck.choice(others)
    data = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(data)
    return f"{path.relative_to(root)} and {other.relative_to(root)} exchanged"


def linked(root: Path, luck: random.Random) -> str:
    """A file or a folder becomes a link to another one."""
    if luck.random() < 0.5:
        path, to = _real(root, luck), _real(root, luck)
    else:
        folders = folders_of(root)
        path, to = luck.choice(folders), luck.choice(folders)
    if path == to or path in to.parents:
        return ""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(os.path.relpath(to, path.parent))
    return f"{path.relative_to(root)} becomes a link to {to.relative_to(root)}"


def folder_edited(root: Path, luck: random.Random) -> str:
    path = luck.choice(folders_of(root))
    how = luck.choice(["removed", "renamed", "copied"])
    to = path.with_name(f"{path.name}{luck.choice(['bar', '-2', '.new'])}")
    if to.exists():
        return ""
    if how == "removed":
        shutil.rmtree(path)
    elif how == "renamed":
        path.rename(to)
    else:
        shutil.copytree(path, to, symlinks=True)
    return f"{path.relative_to(root)}/ {how}"


def meant(root: Path, luck: random.Random) -> str:
    """A file with a meaning comes into a folder, or takes the place of the one that is there."""
    folder, name = luck.choice([root, *folders_of(root)]), luck.choice(sorted(MEANT))
    path = folder / name
    if path.is_symlink() or path.is_dir():
        return ""
    path.write_text(MEANT[name])
    return f"{path.relative_to(root)} written"


def _real(root: Path, luck: random.Random) -> Path:
    return luck.choice([p for p in files_of(root) if not p.is_symlink()])


EDITS = (
    *(in_the_text, in_the_text, in_the_text, another_value, another_value, another_value),
    *(removed, renamed, moved, copied, exchanged, linked, folder_edited, meant, meant),
)
