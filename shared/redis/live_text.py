"""The text of a running reply, in Redis. A reload or a second tab gets all of it at once.

Each (message, attempt) has a list of pieces. Each message has a fence: it refuses text of an older attempt, and all
text once the reply is closed.
"""

from dataclasses import dataclass
from typing import Any

from redis.client import Pipeline

from shared.redis.link import RedisLink
from shared.settings import LONGEST_REPLY

# Seconds, twice as long as any reply may take. So nothing expires while a client reads it.
TTL = 2 * LONGEST_REPLY
CLOSED = "closed"

# For each reply, the script refuses the piece, or appends it and keeps its event. Then it publishes all kept events as
# one message. It returns the length of each list, or -1 for a refusal. A list that is too short means that Redis has
# lost text.
_APPEND = f"""
local answers, events = {{}}, {{}}
for i = 1, #KEYS / 2 do
  local fence, list = KEYS[2 * i - 1], KEYS[2 * i]
  local attempt, piece, event = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  local current = redis.call('GET', fence)
  if current == '{CLOSED}' or (current and tonumber(current) > tonumber(attempt)) then
    answers[i] = -1
  else
    if current ~= attempt then redis.call('SET', fence, attempt, 'EX', {TTL}) end
    answers[i] = redis.call('RPUSH', list, piece)
    if answers[i] == 1 then redis.call('EXPIRE', list, {TTL}) end
    events[#events + 1] = event
  end
end
if #events > 0 then redis.call('PUBLISH', ARGV[1], '[' .. table.concat(events, ',') .. ']') end
return answers
"""

_BEGIN = f"""
local current = redis.call('GET', KEYS[1])
if current == '{CLOSED}' or (current and tonumber(current) > tonumber(ARGV[1])) then return end
redis.call('SET', KEYS[1], ARGV[1], 'EX', {TTL})
redis.call('DEL', KEYS[2])
if ARGV[2] ~= '' then
  redis.call('RPUSH', KEYS[3], ARGV[2])
  redis.call('EXPIRE', KEYS[3], {TTL})
end
"""

_REWRITE = f"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
redis.call('DEL', KEYS[2])
redis.call('RPUSH', KEYS[2], ARGV[2])
for _ = 2, tonumber(ARGV[3]) do redis.call('RPUSH', KEYS[2], '') end
redis.call('EXPIRE', KEYS[2], {TTL})
"""


@dataclass(frozen=True)
class Piece:
    """The text that one reply adds in one trip. `event` is an encoded entry for the event channel."""

    message_id: str
    attempt: int
    text: str
    event: bytes


@dataclass(frozen=True)
class LiveText:
    """The text so far, and the index of the next delta: the number of pieces that the text has."""

    text: str
    next_index: int


def append(link: RedisLink, pieces: list[Piece]) -> list[int] | None:
    """Append and publish all pieces in one round trip. Returns the list lengths, with -1 for a refusal.

    Returns None if Redis is away.
    """
    keys: list[str] = []
    args: list[Any] = [link.channel]
    for piece in pieces:
        keys += [_fence(link, piece.message_id), _list(link, piece.message_id, piece.attempt)]
        args += [piece.attempt, piece.text, piece.event]
    pipe = link.pipeline()
    pipe.eval(_APPEND, len(keys), *keys, *args)
    answers = link.send(pipe)
    return list(answers[0]) if answers else None


def rewrite(link: RedisLink, message_id: str, attempt: int, text: str, pieces: int) -> None:
    """Put lost text back, as a list of the same length, so that the indexes go on.

    Does nothing once another attempt has begun or the reply is closed.
    """
    with link.trip() as pipe:
        keys = (_fence(link, message_id), _list(link, message_id, attempt))
        pipe.eval(_REWRITE, len(keys), *keys, attempt, text, pieces)


def begin(link: RedisLink, pipe: Pipeline, message_id: str, attempt: int, kept: str = "") -> None:
    """Refuse text of earlier attempts from now on, and drop the text of the last one.

    A kept text is the first piece of this attempt, so readers see it before the model says more. This may come late:
    after the reply was stopped or deleted, or after its next attempt began. Then it does nothing.
    """
    lists = [_list(link, message_id, attempt - 1), _list(link, message_id, attempt)]
    pipe.eval(_BEGIN, 3, _fence(link, message_id), *lists, attempt, kept)


def close(link: RedisLink, pipe: Pipeline, message_id: str, attempt: int) -> None:
    """Refuse all text from now on, and drop the live text, because the database has the text."""
    pipe.set(_fence(link, message_id), CLOSED, ex=TTL)
    pipe.delete(_list(link, message_id, attempt))


def drop(link: RedisLink, message_id: str, attempt: int) -> None:
    """Drop the text of an attempt that was superseded, and refuse the trip that its worker may still make.

    Without its fence Redis takes such text: it may have lost the fence.
    """
    with link.trip() as pipe:
        begin(link, pipe, message_id, attempt + 1)
        pipe.delete(_list(link, message_id, attempt))


def forget(link: RedisLink, pipe: Pipeline, message_id: str, attempts: int) -> None:
    """Close a reply that was deleted, and drop the text of each of its attempts, however they ended."""
    close(link, pipe, message_id, attempts)
    pipe.delete(*(_list(link, message_id, attempt) for attempt in range(1, attempts + 1)))


def read(link: RedisLink, replies: list[tuple[str, int]]) -> list[LiveText | None]:
    """The live text of each (message id, attempt); None if Redis has none or does not answer."""
    pipe = link.pipeline()
    for message_id, attempt in replies:
        pipe.lrange(_list(link, message_id, attempt), 0, -1)
    answers = link.send(pipe)
    if answers is None:
        return [None] * len(replies)
    return [LiveText(b"".join(found).decode(), len(found)) if found else None for found in answers]


def _fence(link: RedisLink, message_id: str) -> str:
    return link.key("fence", message_id)


def _list(link: RedisLink, message_id: str, attempt: int) -> str:
    return link.key("live", message_id, attempt)
