"""`signalreel_adapters.server.pages`."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from signalreel_adapters.server.pages import CONTENT_SECURITY_POLICY, OperatorsPages, OwnFiles, OwnPage, static_folder

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Files are read in threads of asyncio's, as under uvicorn."""
    return "asyncio"


async def get(app: ASGIApp, path: str, method: str = "GET") -> httpx.Response:
    """Ask an application for a path as it is written, dots and all."""
    mounted = httpx.ASGITransport(Starlette(routes=[Mount("/", app)]))
    async with httpx.AsyncClient(transport=mounted, base_url="http://localhost") as client:
        url = client.base_url.copy_with(raw_path=path.encode())
        return await client.send(httpx.Request(method, url))


async def test_the_page_has_a_strict_policy() -> None:
    """The page and its files come with the policy, and nothing may guess their type."""
    for answer in (await get(OwnPage(), "/"), await get(OwnFiles(), "/page.js")):
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    """Scripts and styles come from the server alone; what is not named is forbidden."""
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_the_page_keeps_to_its_policy() -> None:
    """No script, style or handler stands in the page itself."""
    html = (static_folder() / "index.html").read_text(encoding="utf-8")

    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>|<style|\son[a-z]+=|\sstyle=|javascript:", html) == []
    assert set(re.findall(r"(?:src|href)=\"(https?:)?//", html)) == set()


@pytest.mark.parametrize("path", ["/../pages.py", "/%2e%2e/pages.py", "/..%2fpages.py", "//etc/passwd", "/%00", "/"])
async def test_nothing_beside_the_files_is_served(path: str) -> None:
    """A path cannot lead out of the folder, however it is written."""
    assert (await get(OwnFiles(), path)).status_code == 404


class TestOperatorsPages:
    """A folder of the operator's."""

    async def test_files_and_folders_are_served_as_they_are(self, tmp_path: Path) -> None:
        """A folder gives its index; no policy is set, but nothing may guess types."""
        (tmp_path / "player").mkdir()
        (tmp_path / "player" / "index.html").write_text("<script>1</script>")
        answer = await get(OperatorsPages(tmp_path), "/player/")

        assert (answer.status_code, answer.text) == (200, "<script>1</script>")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "content-security-policy" not in answer.headers

    @pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/link"])
    async def test_nothing_outside_is_served(self, tmp_path: Path, path: str) -> None:
        """Neither a path nor a link leads out of the folder."""
        pages = tmp_path / "pages"
        pages.mkdir()
        (tmp_path / "secret").write_text("canary")
        (pages / "link").symlink_to(tmp_path / "secret")

        assert (await get(OperatorsPages(pages), path)).status_code == 404

    @pytest.mark.parametrize("path", ["/.env", "/.git/config", "/%2eenv", "/./.env", "/.git/", "/.git/../.env"])
    async def test_what_is_hidden_is_not_served(self, tmp_path: Path, path: str) -> None:
        """A name that begins with a dot is not found, nor is anything in a folder of such a name."""
        (tmp_path / ".env").write_text("canary")
        (tmp_path / ".git").mkdir()
        for name in ("config", "index.html"):
            (tmp_path / ".git" / name).write_text("canary")
        (tmp_path / "a.b.html").write_text("a")

        assert (await get(OperatorsPages(tmp_path), path)).status_code == 404
        assert (await get(OperatorsPages(tmp_path), "/a.b.html")).status_code == 200

    async def test_nothing_is_written(self, tmp_path: Path) -> None:
        """Files are read, by GET and HEAD alone."""
        (tmp_path / "a.html").write_text("a")

        assert (await get(OperatorsPages(tmp_path), "/a.html", "POST")).status_code == 405
        assert (await get(OperatorsPages(tmp_path), "/a.html", "HEAD")).text == ""
