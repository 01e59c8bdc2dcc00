"""The threads of a worker process that stay free for users without a running reply."""

import pytest

from shared.redis.room import Room


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 1), (3, 2), (4, 3), (32, 24)])
def test_a_quarter_of_the_threads_stays_free_and_at_least_one_of_several(threads: int, most: int) -> None:
    room = Room(threads)
    assert [room.enter() for _ in range(threads)] == [True] * most + [False] * (threads - most)
    assert not room.take()
    for _ in range(threads - most + 1):
        room.leave()
    assert room.take()
    assert (room.further, room.left) == (1, False)
    room.leave(further=True)
    assert (room.further, room.left) == (0, True)
    assert room.for_titles == max(1, threads // 4)


def test_a_lonely_thread_runs_everything() -> None:
    room = Room(1)
    assert room.enter()
    assert not room.short
