"""The media workers run on asyncio alone."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run every asynchronous test of this folder on asyncio."""
    return "asyncio"
