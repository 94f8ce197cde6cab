"""What is said of a change as a whole, beside the checks of each changed object.

A source looks at once whether the change concerns it at all, and imports what it needs only then. A new one is a
function here and a line in SOURCES.
"""

from __future__ import annotations

from collections.abc import Callable

from review_bot.pipeline.saying import Said, Seen

# Where one of these files is, or something changes in this folder, there may be something to say of it.
JENKINS_X = ("helmfile.yaml", "helmfile.yaml.gotmpl", "jx-requirements.yml")
JENKINS_X_FOLDERS = (".lighthouse/", "helmfile.d/")
TEKTON = ("tekton.dev/", "triggers.tekton.dev/")


def gathered(seen: Seen) -> Said:
    """What all sources say."""
    said = [source(seen) for source in SOURCES]
    return Said(tuple(f for one in said for f in one.head), tuple(f for one in said for f in one.base))


def _tekton(seen: Seen) -> Said:
    if not any(change.id.api_version.startswith(TEKTON) for change in seen.changes):
        return Said()
    from review_bot.pipeline.tekton import said

    return said(seen)


def _jenkins_x(seen: Seen) -> Said:
    sides, files = seen.planned.sides, seen.planned.files
    if not any(name in tree.entries() for tree in (sides.base, sides.head) for name in JENKINS_X):
        if not any((path or "").startswith(JENKINS_X_FOLDERS) for f in files for path in (f.path, f.previous_path)):
            return Said()
    from review_bot.pipeline.jenkins_x import said

    return said(seen)


SOURCES: tuple[Callable[[Seen], Said], ...] = (_tekton, _jenkins_x)
