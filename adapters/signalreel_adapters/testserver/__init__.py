"""A server for those who write clients: the real one, with faults that a client asks for by the id it names.

    runtime = MockingRuntime(media=FakeMedia())     # anywhere where a `Runtime` goes

`publish` of `mock:streamIdInUse` is refused with that definition, `play` of `mock:slow_answer=8s` is answered late. An
id without `mock:` is served as always. The faults are in one table, `FAULTS`.
"""

from signalreel_adapters.testserver.faults import FAULTS, PREFIX, Fault, Value
from signalreel_adapters.testserver.runtime import MockingRuntime
from signalreel_adapters.testserver.scripts import InvalidScript, Script, read_script

__all__ = ("FAULTS", "PREFIX", "Fault", "InvalidScript", "MockingRuntime", "Script", "Value", "read_script")
