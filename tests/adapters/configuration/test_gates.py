"""`signalreel_adapters.configuration.gates`: what a configuration puts before a runtime."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.requests import Request

from signalreel.commands import RegisterPushToken
from signalreel.host import IssueToken, RegisterStream, RegisterSubscriber
from signalreel.registered import Credential, IssuedToken, Purpose, RegisteredStream, Subscriber
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.access import Sealing, Tags, hash_token
from signalreel_adapters.access.jwt import web_token
from signalreel_adapters.access.onetime import one_time_tag
from signalreel_adapters.access.sealing import SUBSCRIBER_SECRET
from signalreel_adapters.access.totp import secret_octets, totp_code
from signalreel_adapters.access.webhook import CALLS_MAX
from signalreel_adapters.configuration import Misconfigured, load
from signalreel_adapters.configuration.gates import Access, webhook_calls_max
from signalreel_adapters.configuration.secrets import Secrets
from tests.adapters.access.scenes import signed

pytestmark = pytest.mark.anyio

SECRETS: Final = {
    "TAGS": "0FtbV3hpCz-eT1Wj_7mYqQ",
    "JWT": "uVb0S8f2kq4Hn1Lr6Xw9Zc3Ej5Ty7Ua8Op",
    "HASH": "Rk2Vt8Lm5Nq1Wx7Zb4",
    "TOTP": "Gy6Hu3Jd9Ks1Lf5Pz8",
    "SHORT": "Xw9Zc3",
    "BLANK": "two words and more words",
}
KEYED: Final = '[access]\nkey.env = "TAGS"\n'
_TOLD: Final = frozenset({"start", "no_stream_exist", "streamIdInUse", "unauthorized_access"})
SECRET: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def access_of(tmp_path: Path, text: str, *, is_recorded: bool = True) -> Access:
    """Make what a configuration says."""
    path = tmp_path / "signalreel.toml"
    path.write_text(text)
    return Access(load(path), Secrets(tmp_path, SECRETS), is_recorded=is_recorded)


def app(publish: str, play: str = '"open"', more: str = "", name: str = "live") -> str:
    """Spell an app's section."""
    return f"[apps.{name}.access]\npublish = {publish}\nplay = {play}\n{more}\n"


@asynccontextmanager
async def running(tmp_path: Path, text: str, *, is_recorded: bool = True) -> AsyncIterator[Runtime]:
    """Run a runtime behind what a configuration says."""
    access = access_of(tmp_path, text, is_recorded=is_recorded)
    async with Runtime(gate=access.gate, media=FakeMedia(), ice=access.ice) as runtime:
        access.look_at(runtime.engine)
        yield runtime


async def may(runtime: Runtime, command: str = "publish", *, app: str = "live", **fields: Any) -> bool:
    """Ask for something, and say whether access let it pass, whatever came of it then."""
    client = MemoryClient(runtime, app=app)
    await client.send({"command": command, "streamId": "s", **fields})
    said = await client.receive()
    assert said.get("definition", said["command"]) in _TOLD, said
    return said.get("definition") != "unauthorized_access"


async def test_without_a_configuration_everybody_may(tmp_path: Path) -> None:
    """Everything, in every app."""
    async with running(tmp_path, "") as runtime:
        assert await may(runtime)
        assert await may(runtime, "play", app="other")


async def test_an_app_that_is_not_named_is_closed(tmp_path: Path) -> None:
    """As soon as one is; unless the others are named together."""
    async with running(tmp_path, app('"open"')) as runtime:
        assert [await may(runtime, app=one) for one in ("live", "other")] == [True, False]
    async with running(tmp_path, app('"open"') + app('"closed"', '"open"', name='"*"')) as runtime:
        assert [await may(runtime, app=one) for one in ("live", "other")] == [True, False]
        assert await may(runtime, "play", app="other")


