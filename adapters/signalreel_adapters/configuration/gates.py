"""From a configuration to what stands before a runtime: the gates, the operators' key, and what they are made from.

    access = Access(configuration, Secrets(folder, os.environ), is_recorded=True)
    async with Runtime(reel, gate=access.gate) as runtime:
        access.look_at(runtime.engine)

A served runtime always has a gate, because what a registered stream takes is on the reel and holds whatever the
configuration says today. Without a key for tags one is drawn, which nobody else will ever have: then everything that
was made with another one is refused.
"""

import secrets as random
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from signalreel.engine import Engine
from signalreel.registered import Credential
from signalreel_adapters.access import (
    AllOf,
    ByPurpose,
    ClosedGate,
    FirstThatKnows,
    HashGate,
    LiveRooms,
    OneTimeGate,
    OpenGate,
    PerApp,
    RegistrySubscribers,
    RegistryTokens,
    Sealing,
    Tags,
    TotpGate,
    WebhookGate,
)
from signalreel_adapters.access.jwt import JwtGate
from signalreel_adapters.access.keys import is_too_short
from signalreel_adapters.access.policy import PolicyGate
from signalreel_adapters.access.push import PushGate
from signalreel_adapters.access.tags import KEY_BYTES_MIN
from signalreel_adapters.access.webhook import CALLS_MAX
from signalreel_adapters.configuration.apps import OfApps
from signalreel_adapters.configuration.errors import Misconfigured
from signalreel_adapters.configuration.file import (
    EVERY_OTHER_APP,
    AllOfThese,
    AppAccess,
    Configuration,
    Demand,
    IceServerSection,
    JwtSection,
)
from signalreel_adapters.configuration.names import unknown
from signalreel_adapters.configuration.secrets import Secrets, SecretSource
from signalreel_adapters.ice import SpreadIceServers, StaticIceServers, TurnRest
from signalreel_adapters.ports import Gate, IceServers
from signalreel_adapters.push import PushDelivery
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.rest import Bitrates, Services
from signalreel_adapters.server.rest.services import Load

__all__ = ("Access", "webhook_calls_max")

T = TypeVar("T")

_DRAWN_BYTES: Final = 32
_OPEN: Final = "open"
_CLOSED: Final = "closed"
_WEBHOOK: Final = "webhook"
_KINDS: Final = ("token", "hash", "jwt", "totp", _WEBHOOK)
_IN_TOKEN: Final = frozenset({"token", "hash", "jwt"})
"""Kinds that are shown in a command's one field for a token, of which there can be one."""

_Kind = HashGate | JwtGate | OneTimeGate | TotpGate | WebhookGate


