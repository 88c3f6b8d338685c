"""The ready server: HTTP and WebSockets on one port, over Starlette and uvicorn.

`create_app` makes the application, for hosts that bring their own server; `serve` runs it, with a graceful end;
`listening` does so while the runtime is being entered.
"""

from signalreel_adapters.server.app import create_app
from signalreel_adapters.server.run import listen, listening, serve

__all__ = ("create_app", "listen", "listening", "serve")
