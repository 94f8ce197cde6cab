"""The pull requests of the demo, as data: what each edits, and who approves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REPOSITORY = "org/config"
AUTHOR = "alice"
TEAM, TEAM_MEMBERS = "org/security", ("erin",)
PERMISSIONS = {"alice": "write", "carol": "write", "dave": "write", "erin": "write", "mallory": "read"}

WEB = "apps/web/base/deployment.yaml"
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: web-debug
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: web, namespace: production}]
"""


@dataclass(frozen=True)
class Edit:
    """In a file, `old` becomes `new`; an empty `old` makes the whole file."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Scenario:
    """One pull request; `approvals` are given after the review, and `later` is pushed after those."""

    branch: str
    title: str
    edits: tuple[Edit, ...]
    approvals: tuple[str, ...] = ("carol",)
    author: str = AUTHOR
    fork: bool = False
    later: tuple[Edit, ...] = ()


def _tag(overlay: str, old: str, new: str) -> Edit:
    return Edit(f"apps/web/overlays/{overlay}/kustomization.yaml", f"newTag: {old}", f"newTag: {new}")


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("bump", "web 1.4.2 to 1.5.0", (_tag("staging", "1.4.2", "1.5.0"), _tag("production", "1.4.2", "1.5.0"))),
    Scenario("latest", "Always the newest web", (_tag("production", "1.4.2", "latest"),)),
    Scenario("typo", "More replicas", (Edit(WEB, "replicas: 2", "replicas: two"),)),
    Scenario(
        "binding",
        "Let web look around",
        (
            Edit("apps/web/base/binding.yaml", "", BINDING),
            Edit("apps/web/base/kustomization.yaml", "service.yaml]", "service.yaml, binding.yaml]"),
        ),
    ),
    Scenario(
        "missing",
        "Tidy the base",
        (Edit("apps/web/base/kustomization.yaml", "deployment.yaml", "deploymnet.yaml"),),
    ),
    Scenario(
        "fork", "Fewer workers", (Edit("charts/worker/values-production.yaml", "3", "2"),), author="mallory", fork=True
    ),
    Scenario(
        "weaken",
        "Relax the rules",
        (
            Edit("policies/images.rego", '== "latest"', '== "oldest"'),
            _tag("production", "1.4.2", "latest"),
        ),
        approvals=("carol", "erin"),
    ),
    Scenario(
        "moved",
        "web 1.4.3 for staging, then more",
        (_tag("staging", "1.4.2", "1.4.3"),),
        later=(_tag("production", "1.4.2", "1.4.3"),),
    ),
    Scenario("own", "Approve myself", (_tag("staging", "1.4.2", "1.4.3"),), approvals=(AUTHOR,)),
    Scenario("docs", "Say hello", (Edit("README.md", "", "# Sample\n"),)),
)

SERVICE = "apps/web/base/service.yaml"
# Opened with the others, and gone on with when some of those are merged: a broken glass and a rebase.
FOLLOWING: tuple[Scenario, ...] = (
    Scenario("outage", "The shop is down: web listens on 8080", (Edit(SERVICE, "port: 80", "port: 8080"),), ()),
    Scenario("rebased", "Four workers in staging", (Edit("charts/worker/values.yaml", "replicas: 1", "replicas: 4"),)),
)
# Queued behind the one that was rebased: approved as one worker for production, it would be four there.
QUEUED = Scenario(
    "follow",
    "Production has as many workers as the chart says",
    (Edit("charts/worker/values-production.yaml", "replicas: 2", ""),),
)


# What only a cluster can tell; reviewed where one is at hand.
CLUSTER_SCENARIOS: tuple[Scenario, ...] = (
    Scenario("rollout", "web 1.4.2 to 1.5.0 in production", (_tag("production", "1.4.2", "1.5.0"),)),
    Scenario(
        "thrifty",
        "Fewer replicas in production",
        (Edit("apps/web/overlays/production/kustomization.yaml", "count: 4", "count: 2"),),
    ),
    Scenario(
        "relabel",
        "Select web by another label",
        (
            Edit(WEB, "app.kubernetes.io/name: web\n  template", "app: web\n  template"),
            Edit(WEB, "      labels:\n        app.kubernetes.io/name: web", "      labels:\n        app: web"),
        ),
    ),
    Scenario(
        "spring-clean",
        "Staging is no longer needed",
        (
            Edit(
                "clusters/production/namespaces.yaml",
                "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: staging\n",
                "",
            ),
        ),
    ),
)


def files_after(edits: Sequence[Edit], before: Mapping[str, str]) -> dict[str, str]:
    """The edited files' new contents. Raises ValueError if the sample no longer holds what an edit replaces."""
    after: dict[str, str] = {}
    for edit in edits:
        text = after.get(edit.path, before.get(edit.path, ""))
        if edit.old and edit.old not in text:
            raise ValueError(f"{edit.path} does not hold {edit.old!r}")
        after[edit.path] = text.replace(edit.old, edit.new, 1) if edit.old else edit.new
    return after
