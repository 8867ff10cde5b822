"""LangGraph's memory in our own tables: plain JSON, on the engine's transaction, fenced.

LangGraph's savers revive objects by msgpack or pickle, commit on their own and let two workers
fork one thread; this one does none of that. LangGraph calls a saver from a thread that it starts
for each run of a graph, which costs more than the graph (measured: 1.7 of 2.5 ms), so the
supervisor itself reads `values` before and calls `keep` after: one checkpoint a decision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    CheckpointMetadata,
    CheckpointTuple,
    empty_checkpoint,
)
from langgraph.checkpoint.base import (
    Checkpoint as GraphCheckpoint,
)

from core.context import Ctx
from database import Tx, checkpoints
from database.checkpoints import Checkpoint
from database.dispatch import Claim


class JsonOnly:
    """A serializer for those parts of LangGraph that ask for one: JSON in, JSON out."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        return "json", json.dumps(obj).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return json.loads(data[1])


class RunCheckpointer(BaseCheckpointSaver[int]):
    """One decision's view of one run's thread; made anew for each. What is put is held until
    `save` writes it in the decision's own transaction."""

    def __init__(self, tx: Tx, ctx: Ctx, claim: Claim, *, fresh: bool) -> None:
        super().__init__(serde=JsonOnly())
        self._tx, self._ctx, self._claim = tx, ctx, claim
        self._known = None if fresh else checkpoints.newest(tx, ctx, claim.run_id)
        self._new: Checkpoint | None = None

    @property
    def fresh(self) -> bool:
        return self._known is None

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        kept = self._new or self._known
        if kept is None or config["configurable"]["thread_id"] != self._claim.run_id:
            return None
        return CheckpointTuple(
            config=_config(self._claim.run_id, kept.checkpoint_id),
            checkpoint=cast(GraphCheckpoint, kept.checkpoint),
            metadata=cast(CheckpointMetadata, kept.metadata),
            parent_config=(_config(self._claim.run_id, kept.parent_id) if kept.parent_id else None),
            pending_writes=[(task, channel, value) for task, channel, value in kept.writes],
        )

    def put(
        self,
        config: RunnableConfig,
        checkpoint: GraphCheckpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        parent = self._known.checkpoint_id if self._known else None
        self._new = Checkpoint(checkpoint["id"], parent, dict(checkpoint), dict(metadata), [])
        return _config(self._claim.run_id, checkpoint["id"])

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        if self._new is not None:
            self._new.writes.extend([task_id, channel, value] for channel, value in writes)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Only the newest is kept."""
        found = self.get_tuple(config or _config(self._claim.run_id, None))
        if found is not None and before is None:
            yield found

    def get_next_version(self, current: int | None, channel: None) -> int:
        return (current or 0) + 1

    def values(self) -> dict[str, Any]:
        """The state after the last decision; empty at the first."""
        found = self.get_tuple(_config(self._claim.run_id, None))
        return dict(found.checkpoint["channel_values"]) if found else {}

    def keep(self, state: dict[str, Any]) -> None:
        """The state after this decision, as LangGraph's own checkpoint."""
        made = empty_checkpoint()
        made["channel_values"] = state
        step = int(self._known.metadata.get("step", 0)) + 1 if self._known else 0
        metadata = CheckpointMetadata(source="loop", step=step, parents={})
        self.put(_config(self._claim.run_id, None), made, metadata, {})

    def save(self) -> None:
        """Writes what the graph has put, as JSON and nothing else (`TypeError`). Raises `FenceLost`
        when the run is no longer ours."""
        if self._new is not None:
            checkpoints.put(self._tx, self._ctx, self._claim, self._new)


def _config(thread: str, checkpoint_id: str | None) -> RunnableConfig:
    inner = {"thread_id": thread, "checkpoint_ns": ""}
    if checkpoint_id:
        inner["checkpoint_id"] = checkpoint_id
    return {"configurable": inner}
