"""Argo CD: what its Applications and ApplicationSets deploy, to the letter of its own code (docs/argocd.md).

A newcomer begins with tool.py; application.py and sources.py read Applications, sets.py and generators.py
ApplicationSets.
"""

from __future__ import annotations

from review_bot.core.argocd.partings import partings
from review_bot.core.argocd.tool import ArgoCD

__all__ = ["ArgoCD", "partings"]
