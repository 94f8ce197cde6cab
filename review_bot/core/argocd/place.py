"""Where a source's files lie: in this repository, or in what is fetched for it."""

from __future__ import annotations

from dataclasses import dataclass

from review_bot.core import version_ranges
from review_bot.core.argocd.application import Application, SourceSpec
from review_bot.core.argocd.problems import NotSeen, Trouble
from review_bot.core.closure import folder_of, is_below, join, normal
from review_bot.core.delivery import Surroundings
from review_bot.core.errors import InputError
from review_bot.core.graft import Graft
from review_bot.core.model import FieldPath, Remote, RemoteKind, Resource


@dataclass(frozen=True)
class Place:
    """`root` is the folder of the tree at which the source's repository begins, `folder` that of the application."""

    root: str
    folder: str

    def inside(self, path: str, what: str, at: FieldPath) -> str:
        """A path of the repository's, relative to the application's folder, from its root where it begins with `/`."""
        if path.startswith("/"):
            found = normal(join(self.root, path.lstrip("/")))
        else:
            found = normal(join(self.folder, path))
        if not is_below(found, self.root) or (self.root == "." and found.startswith(".~")):
            raise Trouble(f"{what} {path} lies outside of the repository", at=at, rule="outside-repository")
        return found


def is_copied(path: str, root: str, graft: Graft) -> bool:
    """Was the file, which lies in the repository at `root`, made for somebody and is none of the repository's?"""
    if root == ".":
        return graft.is_made(path)
    # All of a fetched repository was made; what was copied in it lies in a folder that was.
    start = len(root) + 1
    return "~" in path[start:] and any(path[:end] in graft.made for end in range(start, len(path)) if path[end] == "/")


def root_of(source: SourceSpec, resource: Resource, around: Surroundings) -> str:
    """The folder at which the source's repository begins, "." for this one. Raises Trouble."""
    url, revision = source.text("repoURL"), source.text("targetRevision")
    if not url:
        raise Trouble("it names no repoURL", at=source.at, rule="no-source", help="name the repository")
    chart = source.text("chart")
    if not chart and not url.startswith("oci://") and around.here(url, revision):
        return "."
    if url.startswith("oci://") or (chart and "://" not in url):
        # A tag that is there goes before a range, where it is not a chart that is asked for.
        plain = Remote(RemoteKind.OCI, url, "", revision)
        remote = version_ranges.chart(RemoteKind.OCI, url, chart, revision) if chart else plain
    elif chart:
        remote = version_ranges.chart(RemoteKind.HELM, url, chart, revision)
    else:
        remote = Remote(RemoteKind.GIT, url, "", revision)
    try:
        return around.fetched(remote, resource.place((*source.at, "repoURL")))
    except InputError as error:
        raise NotSeen(error.message, at=(*source.at, "repoURL"), help=error.help) from error


def place_of(source: SourceSpec, app: Application, around: Surroundings) -> Place:
    """The application's folder, which must be there. Raises Trouble."""
    root = root_of(source, app.resource, around)
    chart, path = source.text("chart"), source.text("path")
    if chart:
        inner = join(root, chart.rpartition("/")[2])
        return Place(root, inner if join(inner, "Chart.yaml") in around.files.entries else root)
    if path.startswith("/"):
        raise Trouble(f"the path {path} must not begin with /", at=(*source.at, "path"), rule="no-such-folder")
    folder = Place(root, root).inside(path or ".", "the path", (*source.at, "path"))
    found = around.files.through_links(folder)[0]
    if not is_below(found, root):
        raise Trouble(f"{folder} is a link that leaves the repository", at=(*source.at, "path"), rule="link-leaves")
    if found in around.files.entries:
        raise Trouble(
            f"{folder} is a file, and a folder is expected",
            at=(*source.at, "path"),
            rule="no-such-folder",
            help=f"write path: {folder_of(folder)}, or use directory.include",
        )
    if not around.files.is_folder(found):
        raise Trouble(
            f"there is no folder {folder}",
            at=(*source.at, "path"),
            rule="no-such-folder",
            help="correct spec.source.path, or add the folder",
        )
    return Place(root, found)
