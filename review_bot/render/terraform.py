"""Terraform's root modules: the blocks of the module and of all local ones that it calls, as objects. Runs nothing."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from review_bot.core.closure import Files, folder_of, normal
from review_bot.core.model import CheckName, Finding, Rendered, Resource, Severity, Target
from review_bot.core.terraform import spec_of
from review_bot.core.terraform.blocks import Block, Problem, locked_objects, module_objects, values_object
from review_bot.core.terraform.files import CODE, LOCK, VALUES, is_code, is_override
from review_bot.core.terraform.kubestack import environments
from review_bot.core.terraform.masking import SENSITIVE, is_declared
from review_bot.core.terraform.modules import Modules
from review_bot.core.terraform.scan import LOCAL
from review_bot.render.hcl import HELP, Parser, Read
from review_bot.render.problems import did_you_mean, failed
from review_bot.render.side import Side

MOST_MODULES = 1000
# Planning did not find it: what it holds must not be taken for nothing.
NOT_FOLLOWED = Read(error="it is called in a way that can't be followed; write its source as one plain text")


async def render(target: Target, side: Side, parser: Parser) -> Rendered:
    """Every block of the target's modules as an object; a file that can't be read fails the target."""
    entries = side.tree.entries()
    reads = target.reads if target.reads is not None else frozenset(entries)
    paths = [p for p in sorted(reads) if p in entries and _is_ours(p, target)]
    contents = side.tree.read_many([through(side.files, p) for p in paths])
    files = await parser.read({p: contents.get(through(side.files, p), b"") for p in paths})
    assembly = _Assembly(target, side.files, files)
    assembly.module(target.path, "", ())
    assembly.calls()
    assembly.beside()
    assembly.kubestack()
    return Rendered(target, tuple(assembly.resources()), tuple(assembly.findings()))


def through(files: Files, path: str) -> str:
    """Where the file itself lies, if the path is a link."""
    return files.through_links(path)[0]


def _is_ours(path: str, target: Target) -> bool:
    own = folder_of(path) == target.path and (path.endswith(VALUES) or posixpath.basename(path) == LOCK)
    return is_code(path) or own


class _Assembly:
    """Goes from the root module down its local calls, and gathers what it meets."""

    def __init__(self, target: Target, files: Files, read: Mapping[str, Read]) -> None:
        self._target = target
        self._files = files
        self._modules = Modules(files).folders
        self._read = read
        self._found: list[Resource] = []
        self._problems: list[Finding] = []
        self._elsewhere: list[tuple[Block, str]] = []
        self._count = 0
        self._said: set[str] = set()

    def module(self, folder: str, address: str, above: tuple[str, ...]) -> None:
        self._count += 1
        if self._count > MOST_MODULES:
            return
        blocks: list[Block] = []
        for path in self._modules.get(folder, ()):
            one = self._read.get(path, NOT_FOLLOWED)
            if one.error and path not in self._said:
                self._fail(Problem(f"{path}: {one.error}", path, one.line, HELP))
                self._said.add(path)
            blocks += one.blocks
        found, problems = module_objects(blocks, address)
        self._found += found
        for problem in problems:
            self._fail(problem)
        for block in blocks:
            if block.type == "module" and len(block.labels) == 1:
                self._call(block, folder, address, (*above, folder))

    def _call(self, block: Block, folder: str, address: str, above: tuple[str, ...]) -> None:
        name, source = f"module.{block.labels[0]}", block.body.get("source")
        line = block.lines.get(("source",), block.line)
        if not isinstance(source, str):
            if not is_override(block.path):
                self._fail(Problem(f"{name} names no source", block.path, line, "add source"))
            return
        if not source.startswith(LOCAL):
            self._elsewhere.append((block, f"{name} ({source})"))
            return
        to = through(self._files, normal(posixpath.join(folder, source)))
        if to in above:
            self._fail(Problem(f"{name} calls a module that it is a part of", block.path, line, "break the circle"))
        elif to not in self._modules:
            hint = did_you_mean(to, self._modules)
            self._fail(Problem(f"{name}: there is no *.tf or *.tofu file in {to}", block.path, line, hint))
        else:
            self.module(to, f"{address}.{name}" if address else name, above)

    def beside(self) -> None:
        """The files with values, and the lock file."""
        hidden = self._sensitive().get("", set())
        for path, one in self._read.items():
            if not path.endswith(CODE):
                if one.error:
                    self._fail(Problem(f"{path}: {one.error}", path, one.line, HELP))
                elif path.endswith(VALUES):
                    self._found += [_marked(values_object(block), hidden) for block in one.blocks if not block.type]
                else:
                    self._found += locked_objects(one.blocks)

    def calls(self) -> None:
        """What a call gives to variables that the called module calls sensitive."""
        hidden = self._sensitive()
        self._found = [_marked(r, hidden.get(r.id.name, set())) if r.id.kind == "Module" else r for r in self._found]

    def _sensitive(self) -> Mapping[str, set[str]]:
        """The names of sensitive variables by the address of their module."""
        names: dict[str, set[str]] = defaultdict(set)
        for one in self._found:
            if _is_sensitive(one):
                names[one.id.namespace or ""].add(one.id.name.rpartition("var.")[2])
        return names

    def kubestack(self) -> None:
        """What each environment of a Kubestack module gets."""
        found, unresolved = environments(self._found)
        self._found += found
        for one in unresolved:
            place = one.module.place(("spec", "configuration"))
            self._problems.append(
                Finding(
                    check=CheckName.RENDER,
                    rule="kubestack-not-resolved",
                    severity=Severity.WARNING,
                    message=f"what {one.module.id.name} gives each environment is not seen: {one.cause}",
                    target=self._target.id,
                    path=place.path,
                    line=place.line,
                    help="write the map in the module's block, in *.auto.tfvars or as the variable's default",
                )
            )

    def resources(self) -> list[Resource]:
        return self._found

    def findings(self) -> Iterator[Finding]:
        yield from self._problems
        if self._count > MOST_MODULES:
            help = "split it into root modules of their own"
            yield failed(self._target, f"it calls modules more than {MOST_MODULES} times", help=help)
        if self._elsewhere:
            yield self._not_seen()

    def _not_seen(self) -> Finding:
        block = self._elsewhere[0][0]
        named = ", ".join(dict.fromkeys(name for _, name in self._elsewhere))
        return Finding(
            check=CheckName.RENDER,
            rule="terraform-module-elsewhere",
            severity=Severity.NOTICE,
            message=f"what modules from elsewhere create is not seen: {named}",
            target=self._target.id,
            path=block.path,
            line=block.line,
            help="a plan shows it: review-bot check --terraform-plan",
        )

    def _fail(self, problem: Problem) -> None:
        self._problems.append(
            failed(self._target, problem.message, path=problem.path, line=problem.line, help=problem.help)
        )


def _is_sensitive(resource: Resource) -> bool:
    return resource.id.kind == "Variable" and is_declared(spec_of(resource.manifest))


def _marked(resource: Resource, hidden: set[str]) -> Resource:
    """The values that variables call sensitive."""
    paths = sorted(hidden & set(spec_of(resource.manifest)))
    return replace(resource, manifest={**resource.manifest, SENSITIVE: paths}) if paths else resource
