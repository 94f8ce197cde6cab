"""Samples laid out as folders."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

SAMPLES = Path(os.environ.get("REVIEW_BOT_SAMPLES") or Path(__file__).resolve().parents[3] / "shared" / "samples")


@pytest.fixture
def sample_tree(name: str, tmp_path: Path) -> Path:
    """The newest tree of the sample."""
    with tarfile.open(SAMPLES / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / name / "main"
