"""How every suite says that a promise is broken."""

__all__ = ("hold",)


def hold(kept: bool, promise: str) -> None:
    """Raise `AssertionError` with the promise, in its own words, unless it was kept."""
    if not kept:
        raise AssertionError(f"broken promise: {promise}")
