"""What Secrets and SOPS hold, used without being shown: stand-ins of the same kind that change when the value does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import random
import re
from collections.abc import Mapping
from typing import Any

from review_bot.core.errors import YamlError
from review_bot.core.lenient import mapping
from review_bot.core.yaml_reader import load

# For one run, in which both sides are compared; nobody can try values against what is shown.
_KEY = random.SystemRandom().randbytes(32)
_NUMBER = re.compile(r"-?\d{1,18}\Z")
_PLAIN = ("", "true", "false", "null")
_DECRYPT = "kustomize.toolkit.fluxcd.io/decrypt"
ENCRYPTED = re.compile(r"ENC\[[A-Z0-9_]+,data:.*\]\Z", re.DOTALL)
# What each of SOPS' formats holds in plain text (kustomize-controller, internal/decryptor).
_ENCRYPTED_FILE = re.compile(r'"mac": ?"ENC\[|^sops_mac=ENC\[|^\[sops\]|mac: ENC\[', re.MULTILINE)
_SHOWN = re.compile(r"(?:secret|sops)-[0-9a-f]{8}\Z")


def concealed(value: Any) -> Any:
    """The value with a stand-in for each text and number: `secret-1a2b3c4d`, a number of as many digits.

    Booleans and nothing stay, for a stand-in would tell as much.
    """
    if isinstance(value, Mapping):
        return {key: concealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [concealed(item) for item in value]
    if isinstance(value, str):
        return concealed_text(value)
    if isinstance(value, bool) or value is None:
        return value
    return _number(str(value))


def concealed_text(text: str) -> str:
    """The same for a text that may be read as something else later."""
    if text in _PLAIN or _SHOWN.match(text):
        return text
    return str(_number(text)) if _NUMBER.match(text) else f"secret-{_digest(text)}"


def is_encrypted(manifest: Mapping[str, Any]) -> bool:
    """Is it an object that SOPS has encrypted, and that is not to stay so?"""
    mark = mapping(manifest, "metadata", "annotations").get(_DECRYPT)
    return bool(mapping(manifest.get("sops")).get("mac")) and str(mark).lower() != "disabled"


def opened(manifest: Mapping[str, Any], decrypts: bool) -> Mapping[str, Any]:
    """The object as if it were decrypted: each encrypted value a stand-in (`sops-1a2b3c4d`), SOPS' own part left away.

    The stand-in of an encrypted value is the same in every run, since what it stands for is public. Of a Secret that
    was generated from encrypted files it is the values that are encrypted.
    """
    if is_encrypted(manifest):
        found = {key: _stand_in(value) for key, value in manifest.items() if key != "sops"}
        data = found.get("data")
        if manifest.get("kind") == "Secret" and isinstance(data, dict):
            # A Secret's data is base64, encrypted or not.
            found["data"] = {k: _encoded(v) if v != manifest["data"].get(k) else v for k, v in data.items()}
        return found
    data = manifest.get("data")
    if not decrypts or manifest.get("kind") != "Secret" or not isinstance(data, dict):
        return manifest
    plain = {key: from_base64(value) for key, value in data.items()}
    kept = plain if not plain.get("sops_mac", "").startswith("ENC[") else _without_marks(plain)
    return {**manifest, "data": {k: _encoded(s) if (s := hidden(v)) != v else data[k] for k, v in kept.items()}}


def holds_ciphertext(manifest: Mapping[str, Any]) -> bool:
    """Is there anything in a ConfigMap that SOPS encrypted?"""
    values = mapping(manifest.get("data")).values() if manifest.get("kind") == "ConfigMap" else ()
    return any(isinstance(value, str) and hidden(value) != value for value in values)


def without_ciphertext(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ConfigMap with stand-ins for what SOPS encrypted, since nobody can read it, and without its marks."""
    if not holds_ciphertext(manifest):
        return manifest
    data = {k: hidden(v) if isinstance(v, str) else v for k, v in manifest["data"].items()}
    return {**manifest, "data": _without_marks(data) if "sops_mac" in data else data}


def hidden(text: str) -> str:
    """A stand-in for an encrypted value, or for a file that SOPS has encrypted (YAML, JSON, binary, dotenv or ini).

    Of a file only what it holds counts: whom it is encrypted for may change.
    """
    if ENCRYPTED.match(text):
        return f"sops-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    if not _ENCRYPTED_FILE.search(text):
        return text
    rows = [row for row in text.partition("\n[sops]")[0].splitlines() if not row.startswith("sops_")]
    content = "\n".join(rows)
    with contextlib.suppress(YamlError):
        value = load(text.encode(), path="")
        if isinstance(value, dict) and "sops" in value:
            content = json.dumps({k: v for k, v in value.items() if k != "sops"}, sort_keys=True, default=str)
    return f"sops-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _without_marks(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without what SOPS itself puts into a dotenv file."""
    return {key: value for key, value in data.items() if not key.startswith("sops_")}


def _stand_in(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _stand_in(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stand_in(item) for item in value]
    return hidden(value) if isinstance(value, str) and ENCRYPTED.match(value) else value


def from_base64(value: Any) -> str:
    """The text, which may be broken into lines; what is no base64 stays as it is."""
    try:
        return base64.b64decode("".join(str(value).split()), validate=True).decode(errors="replace")
    except ValueError:
        return str(value)


def _encoded(value: Any) -> Any:
    return base64.b64encode(value.encode()).decode() if isinstance(value, str) else value


def _number(text: str) -> int:
    digits = len(text.lstrip("-").partition(".")[0])
    low = int("1" + "0" * (digits - 1))
    return low + int(_digest(text), 16) % (9 * low)


def _digest(text: str) -> str:
    return hmac.new(_KEY, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:8]
