"""Temporal's replayer (`temporalio`, PyPI), offline, on a history that is made here.

Each record is a signal that carries the record's whole content, to one workflow that counts it; after it comes a
workflow task, as in the history of a workflow that handles each signal when it comes. `batched_records_per_s` is with
64 signals before each task. The sandbox is off, which is the faster setting. It checks the commands of its workflow
against the history, and keeps no digest. CPU time, the threads of its core included.
"""

from importlib.metadata import version
from typing import Final

import anyio
import msgspec
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from signalreel.record import Record
from signalreel_adapters.bench.source import BATCH, Peer, cpu_of, rate

__all__ = ("RECORDS_MAX", "Calls", "Replay")

RECORDS_MAX: Final = 1_000
"""A history of Temporal holds some ten thousand events, and each record takes four."""


@workflow.defn(name="Calls", sandboxed=False)
class Calls:
    """Counts what it is told, and waits for ever."""

    def __init__(self) -> None:
        self.records = 0

    @workflow.run
    async def run(self) -> None:
        """Wait for more."""
        await workflow.wait_condition(lambda: self.records < 0)

    @workflow.signal
    def take(self, content: str) -> None:
        """Apply a record."""
        self.records += 1


def _history(contents: list[str], signals_a_task: int) -> WorkflowHistory:
    events: list[HistoryEvent] = []

    def add(kind: EventType.ValueType) -> HistoryEvent:
        events.append(HistoryEvent(event_id=len(events) + 1, event_type=kind))
        events[-1].event_time.FromMilliseconds(len(events))
        return events[-1]

    began = add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED).workflow_execution_started_event_attributes
    began.workflow_type.name, began.task_queue.name, began.original_execution_run_id = "Calls", "calls", "run"
    for start in range(0, len(contents), signals_a_task):
        for content in contents[start : start + signals_a_task]:
            signal = add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED).workflow_execution_signaled_event_attributes
            signal.signal_name = "take"
            data = msgspec.json.encode(content)
            signal.input.payloads.append(Payload(metadata={"encoding": b"json/plain"}, data=data))
        add(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED).workflow_task_scheduled_event_attributes.attempt = 1
        scheduled = len(events)
        task = add(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED).workflow_task_started_event_attributes
        task.scheduled_event_id = scheduled
        done = add(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED).workflow_task_completed_event_attributes
        done.scheduled_event_id, done.started_event_id = scheduled, scheduled + 1
    return WorkflowHistory("calls", events)


class Replay:
    """Replays the history."""

    def __init__(self, records: list[Record]) -> None:
        contents = [msgspec.json.encode(record).decode() for record in records[:RECORDS_MAX]]
        self._records = len(contents)
        self._single, self._batched = _history(contents, 1), _history(contents, BATCH)
        self._taken: list[float] = []
        self._taken_batched: list[float] = []

    def run(self) -> None:
        """Take a turn."""
        self._taken.append(cpu_of(lambda: anyio.run(_replay, self._single)))
        self._taken_batched.append(cpu_of(lambda: anyio.run(_replay, self._batched)))

    def figures(self) -> Peer:
        """Give what was measured."""
        return Peer(
            records_per_s=rate(self._records, self._taken),
            records=self._records,
            version=version("temporalio"),
            setting="a signal and a workflow task a record, no sandbox; batched: 64 signals a task",
            batched_records_per_s=rate(self._records, self._taken_batched),
        )


async def _replay(history: WorkflowHistory) -> None:
    replayer = Replayer(workflows=[Calls], workflow_runner=UnsandboxedWorkflowRunner())
    await replayer.replay_workflow(history)
