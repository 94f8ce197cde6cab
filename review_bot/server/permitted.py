"""Writes that a missing permission of the App must not keep the others from."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

from review_bot.github.errors import Forbidden

log = logging.getLogger("review_bot.permitted")
T = TypeVar("T")


async def permitted(write: Awaitable[T]) -> T | None:
    """Do a write; None, and a line in the log, where the App lacks the permission."""
    try:
        return await write
    except Forbidden as error:
        log.warning("left out, for want of a permission: %s", error)
        return None
