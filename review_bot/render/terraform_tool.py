"""OpenTofu or Terraform itself, in the sandbox: `validate`, and `plan` from a local state or from none.

It sees a copy of the target's files and the operator's mirror of providers; there is no network, no credential, and no
state but a `terraform.tfstate` that lies with the module. Where a remote state is named, a local one takes its place.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from review_bot.core.closure import join, normal
from review_bot.core.errors import InputError, ToolError
from review_bot.core.model import Finding, Rendered, Severity, Target
from review_bot.core.terraform.files import STATE
from review_bot.core.terraform.masking import SHORTEST, secret_texts
from review_bot.core.terraform.plan_notices import notices
from review_bot.core.terraform.plans import Plan, planned_objects
from review_bot.core.terraform.settings import Run, TerraformTool
from review_bot.core.tools import find
from review_bot.render.problems import failed
from review_bot.render.sandbox import Outcome, Sandbox
from review_bot.render.side import Side

PROGRAMS = ("tofu", "terraform")
PLUGINS = "plugins"
# Read last of all files, so that they have the last word about where the state lies. OpenTofu prefers its own.
OVERRIDES = ("~review-bot_override.tf", "~review-bot_override.tofu")
LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'
TREE, PLAN_FILE = "tree", "plan"
ENVIRONMENT = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
_ERROR = re.compile(r"^Error: (?P<what>.+?)$(?:\s+on (?P<file>\S+) line (?P<line>\d+))?", re.M)
_PARAGRAPH = re.compile(r"\n\s*\n")
MOST = 300


async def checked(rendered: Rendered, side: Side, sandbox: Sandbox, tool: TerraformTool) -> Rendered:
    """What was read, with what the program says of it and, for a plan, what it would make of it."""
    target = rendered.target
    with tempfile.TemporaryDirectory(prefix="review-bot-") as work:
        run = _Runs(target, Path(work), sandbox, tool)
        run.lay_out(side)
        said = list(await run.initialised()) or list(await run.validated())
        if tool.run is Run.VALIDATE or any(f.severity is Severity.ERROR for f in said):
            return replace(rendered, findings=(*rendered.findings, *_redacted(said, rendered)))
        document, problems = await run.planned()
    findings = (*rendered.findings, *_redacted([*said, *problems], rendered))
    if document is None:
        return replace(rendered, findings=findings)
    try:
        plan = Plan.read(document)
    except InputError as error:
        return replace(rendered, findings=(*findings, failed(target, error.message, help=error.help)))
    if join(target.path, STATE) in side.tree.entries():
        return replace(rendered, findings=findings, plan=document)
    findings += tuple(notices(document, target))
    return replace(rendered, findings=findings, resources=tuple(planned_objects(plan, rendered.resources)))


def _redacted(said: Iterable[Finding], rendered: Rendered) -> Iterator[Finding]:
    """A condition's own message may hold what stands in a variable."""
    texts = {t for r in rendered.resources for t in secret_texts(r.manifest) if len(t) >= SHORTEST}
    for finding in said:
        message = finding.message
        for text in sorted(texts, key=len, reverse=True):
            message = message.replace(text, "(secret)")
        yield replace(finding, message=message)


def program(tool: TerraformTool) -> Path:
    """The operator's program, else OpenTofu's, else Terraform's. Raises ToolError."""
    if tool.binary is not None:
        return tool.binary
    for name in PROGRAMS[:-1]:
        try:
            return find(name)
        except ToolError:
            continue
    return find(PROGRAMS[-1])


