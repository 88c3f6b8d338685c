"""What the machines are: when a stream is live, and how the seats of a room are found."""

from signalreel.commands import JoinRoom
from signalreel.identifiers import Kind
from signalreel.machines.shapes import Member, Room, RoomState, StreamState, is_live
from tests.engine.world import World


def test_a_stream_is_live_while_it_broadcasts() -> None:
    """Every other state is either before that or after it, and nothing but a stream is a live stream."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1")
    world.say("bob", JoinRoom("r"))
    stream = world.engine.find(Kind.STREAM, "s1", app="live")

    assert is_live(stream)
    assert not is_live(world.engine.find(Kind.ROOM, "r", app="live"))
    assert not is_live(None)
    assert len(StreamState) == 7


def test_seats_are_found_in_a_large_room() -> None:
    """Contract 1: members stand in the order in which they came, whoever of them goes."""
    room = Room("live", "r", RoomState.OPEN, 1)
    seats = [Member(number, f"session-{number}", f"s{number}", joined=number % 2 == 0) for number in range(1, 101)]
    for seat in seats:
        room = room.with_seat(seat)

    for seat in (*seats[10:90:3], seats[0], seats[99]):
        assert room.seat_of(seat.session) == seat
        room = room.without_seat(seat)
        seats.remove(seat)
        assert room.members == tuple(seats)
        assert room.sessions == tuple(member.session for member in seats)
    assert room.seat_of("session-1") is None
    assert (room.stream_of("session-2"), room.stream_of("session-1")) == ("s2", "")
    noted = room.with_seat_joined("session-3")
    assert [seat for seat in noted.members if seat not in room.members] == [Member(3, "session-3", "s3", joined=True)]
