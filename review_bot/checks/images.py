"""The image check: do the images that a change brings exist, for the platforms that they must run on?

Off unless the operator switches it on. What stands on the base already is not asked about: the cost follows the change.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from review_bot.checks.context import CheckContext, CheckOutcome
from review_bot.core.model import CheckName, CheckState, Finding, Resource, ResourceChange, Severity
from review_bot.core.secrets import is_secret
from review_bot.core.versions.images import Image
from review_bot.core.versions.references import Reference, references
from review_bot.core.versions.registries import Answer, ImageSettings

# Where an `image` is one that is pulled; elsewhere it may be the name of something else.
PULLED = ("containers", "initContainers", "ephemeralContainers", "volumes", "steps", "sidecars", "stepTemplate")


@dataclass(frozen=True, slots=True)
class Brought:
    """An image that a change brings, and where it stands."""

    target: str
    resource: Resource
    reference: Reference

    @property
    def image(self) -> Image:
        return self.reference.image

    @property
    def sure(self) -> bool:
        """Is this without doubt an image that a cluster pulls?"""
        return any(part in PULLED for part in self.reference.at)


class ImageCheck:
    """Asks the registries, each image once, whatever number of targets brings it."""

    name = CheckName.IMAGES

    async def run(self, changes: Sequence[ResourceChange], context: CheckContext) -> CheckOutcome:
        registries = context.registries
        if registries is None:
            return CheckOutcome(CheckState.NOT_CONFIGURED)
        brought = [one for change in context.for_clusters(changes) for one in _brought(change)]
        if not brought:
            return CheckOutcome(CheckState.SUCCESS)
        answers = await asyncio.to_thread(registries.ask, [one.image for one in brought])
        found = [f for one in brought for f in _findings(one, answers[one.image], registries.settings)]
        found += _unasked(brought, answers, registries.settings)
        notes = {(one.image.place, one.image.version): answers[one.image].notes for one in brought}
        return CheckOutcome(CheckState.SUCCESS, tuple(found), notes={k: v for k, v in notes.items() if v})


def _brought(change: ResourceChange) -> Iterator[Brought]:
    """The images of the object as it will be that it does not have yet; of Secrets none."""
    if change.head is None or is_secret(change.head.manifest):
        return
    before = {r.image for r in references(change.base.manifest)} if change.base is not None else set()
    for reference in references(change.head.manifest):
        one = Brought(change.target, change.head, reference)
        named = one.sure or one.image.tag or one.image.digest
        if reference.whole and named and one.image not in before:
            yield one


def _findings(one: Brought, answer: Answer, settings: ImageSettings) -> Iterator[Finding]:
    """What is wrong with an image that its registry could tell about."""
    if answer.trouble:
        return
    image, heavy = one.image, Severity.ERROR if one.sure else Severity.WARNING
    name = written(image)
    if not answer.exists:
        meant = f"did you mean {' or '.join(answer.near)}? " if answer.near else ""
        help = f"{meant}correct name or {'digest' if image.digest else 'tag'}, or push it before this is merged"
        message = f"the image {name} does not exist, says {image.registry}"
        yield _finding(one, "image-missing", heavy, message, help)
        return
    missing = [p for p in settings.platforms if answer.platforms is not None and not _runs_on(p, answer.platforms)]
    if missing:
        built = ", ".join(answer.platforms or ()) or "no platform that it names"
        message = f"the image {name} is not built for {' and '.join(missing)}, only for {built}"
        yield _finding(one, "image-platform", heavy, message, "build it for all platforms of the clusters")
    if answer.tag_at is not None and answer.tag_at != image.digest:
        message = f"the image {name}: the tag {image.tag} now stands for {answer.tag_at[:19]}, another digest"
        help = "the digest is what runs; correct the one that is wrong"
        yield _finding(one, "image-digest", Severity.WARNING, message, help)


def _unasked(brought: Sequence[Brought], answers: Mapping[Image, Answer], settings: ImageSettings) -> Iterator[Finding]:
    """What no registry could tell, said once a reason; and once for all hosts that the operator does not name."""
    elsewhere = sorted({one.image.registry for one in brought if not answers[one.image].allowed})
    if elsewhere:
        count = len({one.image for one in brought if not answers[one.image].allowed})
        yield Finding(
            CheckName.IMAGES,
            "image-not-asked",
            Severity.NOTICE,
            f"{', '.join(elsewhere)}: not among the operator's remotes, so {_plural(count)} not looked up there",
            help="the operator can add them to `remotes` (docs/images.md)",
        )
    silent: dict[tuple[str, str], list[Brought]] = defaultdict(list)
    for one in brought:
        answer = answers[one.image]
        if answer.trouble and answer.allowed:
            silent[one.image.registry, f"{answer.trouble}\0{answer.help}"].append(one)
    for (registry, why), those in silent.items():
        trouble, _, help = why.partition("\0")
        message = f"{registry} was asked about {written(those[0].image)} in vain: {trouble}"
        others = len({one.image for one in those}) - 1
        message += f" (and so for {others} more)" if others else ""
        yield _finding(those[0], "image-registry", settings.unreachable, message, help, named=False)


def _finding(one: Brought, rule: str, severity: Severity, message: str, help: str, *, named: bool = True) -> Finding:
    place = one.resource.place(one.reference.at)
    return Finding(
        check=CheckName.IMAGES,
        rule=rule,
        severity=severity,
        message=f"{one.resource.id.kind} {one.resource.id.name}: {message}" if named else message,
        target=one.target,
        resource=one.resource.id if named else None,
        path=place.path,
        line=place.line,
        help=help,
        field=one.reference.at,
    )


def written(image: Image) -> str:
    """The image as people write it, with a short digest."""
    name = image.repository.removeprefix("library/") if image.registry == "docker.io" else image.place
    return f"{name}:{image.version}" if image.tag else f"{name}{image.version if image.digest else ''}"


def _runs_on(wanted: str, built: Sequence[str]) -> bool:
    """`linux/arm64` is met by `linux/arm64/v8` too."""
    return any(platform == wanted or platform.startswith(f"{wanted}/") for platform in built)


def _plural(count: int) -> str:
    return "1 image is" if count == 1 else f"{count} images are"
