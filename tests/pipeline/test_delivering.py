"""What a delivery tool is told to deploy is found from the top, whatever the tool."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import repositories
from repositories import DEPLOYMENT

from review_bot.core.configuration import Config
from review_bot.core.delivery import Expansion, Surroundings
from review_bot.core.discovery import manifests
from review_bot.core.errors import InputError
from review_bot.core.model import (
    CheckName,
    Delivery,
    Finding,
    Remote,
    RemoteKind,
    RendererName,
    Severity,
    Target,
)
from review_bot.core.planning import TEXTS, WORDS, marks_of_head, plan_with
from review_bot.github.workspace import Repository
from review_bot.pipeline.delivering import Delivered, Delivering
from review_bot.pipeline.rendering import compared
from review_bot.pipeline.sides import open_sides
from review_bot.render.renderer import Renderer
from review_bot.render.sandbox import Limits


@dataclass(frozen=True)
class Folders:
    """The smallest of delivery tools: a Folder names a folder of plain YAML, in this repository or at a tag of it."""

    name: str = "folders"
    kinds: frozenset[tuple[str, str]] = field(default=frozenset({("test.argoproj.io", "Folder")}))

    def expand(self, around: Surroundings) -> Expansion:
        targets, findings = [], []
        for told in around.of("test.argoproj.io", ["Folder"]):
            spec, id = told.resource.manifest["spec"], f"folders:{told.resource.id.name}"
            delivery = Delivery(self.name, told.resource.id, told.target.id, told.resource.source)
            try:
                path = (
                    around.fetched(Remote(RemoteKind.GIT, "", "", spec["at"]), told.resource.source) + "/"
                    if ("at" in spec)
                    else ""
                )
                reads = frozenset(manifests(around.files, path + spec["path"], around.config))
            except InputError as error:
                findings.append(_not_seen(id, told.resource.source.path, error.message))
                targets.append(Target(id, RendererName.PLAIN, spec["path"], "", frozenset(), delivery=delivery))
                continue
            part = Target(f"{id}/0", RendererName.PLAIN, path + spec["path"], min(reads, default=""), reads)
            entry = told.resource.source.path
            targets.append(
                Target(id, RendererName.PLAIN, spec["path"], entry, reads, "", delivery=delivery, parts=(part,))
            )
        return Expansion(tuple(targets), tuple(findings))


def _not_seen(id: str, path: str, message: str) -> Finding:
    return Finding(CheckName.RENDER, "not-seen", Severity.WARNING, message, target=id, path=path)


def folder(name: str, path: str, at: str = "") -> str:
    tag = f", at: {at}" if at else ""
    return f"apiVersion: test.argoproj.io/v1\nkind: Folder\nmetadata: {{name: {name}}}\nspec: {{path: {path}{tag}}}\n"


def delivering(root: Path, repository: Repository) -> Delivering:
    renderer = Renderer(root / "cache", Limits(), "1.35")
    return Delivering(renderer, repository, Config(), tools=(Folders(),))


def delivered(root: Path, base: Mapping[str, str], head: Mapping[str, str | None]) -> Delivered:
    repository = Repository(repositories.make(root / "repository", base, head))
    sides = open_sides(repository, repository.resolve("main"), repository.resolve("change"))
    files = repository.changes(sides.base.sha, sides.head.sha)
    before = repository.holding(sides.base, WORDS, TEXTS)
    marked = before, marks_of_head(before, sides.head, files)
    plan = plan_with(sides.base, sides.head, files, Config(), marked)
    return asyncio.run(delivering(root, repository).change(sides, plan, files, marked))


def summary(found: Delivered) -> dict[str, list[str]]:
    changes = compared(found.planned, found.rendered)
    return {p.id: [f"{c.action} {c.id.kind} {c.id.name}" for c in changes if c.target == p.id] for p in found.planned}


NEWER = DEPLOYMENT.replace("1.4.2", "1.5.0")
APP = {"top/web.yaml": folder("web", "apps/web"), "apps/web/deploy.yaml": DEPLOYMENT}


def test_a_change_in_a_deployed_folder_is_one_of_the_object_that_deploys_it(tmp_path: Path) -> None:
    found = delivered(tmp_path, APP, {"apps/web/deploy.yaml": NEWER})
    assert summary(found) == {"folders:web": ["update Deployment web"]}
    assert found.planned[0].reason == "apps/web/deploy.yaml changed"
    assert found.rendered.findings() == []


def test_a_neighbour_with_the_same_beginning_is_left_alone(tmp_path: Path) -> None:
    base = APP | {"top/webshop.yaml": folder("webshop", "apps/webshop"), "apps/webshop/deploy.yaml": DEPLOYMENT}
    assert summary(delivered(tmp_path, base, {"apps/webshop/deploy.yaml": NEWER})) == {
        "folders:webshop": ["update Deployment web"]
    }


def test_objects_that_appear_go_and_move_show_what_they_deploy(tmp_path: Path) -> None:
    other = {"apps/other/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"}
    found = delivered(tmp_path / "1", APP | other, {"top/other.yaml": folder("other", "apps/other")})
    assert summary(found) == {"folders:other": ["create ConfigMap other"], "plain:top": ["create Folder other"]}
    found = delivered(tmp_path / "2", APP | other, {"top/web.yaml": folder("web", "apps/other")})
    assert summary(found) == {
        "folders:web": ["create ConfigMap other", "delete Deployment web"],
        "plain:top": ["update Folder web"],
    }
    assert found.planned[0].reason == "Folder web in top/web.yaml changed"
    found = delivered(tmp_path / "3", APP, {"top/web.yaml": None})
    assert summary(found)["folders:web"] == ["delete Deployment web"]


def test_folders_of_folders_are_followed_to_the_bottom_and_cycles_end(tmp_path: Path) -> None:
    base = {
        "top/root.yaml": folder("root", "second"),
        "second/next.yaml": folder("next", "third"),
        "second/again.yaml": folder("root", "second"),
        "third/last.yaml": folder("last", "apps/web"),
        "apps/web/deploy.yaml": DEPLOYMENT,
    }
    found = delivered(tmp_path, base, {"apps/web/deploy.yaml": NEWER})
    assert summary(found) == {"folders:last": ["update Deployment web"]}
    target = found.planned[0].target
    assert target.delivery is not None
    assert target.delivery.parent == "folders:next"


def test_what_deploys_itself_is_the_top(tmp_path: Path) -> None:
    base = {
        "clusters/prod/self.yaml": folder("self", "clusters/prod"),
        "clusters/prod/web.yaml": folder("web", "apps/web"),
        "apps/web/deploy.yaml": DEPLOYMENT,
    }
    found = delivered(tmp_path, base, {"apps/web/deploy.yaml": NEWER, "clusters/prod/more.yaml": folder("more", "x")})
    assert summary(found) == {
        "folders:more": [],
        "folders:self": ["create Folder more"],
        "folders:web": ["update Deployment web"],
    }


def test_several_clusters_with_the_same_names_are_told_apart(tmp_path: Path) -> None:
    base = {
        "clusters/prod/web.yaml": folder("web", "apps/prod"),
        "clusters/test/web.yaml": folder("web", "apps/test"),
        "apps/prod/deploy.yaml": DEPLOYMENT,
        "apps/test/deploy.yaml": DEPLOYMENT,
    }
    assert summary(delivered(tmp_path, base, {"apps/prod/deploy.yaml": NEWER})) == {
        "folders:web@clusters/prod": ["update Deployment web"]
    }


def test_a_parent_that_does_not_render_on_the_head_deletes_nothing(tmp_path: Path) -> None:
    found = delivered(tmp_path, APP, {"top/web.yaml": folder("web", "apps/web") + "bad: [\n"})
    assert summary(found) == {"plain:top": []}
    assert any(f.severity is Severity.ERROR for f in found.rendered.findings())


def test_content_from_a_tag_of_this_repository_is_read_there(tmp_path: Path) -> None:
    root = repositories.make(tmp_path / "repository", APP, {"top/web.yaml": folder("web", "apps/web", "v1")})
    repositories.git(root, "tag", "v1", "main")
    repositories.git(root, "remote", "add", "origin", "https://github.com/acme/gitops")
    repository = Repository(root)
    tree = repository.tree(repository.resolve("change"))
    survey = asyncio.run(delivering(tmp_path, repository).survey(tree))
    assert [t.id for t in survey.targets] == ["folders:web", "plain:apps/web", "plain:top"]
    assert [f.message for f in survey.findings] == [" lies outside of this repository, and no host is allowed"]


def test_what_is_not_seen_on_one_side_is_no_deletion(tmp_path: Path) -> None:
    found = delivered(tmp_path, APP, {"top/web.yaml": folder("web", "apps/web", "v9")})
    assert summary(found)["folders:web"] == []
    assert [f.rule for f in found.rendered.findings()] == ["not-seen"]


def test_a_repository_without_delivery_tools_is_not_concerned(tmp_path: Path) -> None:
    found = delivered(tmp_path, {"web/deploy.yaml": DEPLOYMENT}, {"web/deploy.yaml": NEWER})
    assert summary(found) == {"plain:web": ["update Deployment web"]}