async def test_each_kind_of_credential_opens(tmp_path: Path) -> None:
    """What is shown in the right way, for the stream, opens it; each kind where it is listed."""
    kinds = 'jwt.secret.env = "JWT"\nhash.secret.env = "HASH"\ntotp.secret.env = "TOTP"'
    text = KEYED + app('["token", "jwt", "hash", "totp"]', '"closed"', kinds) + app('"jwt"', '"open"', kinds, "web")
    tags, sealing, expires_at = Tags(SECRETS["TAGS"]), Sealing(SECRETS["TAGS"]), int(time.time()) + 300
    async with running(tmp_path, text) as runtime:
        issued = IssuedToken(one_time_tag(tags, "once"), "s", Purpose.PUBLISH, expires_at)
        bob = Subscriber("s", "bob", Purpose.PUBLISH, sealing.seal(SUBSCRIBER_SECRET, SECRET), 3_600)
        await runtime.submit(IssueToken(token=issued), app="live")
        await runtime.submit(RegisterSubscriber(subscriber=bob), app="live")
        shown: dict[str, dict[str, Any]] = {
            "token": {"token": "once"},
            "jwt": {"token": web_token(SECRETS["JWT"], "s", Purpose.PUBLISH, expires_at)},
            "hash": {"token": hash_token("s", Purpose.PUBLISH, SECRETS["HASH"])},
            "totp": {
                "subscriberId": "bob",
                "subscriberCode": totp_code(secret_octets(SECRET), int(time.time()) // 3_600),
            },
        }
        opened = {kind: await may(runtime, **fields) for kind, fields in shown.items()}
        elsewhere = {kind: await may(runtime, app="web", **fields) for kind, fields in shown.items()}
        nothing = await may(runtime)
        played = await may(runtime, "play", **shown["token"])

    assert opened == dict.fromkeys(shown, True)
    assert elsewhere == dict.fromkeys(shown, False) | {"jwt": True}
    assert (nothing, played) == (False, False)


async def test_a_registered_stream_takes_what_it_says(tmp_path: Path) -> None:
    """Whatever the app takes, and without any configuration; what the server cannot check lets nobody in."""
    for text in ("", app('"open"'), KEYED + app('"closed"', more='jwt.secret.env = "JWT"')):
        async with running(tmp_path, text) as runtime:
            for kind in (Credential.JWT, Credential.TOKEN):
                stream = RegisteredStream("s", publish_access=(kind,))
                await runtime.submit(RegisterStream(stream=stream), app="live")

                assert not await may(runtime)
            stream = RegisteredStream("s", publish_access=(Credential.JWT,))
            await runtime.submit(RegisterStream(stream=stream), app="live")
            token = web_token(SECRETS["JWT"], "s", Purpose.PUBLISH, int(time.time()) + 300)

            assert await may(runtime, token=token) is ("JWT" in text)


async def test_all_of_several(tmp_path: Path) -> None:
    """One of them is not enough."""
    kinds = 'jwt.secret.env = "JWT"\n'
    text = KEYED + app('{ all_of = ["jwt", "totp"] }', more=kinds)
    expires_at = int(time.time()) + 300
    async with running(tmp_path, text) as runtime:
        sealed = Sealing(SECRETS["TAGS"]).seal(SUBSCRIBER_SECRET, SECRET)
        bob = Subscriber("s", "bob", Purpose.PUBLISH, sealed, 3_600)
        await runtime.submit(RegisterSubscriber(subscriber=bob), app="live")
        token = {"token": web_token(SECRETS["JWT"], "s", Purpose.PUBLISH, expires_at)}
        code = {
            "subscriberId": "bob",
            "subscriberCode": totp_code(secret_octets(SECRET), int(time.time()) // 3_600),
        }

        assert [await may(runtime, **token), await may(runtime, **code)] == [False, False]
        assert await may(runtime, **token, **code)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (app('"token"'), "apps.live.access needs a key that outlives the server: give it one as access.key"),
        (
            KEYED + app('"tokn"'),
            "apps.live.access.publish.tokn; did you mean apps.live.access.publish.token",
        ),
        (KEYED + app('["token", "opn"]'), "there is no apps.live.access.publish.opn"),
        (KEYED + app('"open"', "[]"), 'apps.live.access.play lists nothing; write "closed"'),
        (KEYED + app('"jwt"'), "apps.live.access.publish takes jwt, and there is no apps.live.access.jwt"),
        (KEYED + app('"open"', '"webhook"'), "there is no apps.live.access.webhook"),
        (KEYED + app('{ all_of = ["jwt", "token"] }'), "asks for several tokens"),
        (KEYED + app('{ all_of = ["totp", "totp"] }'), "asks for several tokens"),
        (KEYED + app('{ all_of = ["token", "totp"] }'), "several credentials that are good for one use"),
        (
            KEYED + app('{ all_of = ["jwt", "totp"] }', more='jwt = { secret.env = "JWT", single_use = true }'),
            "several credentials that are good for one use",
        ),
        (KEYED + app('"jwt"', more='jwt.secret.env = "SHORT"'), "apps.live.access.jwt: the key for web tokens must be"),
        (KEYED + app('"hash"', more='hash.secret.env = "SHORT"'), "apps.live.access.hash: the secret for hash tokens"),
        (KEYED + app('"totp"', more='totp.secret.env = "SHORT"'), "apps.live.access.totp.secret has fewer than 16"),
        (KEYED + app('"open"', more='jwt = { secret.env = "JWT", leeway_s = 90 }'), "apps.live.access.jwt: the leeway"),
        (
            KEYED + app('"webhook"', more='webhook.url = "ftp://x"'),
            "apps.live.access.webhook: the address of",
        ),
        ('[access]\nkey.env = "SHORT"', "access.key has fewer than 16 bytes"),
        ('[rest]\nkey.env = "SHORT"', "rest.key has fewer than 16 bytes"),
        ('[rest]\nkey.env = "BLANK"', "rest.key: the operator's key is printable ASCII"),
        ('[[ice.servers]]\nuri = "http://x"', "ice.servers[0]: "),
        (
            '[[ice.servers]]\nuri = "turn:x:3478"\nsecret.env = "SHORT"',
            "ice.servers[0]: the secret of the TURN server",
        ),
        (
            '[ice]\nservers = [{uri = "stun:x"}, {uri = "turn:x", secret.env = "JWT", lifetime_s = 1000000}]',
            "ice.servers[1]: the lifetime of a password",
        ),
        ('[push]\nurl = "https://x.example/"\nkey.env = "SHORT"', "push.key has fewer than 16 bytes"),
        (KEYED + app('"open"') + '[apps.live.push]\nkey.env = "SHORT"', "apps.NAME.push.key: "),
    ],
)
def test_what_cannot_be_made_is_a_mistake(tmp_path: Path, text: str, said: str) -> None:
    """It says where it stands, and quotes no secret."""
    with pytest.raises(Misconfigured) as caught:
        access_of(tmp_path, text)

    assert said in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS.values())


