"""What an operator watches, in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from review_bot.core.audit import Entry


class Metrics:
    """One registry a server, so that several can live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._deliveries = Counter(
            "review_bot_deliveries", "Webhook deliveries by answer", ["answer"], registry=self._registry
        )
        self._looks = Histogram(
            "review_bot_look_seconds",
            "Looks at a subject, by how they ended",
            ["end"],
            buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300),
            registry=self._registry,
        )
        self._waiting = Gauge("review_bot_waiting", "Subjects that wait to be looked at", registry=self._registry)

        self._drifted = Gauge(
            "review_bot_drifted_objects", "Objects that differ from their branch", ["cluster"], registry=self._registry
        )
        self._drift_sweeps = Counter(
            "review_bot_drift_sweeps", "Drift sweeps of a repository by end", ["end"], registry=self._registry
        )
        self._commands = Counter(
            "review_bot_commands", "Commands in comments by answer", ["command", "answer"], registry=self._registry
        )
        self._overrides = Counter("review_bot_overrides", "Times that the glass was broken", registry=self._registry)
        self._recorded = Counter(
            "review_bot_audit_records",
            "Records of the audit log by kind and state: decisions, failures, merges, groups, proposals",
            ["kind", "state"],
            registry=self._registry,
        )
        self._audit_end = Gauge(
            "review_bot_audit_last", "Number of the audit log's last record by this process", registry=self._registry
        )
        self._drift: dict[tuple[str, str], int] = {}

    def commanded(self, command: str, answer: str) -> None:
        """`answer`: accepted or refused."""
        self._commands.labels(command, answer).inc()
        if command == "override" and answer == "accepted":
            self._overrides.inc()

    def recorded(self, entry: Entry, seq: int) -> None:
        """A record of the audit log."""
        self._recorded.labels(entry.kind, entry.state).inc()
        self._audit_end.set(seq)

    def drifted(self, repository: str, cluster: str, objects: int) -> None:
        """How many of the repository's objects in a cluster differ."""
        self._drift[(repository, cluster)] = objects
        self._drifted.labels(cluster).set(sum(n for (_, name), n in self._drift.items() if name == cluster))

    def drift_swept(self, end: str) -> None:
        """`end`: complete, incomplete (something could not be compared) or failed."""
        self._drift_sweeps.labels(end).inc()

    def delivered(self, answer: str) -> None:
        """`answer`: accepted, repeated or refused."""
        self._deliveries.labels(answer).inc()

    def looked(self, end: str, seconds: float) -> None:
        """`end`: done, stopped, held or failed."""
        self._looks.labels(end).observe(seconds)

    def text(self, waiting: int) -> bytes:
        """The exposition, with the queue's present length."""
        self._waiting.set(waiting)
        return generate_latest(self._registry)
