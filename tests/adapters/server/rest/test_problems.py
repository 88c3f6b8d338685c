"""`signalreel_adapters.server.rest.problems`."""

from signalreel_adapters.server.rest.problems import bad_request, conflict, not_found, unavailable


def test_each_has_its_status() -> None:
    """The four that are raised in many places, and their texts."""
    problems = [make("why") for make in (bad_request, not_found, conflict, unavailable)]

    assert [(int(problem.status), problem.why, str(problem)) for problem in problems] == [
        (status, "why", "why") for status in (400, 404, 409, 503)
    ]
