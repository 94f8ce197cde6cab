"""Whatever stands in the files of Jenkins X is read, or said to be wrong, and breaks nothing."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from trees import MemoryTree

from review_bot.core.closure import Files
from review_bot.core.configuration import Config
from review_bot.core.discovery import Discovery
from review_bot.core.jenkins_x import lighthouse, releases
from review_bot.core.jenkins_x.helmfile import declared, read_all
from review_bot.core.jenkins_x.requirements import with_environments

WORDS = (
    "helmfiles releases name chart version values path namespace environments default condition installed bases spec"
)
WORDS += " presubmits postsubmits source context cluster clusterName key remoteCluster"
WORDS += " set setString secrets missingFileHandler mergeStrategy inherit"
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [
            "",
            "x",
            "{{ x }}",
            "{{ .Values.x }}",
            "{{ .Environment.Name }}",
            "../..",
            "charts/x",
            "a.enabled",
            "**",
            "helmfile.yaml",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=5),
    max_leaves=30,
)
CHART = {"charts/x/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n"}


@given(JUNK, JUNK)
@settings(deadline=None, max_examples=300)
def test_any_content_is_read(content: object, other: object) -> None:
    names = ("helmfile.yaml", ".lighthouse/a/triggers.yaml", "jx-requirements.yml")
    trees = [MemoryTree({**CHART, **{n: json.dumps(c) for n in names}}) for c in (content, other)]
    said = [*lighthouse.judged(trees[0], [names[1]])]
    for environment in {None, *declared(trees[1])}:
        base, head = (read_all(tree, environment) for tree in trees)
        assert releases.moved(base, head) is not None
        said += [*releases.moves(base, head), *releases.problems(head, base)]
        said += releases.unseen(head, frozenset(names), base)
    assert all(f.message and f.help and f.path for f in said)
    config = with_environments(Config(), trees[0])
    assert all(t.id for t in Discovery(Files(trees[0]), config).targets())
