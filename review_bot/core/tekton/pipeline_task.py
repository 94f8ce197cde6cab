"""A task of a Pipeline: what it runs, and the texts in which it uses what others give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from review_bot.core.lenient import mapping, text
from review_bot.core.tekton import binding, variables
from review_bot.core.tekton.interface import Interface
from review_bot.core.tekton.param_uses import Slot
from review_bot.core.tekton.reading import At, items, listed, texts

# Where Tekton looks for results in steps and sidecars.
_IN_CONTAINERS = ("name", "image", "imagePullPolicy", "script", "workingDir", "command", "args", "env")
_SPECS = ("taskSpec", "pipelineSpec")


@dataclass(frozen=True)
class PipelineTask:
    """A task of the pipeline; `interface` is None where what it runs is not seen, `sure` as in Found."""

    name: str
    raw: Mapping[str, Any]
    at: At
    final: bool
    interface: Interface | None = None
    sure: bool = True

    @cached_property
    def results(self) -> str:
        """The results that it has, in words."""
        return listed(self.interface.results if self.interface else ())

    @property
    def matrixed(self) -> bool:
        matrix = mapping(self.raw.get("matrix"))
        return bool(matrix.get("params") or matrix.get("include"))

    @property
    def given(self) -> frozenset[str]:
        """The params that it gives to what it runs."""
        names = [text(p.get("name")) for p, _ in items(self.raw.get("params"), self.at)]
        return frozenset([*names, *binding.matrix_params(self.raw.get("matrix"))])

    def texts(self) -> Iterator[tuple[str, At, str]]:
        """Its texts but for those of a spec within, each with the field that it stands in."""
        for key, value in self.raw.items():
            if key not in _SPECS:
                for found, place in texts(value, self.at.key(key)):
                    yield found, place, key

    def results_used(self) -> Iterator[tuple[variables.Variable, At, str]]:
        """Results of other tasks, in its own fields and in the steps of a spec within."""
        # Names and keys are not looked into.
        found = [one for one in self.texts() if one[2] not in ("params", "matrix") or "value" in one[1].path]
        for part in ("steps", "sidecars"):
            containers = items(mapping(self.raw.get("taskSpec")).get(part), self.at.key("taskSpec").key(part))
            for container, place in containers:
                for field in _IN_CONTAINERS:
                    found += [(*one, part) for one in texts(container.get(field), place.key(field))]
        for value, place, field in found:
            for variable in variables.results(value):
                yield variable, place, field


def slot_of(task: PipelineTask, field: str, value: str, at: At, own: Interface) -> Slot:
    """What may stand at the place of a text of a task, in a pipeline that declares `own`."""
    below = at.path[len(task.at.path) + 1 :]
    if field == "params":
        # params, number, value, and the item or the key where it has some.
        if below[1:2] != ("value",):
            return Slot.LOOSE
        return Slot.VALUE if len(below) == 2 else Slot.LIST if isinstance(below[2], int) else Slot.TEXT
    if field == "matrix":
        if below[-1] == "value":
            return Slot.TEXT if below[0] == "include" else Slot.LOOSE
        return Slot.LIST if below[-2:-1] == ("value",) else Slot.LOOSE
    if field == "when" and below[1:2] == ("values",):
        named = [own.params.get(v.name) for v in variables.params(value) if v.index == "[*]"]
        return Slot.LIST if any(param is not None and param.type == "array" for param in named) else Slot.TEXT
    return Slot.TEXT if field == "when" and below[1:2] == ("input",) else Slot.LOOSE
