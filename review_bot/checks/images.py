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
from review_bot.core.versions.images import HUB, Image
from review_bot.core.versions.platforms import runs_on
from review_bot.core.versions.references import Reference, references
from review_bot.core.versions.registries import Answer, ImageSettings

# Where an `image` is one that is pulled; elsewhere it may be the name of something else.
PULLED = ("containers", "initContainers", "ephemeralContainers", "volumes", "steps", "sidecars", "stepTemplate")
MOST_NAMED = 6


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
    def is_volume(self) -> bool:
        """What is mounted need not be built for anything."""
        return "volumes" in self.reference.at

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
        # Where nothing may be asked, nothing has passed.
        asked = any(answers[one.image].allowed for one in brought)
        return CheckOutcome(
            CheckState.SUCCESS if asked else CheckState.NOT_CONFIGURED,
            tuple(found),
            notes={(i.place, i.version): answers[i].notes for i in (one.image for one in brought) if answers[i].notes},
            in_part=frozenset(one.target for one in brought if not _told(answers[one.image])),
        )


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
    image, heavy = one.image, Severity.ERROR if one.sure else Severity.WARNING
    name = written(image)
    if answer.exists is False:
        yield _missing(one, answer, heavy)
    built = answer.platforms
    if built is not None and (built or not one.is_volume):
        missing = [p for p in settings.platforms if not any(runs_on(p, found) for found in built)]
        if missing:
            only = f"only for {_some(built)}" if built else "it names no platform"
            message = f"the image {name} is not built for {' and '.join(missing)}, {only}"
            help = f"build it for {' and '.join(missing)} too, or name another one"
            yield _finding(one, "image-platform", heavy, message, help)
    if answer.tag_at is not None:
        now = f"now stands for {answer.tag_at[:19]}, another digest" if answer.tag_at else "is no longer there"
        message = f"the image {name}: the tag {image.tag} {now}"
        help = "the digest is what runs; correct the one that is wrong"
        yield _finding(one, "image-digest", Severity.WARNING, message, help)


def _missing(one: Brought, answer: Answer, severity: Severity) -> Finding:
    image = one.image
    meant = f"did you mean {' or '.join(answer.near)}? " if answer.near else ""
    wrong = "name" if not answer.place_exists else "digest" if image.digest else "tag"
    help = f"{meant}correct the {wrong}, or push the image and ask for another review"
    why = "" if answer.place_exists else f": there is no repository {image.place}"
    return _finding(one, "image-missing", severity, f"the image {written(image)} does not exist{why}", help)


def _unasked(brought: Sequence[Brought], answers: Mapping[Image, Answer], settings: ImageSettings) -> Iterator[Finding]:
    """What no registry could tell, said once a reason; and once for all hosts that the operator does not name."""
    elsewhere = sorted({one.image.registry for one in brought if not answers[one.image].allowed})
    if elsewhere:
        count = len({one.image for one in brought if not answers[one.image].allowed})
        are = f"{count} images are" if count > 1 else "1 image is"
        yield Finding(
            CheckName.IMAGES,
            "image-not-asked",
            Severity.NOTICE,
            f"{_some(elsewhere)}: not among the operator's remotes, so {are} not looked up there",
            help="the operator can add them to `remotes` (docs/images.md)",
        )
    silent: dict[tuple[str, str, str], list[Brought]] = defaultdict(list)
    for one in brought:
        answer = answers[one.image]
        if answer.trouble:
            silent[one.image.registry, answer.trouble, answer.help].append(one)
    for (registry, trouble, help), those in silent.items():
        others = len({one.image for one in those}) - 1
        more = f" and {others} more" if others else ""
        message = f"{registry} can't tell about {written(those[0].image)}{more}: {trouble}"
        heavy = settings.unreachable if any(one.sure for one in those) else Severity.WARNING
        yield _finding(those[0], "image-registry", heavy, message, help, named=False)


def _told(answer: Answer) -> bool:
    return answer.allowed and not answer.trouble


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
    """The image as people write it, with a short digest; without tag and digest it is the latest."""
    name = image.repository.removeprefix("library/") if image.registry == HUB else image.place
    tag = image.tag or ("" if image.digest else "latest")
    return f"{name}{f':{tag}' if tag else ''}{f'@{image.digest[:19]}' if image.digest else ''}"


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    return f"{', '.join(words[:MOST_NAMED])}{more}"
