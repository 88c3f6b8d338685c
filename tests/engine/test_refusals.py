"""The catalogue of refusals against the protocol page."""

import inspect
import re
from typing import Final

import pytest

from signalreel import refusals
from signalreel.refusals import (
    ACCESS_REFUSALS,
    AUTHENTICATION_TOKEN_NOT_VALID,
    MISSING_PARAMETER,
    REFUSALS,
    RESERVED,
    UNAUTHORIZED_ACCESS,
    USER_BLOCKED,
    Refusal,
)

PAGE: Final = (
    "noStreamNameSpecified",
    "not_allowed_unregistered_streams",
    "no_room_specified",
    "unauthorized_access",
    "no_encoder_settings",
    "no_peer_associated_before",
    "notSetLocalDescription",
    "highResourceUsage",
    "streamIdInUse",
    "publishTimeoutError",
    "invalidStreamName",
    "data_store_not_available",
    "license_suspended_please_renew_license",
    "already_playing",
    "already_publishing",
    "no_codec_enabled_in_the_server",
    "stream_not_active_or_expired",
    "viewerLimitReached",
)
"""The definitions under "WebSocket Error Callbacks" of the protocol page, in its order."""

PAGE_ELSEWHERE: Final = ("no_stream_exist",)
"""The one definition that the page has under another heading (getStreamInfo)."""

NOT_ON_THE_PAGE: Final = (
    "NoSpaceForNewPeer",
    "notSetRemoteDescription",
    "no_active_streams_in_room",
    "main_track_has_max_subtrack_count__not_allowed_to_add_more_subtracks",
    "user_blocked",
    "room_not_active_or_expired",
    "noPacketReceivedForTimeoutDuration",
    "not_initialized_yet",
    "authenticationTokenNotValid",
    "missingParameter",
)
"""Definitions that real clients know besides."""


def test_the_catalogue_holds_every_definition_of_the_page_and_says_so() -> None:
    """The page's definitions come first and in its order; what is not on it is marked, and nothing else is there."""
    assert tuple(REFUSALS) == (*PAGE, *PAGE_ELSEWHERE, *NOT_ON_THE_PAGE)
    assert tuple(name for name, entry in REFUSALS.items() if entry.page) == (*PAGE, *PAGE_ELSEWHERE)


def test_every_refusal_of_the_module_is_in_the_catalogue_once() -> None:
    """A constant that is not in the catalogue could be sent and not be looked up."""
    defined = [value for _, value in inspect.getmembers(refusals) if isinstance(value, Refusal)]

    assert sorted(entry.definition for entry in defined) == sorted(REFUSALS)
    assert all(REFUSALS[entry.definition] is entry for entry in defined)


@pytest.mark.parametrize("entry", REFUSALS.values(), ids=lambda entry: entry.definition)
def test_an_entry_answers_what_a_client_and_a_person_ask(entry: Refusal) -> None:
    """Each entry says why, what to do, and a sentence for a person, all of them as sentences."""
    for text in (entry.cause, entry.advice, entry.information):
        assert re.fullmatch(r"[A-Z].*\.", text)


def test_only_a_missing_stream_has_a_code() -> None:
    """`error_code` is "404" as text for `no_stream_exist`, which the SDK's retry looks at, and left out elsewhere."""
    assert {name: entry.error_code for name, entry in REFUSALS.items() if entry.error_code} == {
        "no_stream_exist": "404"
    }


def test_a_reserved_name_is_never_sent() -> None:
    """What this server has no cause for is no entry."""
    assert set(RESERVED) & set(REFUSALS) == set()


def test_a_gate_refuses_with_one_of_these() -> None:
    """Access was not granted, or the subscriber is blocked; of a push command, its token or its fields are no good."""
    assert ACCESS_REFUSALS == (
        UNAUTHORIZED_ACCESS,
        USER_BLOCKED,
        AUTHENTICATION_TOKEN_NOT_VALID,
        MISSING_PARAMETER,
    )