async def test_nothing_is_issued_under_a_key_that_is_lost(tmp_path: Path) -> None:
    """On a reel a key must outlive the server; without a reel nothing does, and one is drawn."""
    async with Runtime() as runtime:
        kept = [
            access_of(tmp_path, text, is_recorded=is_recorded).services(runtime).tags is not None
            for text, is_recorded in (("", True), ("", False), (KEYED, True))
        ]

    assert kept == [False, True, True]


async def test_turn_and_push_have_their_places(tmp_path: Path) -> None:
    """What is configured is made; what is not is not there."""
    access = access_of(
        tmp_path,
        '[[ice.servers]]\nuri = "turn:turn.example:3478"\nsecret.env = "JWT"\n'
        '[push]\nurl = "https://push.example/"\nkey.env = "JWT"\n',
    )
    without = access_of(tmp_path, "")
    fixed = access_of(tmp_path, '[[ice.servers]]\nuri = "turn:x.example"\nusername = "u"\ncredential.env = "JWT"')
    async with Runtime() as runtime:
        assert access.push(runtime) is not None
        assert without.push(runtime) is None
    assert access.ice is not None
    assert fixed.ice is not None
    assert without.ice is None


@pytest.mark.parametrize(("text", "status"), [("", 403), ('[rest]\nkey.env = "TAGS"', 401)])
def test_operators_have_the_key_that_is_configured(tmp_path: Path, text: str, status: int) -> None:
    """And without one only this machine is let in."""
    scope = {
        "type": "http",
        "headers": [],
        "client": ("192.0.2.7", 1),
        "scheme": "http",
        "path": "/",
        "server": ("x", 1),
    }
    objection = access_of(tmp_path, text).operators.objection(Request(scope))

    assert objection is not None
    assert objection.status == status


@pytest.mark.parametrize(("webhooks", "each"), [(0, CALLS_MAX), (1, CALLS_MAX), (3, CALLS_MAX // 3), (100, 1)])
def test_webhooks_share_their_calls(tmp_path: Path, webhooks: int, each: int) -> None:
    """However many apps ask one, together they have no more calls than there are files for; none is left without."""
    asking = [app('"webhook"', more='webhook.url = "https://a.example/"', name=f"app{one}") for one in range(webhooks)]
    path = tmp_path / "signalreel.toml"
    path.write_text(KEYED + app('"open"', name="other") + "".join(asking))

    assert webhook_calls_max(load(path)) == each


async def test_the_keys_of_all_other_apps_are_those_of_the_operator_too(tmp_path: Path) -> None:
    """What lets in at the gate is issued over REST and signs pushes; an app that is named has its own or none."""
    kinds = 'jwt.secret.env = "JWT"\ntotp.secret.env = "TOTP"'
    text = KEYED + app('"open"') + app('["jwt", "totp"]', '"closed"', kinds, '"*"')
    text += '[apps."*".push]\nkey.env = "JWT"\n'
    token = signed({"iss": "ann", "exp": int(time.time()) + 300}, key=SECRETS["JWT"])
    access = access_of(tmp_path, text)
    async with Runtime(gate=access.gate, media=FakeMedia()) as runtime:
        services = access.services(runtime)
        kept = {one: await _registers(runtime, token, app=one) for one in ("live", "other")}

    assert [services.jwt_keys.get(one) for one in ("live", "other")] == [None, SECRETS["JWT"].encode()]
    assert [services.totp_secrets.get(one) for one in ("live", "other")] == [None, SECRETS["TOTP"]]
    assert kept == {"live": False, "other": True}


async def _registers(runtime: Runtime, token: str, *, app: str) -> bool:
    """Register a device of ann's, and say whether it was taken."""
    client = MemoryClient(runtime, app=app)
    await client.send(RegisterPushToken("ann", token, "address", "fcm"))
    said = await client.receive()
    return said.get("definition") != "authenticationTokenNotValid"