class Access:
    """Everything about who may do what, made once at a start. Raises `Misconfigured` for what cannot be made."""

    def __init__(self, configuration: Configuration, secrets: Secrets, *, is_recorded: bool) -> None:
        self._secrets = secrets
        self._rooms = LiveRooms()
        self._tokens = RegistryTokens()
        key = _long_enough(secrets, configuration.access.key, "access.key")
        self._is_lasting = key is not None or not is_recorded
        octets = key if key is not None else random.token_bytes(_DRAWN_BYTES)
        self._tags, self._sealing = Tags(octets), Sealing(octets)
        self._subscribers = RegistrySubscribers(self._sealing)
        self._policies: list[PolicyGate] = []
        self._named = frozenset(configuration.apps)
        self._jwt_keys: dict[str, bytes] = {}
        self._totp_secrets: dict[str, str] = {}
        self._calls_max = webhook_calls_max(configuration)
        push_keys: dict[str, bytes] = {}
        apps: dict[str, Gate] = {}
        for name, section in configuration.apps.items():
            apps[name] = self._app(name, section.access, has_key=key is not None)
            if section.push is not None:
                push_keys[name] = secrets.read(section.push.key, f"apps.{name}.push.key")
        otherwise = apps.pop(EVERY_OTHER_APP, None)
        if otherwise is None:
            otherwise = ClosedGate() if apps else self._with_policy(OpenGate(tags=self._tags), self._registered_kinds())
        try:
            self.gate: Gate = PushGate(
                PerApp(apps, otherwise=otherwise),
                OfApps(push_keys, self._named),
                tags=self._tags,
                sealing=self._sealing,
            )
        except ValueError as error:
            raise Misconfigured(f"apps.NAME.push.key: {error}") from None
        operators_key = _long_enough(secrets, configuration.rest.key, "rest.key")
        try:
            self.operators = Operators(operators_key)
        except ValueError as error:
            raise Misconfigured(f"rest.key: {error}") from None
        self.ice = self._ice_servers(configuration.ice.servers)
        self._push = configuration.push
        self._push_key = _long_enough(secrets, self._push.key, "push.key") if self._push is not None else None

    def look_at(self, engine: Engine) -> None:
        """Take the engine that the gates are to look at."""
        self._rooms.look_at(engine)
        self._tokens.look_at(engine)
        self._subscribers.look_at(engine)
        for policy in self._policies:
            policy.look_at(engine)

    def services(self, runtime: Runtime, *, load: Load | None = None, bitrates: Bitrates | None = None) -> Services:
        """Give what the REST interface works with.

        Nothing is issued under a drawn key when there is a reel: after a restart it would be worth nothing.
        """
        return Services(
            runtime,
            tags=self._tags if self._is_lasting else None,
            sealing=self._sealing if self._is_lasting else None,
            jwt_keys=OfApps(self._jwt_keys, self._named),
            totp_secrets=OfApps(self._totp_secrets, self._named),
            load=load,
            bitrates=bitrates,
        )

    def push(self, runtime: Runtime) -> PushDelivery | None:
        """Give what delivers pushes, when an address for them is configured: enter it beside the runtime."""
        section = self._push
        if section is None:
            return None
        return _made(
            "push",
            lambda: PushDelivery(
                runtime, section.url, sealing=self._sealing, key=self._push_key, allow_private=section.allow_private
            ),
        )

    # ---- apps

    def _app(self, name: str, access: AppAccess, *, has_key: bool) -> Gate:
        place = f"apps.{name}.access"
        kinds = {**self._registered_kinds(), **self._configured_kinds(name, access, place)}
        for demand in (access.publish, access.play):
            if not has_key and self._is_lasting is False and demand not in {_OPEN, _CLOSED}:
                raise Misconfigured(f"{place} needs a key that outlives the server: give it one as access.key")
        gate = ByPurpose(
            publish=self._gate(access.publish, kinds, f"{place}.publish", access.jwt),
            play=self._gate(access.play, kinds, f"{place}.play", access.jwt),
        )
        return self._with_policy(gate, kinds)

    def _with_policy(self, gate: Gate, kinds: Mapping[str, _Kind]) -> PolicyGate:
        checks = {Credential(kind): check for kind, check in kinds.items() if kind != _WEBHOOK}
        policy = PolicyGate(gate, checks, rooms=self._rooms)
        self._policies.append(policy)
        return policy

    def _registered_kinds(self) -> dict[str, _Kind]:
        """The kinds that need nothing but what is registered."""
        return {
            "token": OneTimeGate(self._tokens, tags=self._tags, rooms=self._rooms),
            "totp": TotpGate(self._subscribers, tags=self._tags, rooms=self._rooms),
        }

    def _configured_kinds(self, name: str, access: AppAccess, place: str) -> dict[str, _Kind]:
        """The kinds that need a secret or an address of the app's own."""
        kinds: dict[str, _Kind] = {}
        tags, rooms = self._tags, self._rooms
        if access.jwt is not None:
            key = self._secrets.read(access.jwt.secret, f"{place}.jwt.secret")
            section = access.jwt
            kinds["jwt"] = _made(
                f"{place}.jwt",
                lambda: JwtGate(
                    key,
                    tags=tags,
                    issuer=section.issuer,
                    audience=section.audience,
                    leeway_s=section.leeway_s,
                    allow_without_expiry=section.allow_without_expiry,
                    single_use=section.single_use,
                    rooms=rooms,
                ),
            )
            self._jwt_keys[name] = key
        if access.hash is not None:
            text = self._secrets.text(access.hash.secret, f"{place}.hash.secret")
            kinds["hash"] = _made(f"{place}.hash", lambda: HashGate(text, tags=tags, rooms=rooms))
        if access.totp is not None and access.totp.secret is not None:
            shared = self._secrets.text(access.totp.secret, f"{place}.totp.secret")
            if len(shared.encode()) < KEY_BYTES_MIN:
                raise Misconfigured(f"{place}.totp.secret has fewer than {KEY_BYTES_MIN} bytes")
            kinds["totp"] = TotpGate(self._subscribers, tags=tags, secret=shared, rooms=rooms)
            self._totp_secrets[name] = shared
        if access.webhook is not None:
            hook = access.webhook
            kinds[_WEBHOOK] = _made(
                f"{place}.webhook",
                lambda: WebhookGate(
                    hook.url,
                    tags=tags,
                    play_url=hook.play_url,
                    allow_private=hook.allow_private,
                    calls_max=self._calls_max,
                    rooms=rooms,
                ),
            )
        return kinds

    def _gate(self, demand: Demand, kinds: Mapping[str, _Kind], place: str, jwt: JwtSection | None) -> Gate:
        if demand == _OPEN:
            return OpenGate(tags=self._tags)
        if demand == _CLOSED:
            return ClosedGate()
        if isinstance(demand, AllOfThese):
            first, *others = _all_of(demand.all_of, place, is_single_use=jwt is not None and jwt.single_use)
            return AllOf(_kind(first, kinds, place), *(_kind(one, kinds, place) for one in others))
        names = (demand,) if isinstance(demand, str) else demand
        if not names:
            raise Misconfigured(f'{place} lists nothing; write "closed" to let nobody in')
        # A webhook knows every credential, so whatever stood behind it would never be asked.
        return FirstThatKnows(*(_kind(one, kinds, place) for one in sorted(names, key=lambda one: one == _WEBHOOK)))

    # ---- the rest

    def _ice_servers(self, sections: tuple[IceServerSection, ...]) -> IceServers | None:
        servers = [self._ice_server(section, f"ice.servers[{at}]") for at, section in enumerate(sections)]
        return SpreadIceServers(servers) if servers else None

    def _ice_server(self, section: IceServerSection, place: str) -> IceServers:
        if section.secret is not None:
            secret = self._secrets.read(section.secret, f"{place}.secret")
            return _made(place, lambda: TurnRest(section.uri, secret, lifetime_s=section.lifetime_s))
        credential = self._secrets.text(section.credential, f"{place}.credential") if section.credential else ""
        return _made(place, lambda: StaticIceServers(section.uri, username=section.username, credential=credential))


