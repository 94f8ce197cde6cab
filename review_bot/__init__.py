"""Review Bot: reviews the effect of a GitOps pull request and guards its merge."""

__version__ = "0.1.0"
