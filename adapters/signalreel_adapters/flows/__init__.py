"""Flows: transcripts of calls that can be performed, on a runtime in this process or on any server.

The format is described in `docs/reference/flows.md`. The stage over WebSockets is imported by its own name, because it
needs the `websockets` library.
"""

from signalreel_adapters.flows.memory import memory_stage
from signalreel_adapters.flows.parser import FlowSyntaxError, parse_flow
from signalreel_adapters.flows.performer import FlowFailed, Performed, Proof, perform
from signalreel_adapters.flows.script import Flow, needs_of
from signalreel_adapters.flows.stages import FlowClient, Host, Stage

__all__ = (
    "Flow",
    "FlowClient",
    "FlowFailed",
    "FlowSyntaxError",
    "Host",
    "Performed",
    "Proof",
    "Stage",
    "memory_stage",
    "needs_of",
    "parse_flow",
    "perform",
)