@dataclass(frozen=True)
class _Runs:
    target: Target
    work: Path
    sandbox: Sandbox
    tool: TerraformTool

    def lay_out(self, side: Side) -> None:
        """A copy that the program may write beside."""
        entries = side.tree.entries()
        paths = [p for p in (self.target.reads if self.target.reads is not None else entries) if p in entries]
        real = {p: side.files.through_links(p)[0] for p in paths}
        contents = side.tree.read_many([*dict.fromkeys(real.values())])
        for path, source in real.items():
            if source in contents:
                self._write(path, contents[source])
            elif source != path:
                # A link to a folder. Links are not made here: they could lead out of the copy while it is written.
                inner = list(side.files.below(source))
                for file, data in side.tree.read_many(inner).items():
                    self._write(path + file[len(source) :], data)
        if self.tool.run is Run.PLAN:
            for name in OVERRIDES:
                self._write(join(self.target.path, name), LOCAL_STATE.encode())

    def _write(self, path: str, data: bytes) -> None:
        place = self.work / TREE / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    async def initialised(self) -> Iterable[Finding]:
        words = ["init", "-input=false", "-no-color"]
        words += ["-backend=false"] if self.tool.run is Run.VALIDATE else []
        words += [f"-plugin-dir={{{PLUGINS}}}"] if self.tool.plugin_dir else []
        outcome = await self._run(words)
        if outcome.status == 0 and not outcome.trouble:
            return ()
        match = _ERROR.search(outcome.stderr)
        cause = _sentence(outcome, match)
        path, line = self._place(match["file"], int(match["line"])) if match and match["file"] else (None, None)
        help = (
            "the bot has no network: put providers into terraform.plugin_dir of the operator's file, and modules into "
            "the repository, or plan in your own pipeline (--terraform-plan)"
        )
        return [failed(self.target, f"init: {cause}", path=path, line=line, help=help, rule="terraform-init")]

    async def validated(self) -> Iterable[Finding]:
        outcome = await self._run(["validate", "-json"])
        answer = _json(outcome.stdout)
        if answer is None:
            return [self._unexplained("validate", outcome)]
        return list(self._diagnostics(answer.get("diagnostics"), "terraform-validate"))

    async def planned(self) -> tuple[Mapping[str, Any] | None, list[Finding]]:
        words = ["plan", "-json", "-input=false", "-lock=false", "-refresh=false", f"-out={{repo}}/{PLAN_FILE}"]
        outcome = await self._run(words)
        rows = [row for line in outcome.stdout.splitlines() if (row := _json(line)) is not None]
        said = list(self._diagnostics([r.get("diagnostic") for r in rows], "terraform-plan"))
        if outcome.status != 0 or outcome.trouble:
            errors = any(f.severity is Severity.ERROR for f in said)
            return None, said if errors else [*said, self._unexplained("plan", outcome)]
        shown = await self._run(["show", "-json", f"{{repo}}/{PLAN_FILE}"])
        document = _json(shown.stdout)
        return document, said if document is not None else [*said, self._unexplained("show", shown)]

    async def _run(self, words: Sequence[str]) -> Outcome:
        return await self.sandbox.run(
            program(self.tool),
            [f"-chdir={{repo}}/{normal(f'{TREE}/{self.target.path}')}", *words],
            self.work,
            beside={PLUGINS: self.tool.plugin_dir} if self.tool.plugin_dir else {},
            environment=ENVIRONMENT,
            writable=True,
        )

    def _diagnostics(self, rows: Any, rule: str) -> Iterator[Finding]:
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, Mapping):
                continue
            where = row.get("range") if isinstance(row.get("range"), Mapping) else None
            path, line = self._place(where["filename"], where["start"]["line"]) if where else (None, None)
            cause = ": ".join(str(row[k]).strip() for k in ("summary", "detail") if row.get(k))
            help = "`tofu validate` or `terraform validate` shows it too"
            found = failed(self.target, _short(cause), path=path, line=line, help=help, rule=rule)
            warns = row.get("severity") == "warning"
            yield replace(found, severity=Severity.WARNING, message=_short(cause)) if warns else found

    def _place(self, file: str, line: int) -> tuple[str | None, int | None]:
        """A place in the repository from one that the program names, from its working folder."""
        path = normal(join(self.target.path, file))
        return (None, None) if path.endswith(OVERRIDES) else (path, line)

    def _unexplained(self, command: str, outcome: Outcome) -> Finding:
        cause = outcome.trouble or _sentence(outcome, _ERROR.search(outcome.stderr))
        return failed(self.target, f"{command}: {cause}", rule=f"terraform-{command}")


def _sentence(outcome: Outcome, match: re.Match[str] | None) -> str:
    """The program's words, without its drawings."""
    if outcome.trouble:
        return outcome.trouble
    if match is None:
        return _short(outcome.stderr.strip() or f"it ended with {outcome.status}")
    parts = _PARAGRAPH.split(outcome.stderr[match.end() :].strip())
    said = [" ".join(part.split()) for part in parts if not re.match(r"on \S+ line|\d+:", part.strip())]
    return _short(f"{match['what'].strip()}: {said[0]}" if said and said[0] else match["what"].strip())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST else f"{text[:MOST]}…"


def _json(data: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
