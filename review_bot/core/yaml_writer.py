"""Write manifests as YAML that YAML 1.1, YAML 1.2 and Kubernetes read alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from review_bot.core.model import Manifest

# A plain text must start with a letter and look like nothing but text in every reader's eye.
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*\Z")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"])


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: Any, text: str) -> Any:
    if _SAFE.match(text) and text.lower() not in _WORDS:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text)
    literal = "\n" in text and _literal(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if literal else '"')


def _literal(text: str) -> bool:
    """A literal block keeps these texts to the letter; the rest goes into double quotes."""
    lines = text.split("\n")
    plain = all(line == line.rstrip() and line.isprintable() and "\ufeff" not in line for line in lines)
    return plain and not lines[0].startswith(" ") and bool(lines[0])


_Dumper.add_representer(str, _string)


def dump(manifests: Iterable[Manifest]) -> str:
    """Documents divided by `---`, keys in the manifest's order; strings are quoted wherever a reader could differ."""
    return "---\n".join(one(manifest) for manifest in manifests)


def one(value: Mapping[str, Any]) -> str:
    """One document."""
    text = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=2**31 - 1
    )
    return str(text)
