"""What an apply on the client's side would leave: a server-side dry run does not know what the last one set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from review_bot.core.diff import named


def without_removed(predicted: Any, before: Any, after: Any) -> Any:
    """The predicted object without what the manifest set before and no longer sets.

    Lists whose items have no names are left as they are: how they merge only the server knows.
    """
    if isinstance(predicted, Mapping) and isinstance(before, Mapping) and isinstance(after, Mapping):
        return {
            key: without_removed(value, before[key], after[key]) if key in before and key in after else value
            for key, value in predicted.items()
            if key in after or key not in before
        }
    if isinstance(predicted, list) and isinstance(before, list) and isinstance(after, list):
        live, old, new = named(predicted), named(before), named(after)
        if live is None or old is None or new is None:
            return predicted
        return [
            without_removed(item, old[name][1], new[name][1]) if name in old and name in new else item
            for name, (_, item) in live.items()
            if name in new or name not in old
        ]
    return predicted
