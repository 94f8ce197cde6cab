"""What Secrets and SOPS hold, used without being shown: stand-ins of the same kind that change when the value does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import re
from collections.abc import Mapping
from typing import Any

# For one run, in which both sides are compared; nobody can try values against what is shown.
_KEY = random.SystemRandom().randbytes(32)
_NUMBER = re.compile(r"-?\d{1,18}\Z")
_PLAIN = ("", "true", "false", "null")
ENCRYPTED = re.compile(r"ENC\[[A-Z0-9_]+,data:.*\]\Z", re.DOTALL)
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
    """Is it an object that SOPS has encrypted?"""
    sops = manifest.get("sops")
    return isinstance(sops, Mapping) and bool(sops.get("mac"))


def decrypted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The object as if it were decrypted: without SOPS' own part, each value a stand-in (`sops-1a2b3c4d`).

    The stand-in of an encrypted value is the same in every run, since what it stands for is public.
    """
    found = {key: _opened(value) for key, value in manifest.items() if key != "sops"}
    data = found.get("data")
    if manifest.get("kind") == "Secret" and isinstance(data, dict):
        # A Secret's data is base64, encrypted or not.
        found["data"] = {k: _encoded(v) if v != manifest["data"].get(k) else v for k, v in data.items()}
    return found


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    if isinstance(value, str) and ENCRYPTED.match(value):
        return f"sops-{hashlib.sha256(value.encode()).hexdigest()[:8]}"
    return value


def _encoded(value: Any) -> Any:
    return base64.b64encode(value.encode()).decode() if isinstance(value, str) else value


def _number(text: str) -> int:
    digits = len(text.lstrip("-").partition(".")[0])
    low = int("1" + "0" * (digits - 1))
    return low + int(_digest(text), 16) % (9 * low)


def _digest(text: str) -> str:
    return hmac.new(_KEY, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:8]