def webhook_calls_max(configuration: Configuration) -> int:
    """Give how many calls the webhook of one app may have under way, so that all of them have no more than one alone.

    Connections leave file descriptors to that many calls and not to more.
    """
    webhooks = sum(section.access.webhook is not None for section in configuration.apps.values())
    return max(1, CALLS_MAX // max(1, webhooks))


def _made(place: str, make: Callable[[], T]) -> T:
    """Make something; what it says of a value that does not fit is said of this place."""
    try:
        return make()
    except ValueError as error:
        raise Misconfigured(f"{place}: {error}") from None


def _long_enough(secrets: Secrets, source: SecretSource | None, place: str) -> bytes | None:
    if source is None:
        return None
    key = secrets.read(source, place)
    if is_too_short(key):
        raise Misconfigured(f"{place} has fewer than {KEY_BYTES_MIN} bytes")
    return key


def _kind(name: str, kinds: Mapping[str, _Kind], place: str) -> _Kind:
    if name not in _KINDS:
        raise unknown(place, name, (*_KINDS, _OPEN, _CLOSED))
    found = kinds.get(name)
    if found is None:
        app = place.rpartition(".")[0]
        raise Misconfigured(f"{place} takes {name}, and there is no {app}.{name} to say by what")
    return found


def _all_of(names: tuple[str, ...], place: str, *, is_single_use: bool) -> tuple[str, ...]:
    """See that a command can show all of these: it has one token, and its grant one mark of use."""
    if len(_IN_TOKEN.intersection(names)) > 1 or len(set(names)) < len(names):
        raise Misconfigured(f"{place} asks for several tokens, and a command shows one")
    used_once = {"token", "totp", *(("jwt",) if is_single_use else ())}.intersection(names)
    if len(used_once) > 1:
        raise Misconfigured(f"{place} asks for several credentials that are good for one use, and one can be marked")
    return names
