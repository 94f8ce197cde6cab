"""Tekton's objects held against each other, by the rules of its webhook and controllers (docs/tekton.md).

Pure: what a side renders and what else of the repository defines goes in, findings come out.
"""

from review_bot.core.tekton.catalogue import KINDS, Catalogue, is_tekton
from review_bot.core.tekton.judging import judge

__all__ = ["KINDS", "Catalogue", "is_tekton", "judge"]
