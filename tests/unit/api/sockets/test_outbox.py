"""A socket's queue counts its unsent bytes. The transport cuts off a client that lets the queue grow."""

import queue
from typing import Any

import pytest
from engineio import packet
from engineio.socket import Socket

from api.sockets.outbox import MAX_UNSENT, Outbox, Transport


def a_packet(size: int) -> packet.Packet:
    return packet.Packet(packet.MESSAGE, "x" * size)


def test_what_was_taken_counts_until_the_writer_asks_for_more() -> None:
    outbox = Outbox(queue.Queue())
    for _ in range(3):
        outbox.put(a_packet(1000))
    full = outbox.unsent
    assert full >= 3000
    outbox.get(timeout=1)
    outbox.get(block=False)
    assert outbox.unsent == full  # the transport is sending both
    outbox.get(timeout=1)
    assert outbox.unsent == full / 3
    with pytest.raises(queue.Empty):
        outbox.get(timeout=0.01)
    assert outbox.unsent == 0


def test_the_end_and_packets_without_text_are_no_obstacle() -> None:
    outbox = Outbox(queue.Queue())
    for item in (None, packet.Packet(packet.PING), packet.Packet(packet.OPEN, {"sid": "x"})):
        outbox.put(item)
        assert outbox.get(block=False) is item


@pytest.fixture
def cut() -> list[str]:
    return []


@pytest.fixture
def transport(cut: list[str]) -> Transport:
    transport = Transport(async_mode="threading")
    transport.cut = cut.append
    transport.sockets["slow"] = Socket(transport, "slow")
    return transport


def fill(transport: Transport, packets: int, size: int) -> None:
    for _ in range(packets):
        transport.send_packet("slow", a_packet(size))


@pytest.mark.parametrize("size", [1, 1_000, 50_000])
def test_a_queue_that_is_not_read_is_cut_at_its_limit_however_small_its_packets(
    transport: Transport, cut: list[str], size: int
) -> None:
    fit = MAX_UNSENT // (size + 500)
    fill(transport, fit, size)
    assert cut == []
    fill(transport, 1, size)
    assert cut == ["slow"]


@pytest.mark.parametrize("ended", ["closing", "closed"])
def test_what_ends_is_sent_nothing(transport: Transport, ended: str) -> None:
    socket: Any = transport.sockets["slow"]
    setattr(socket, ended, True)
    fill(transport, 1, 1)
    assert socket.queue.unsent == 0
    transport.send_packet("nobody", a_packet(1))
