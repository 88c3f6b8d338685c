"""What a request can fail with: a status, and a message in the Result that is its body."""

from http import HTTPStatus

from signalreel.errors import SignalreelError

__all__ = ("RestProblem", "bad_request", "conflict", "not_found", "unavailable")


class RestProblem(SignalreelError):
    """A request is answered with this status, and with a Result that says why. The text quotes no secret."""

    def __init__(self, status: HTTPStatus, why: str, *, allow: str = "") -> None:
        self.status = status
        self.why = why
        self.allow = allow
        super().__init__(why)


def bad_request(why: str) -> RestProblem:
    """Whoever asked can mend it."""
    return RestProblem(HTTPStatus.BAD_REQUEST, why)


def not_found(why: str) -> RestProblem:
    """There is no such thing."""
    return RestProblem(HTTPStatus.NOT_FOUND, why)


def conflict(why: str) -> RestProblem:
    """It cannot be done as things stand, or with what there is."""
    return RestProblem(HTTPStatus.CONFLICT, why)


def unavailable(why: str) -> RestProblem:
    """Not now."""
    return RestProblem(HTTPStatus.SERVICE_UNAVAILABLE, why)
