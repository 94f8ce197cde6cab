"""What a delivery tool has at hand when it finishes what its parts rendered to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from review_bot.render.builds import Builder
from review_bot.render.side import Side

if TYPE_CHECKING:
    from review_bot.core.delivery import Templating


@dataclass(frozen=True)
class Finishing:
    """`builder` gives that of the run; it builds from the side's checkout, to which a tool may add files."""

    side: Side
    templating: Templating
    builder: Callable[[], Builder]
