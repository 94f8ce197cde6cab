"""Helmfile: releases that helmfiles declare, by their own templates and environments, as targets (docs/helmfile.md)."""
