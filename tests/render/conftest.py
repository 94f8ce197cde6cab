"""Samples laid out as folders."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import repositories


@pytest.fixture
def sample_tree(name: str, tmp_path: Path) -> Path:
    """The newest tree of the sample; skips where the samples do not lie beside the checkout."""
    if not repositories.SAMPLES.is_dir():
        pytest.skip("the samples lie beside the checkout")
    with tarfile.open(repositories.SAMPLES / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / name / "main"
