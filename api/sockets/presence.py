"""The user and the token of each open socket, and the revoked tokens."""

import time

from api.access.tokens import Claims
from shared.redis.revocations import Revocations, is_revoked


class Presence:
    """The tokens of all admitted sockets, by socket id. Times are epoch seconds of this machine."""

    def __init__(self, longest_token: int) -> None:
        self.revocations: dict[str, int] = {}
        self._longest_token = longest_token
        self._claims: dict[str, Claims] = {}

    def __len__(self) -> int:
        return len(self._claims)

    def __contains__(self, sid: str) -> bool:
        return sid in self._claims

    def enter(self, sid: str, claims: Claims) -> None:
        """Note the token that a socket uses from now on."""
        self._claims[sid] = claims

    def leave(self, sid: str) -> None:
        """Forget a socket."""
        self._claims.pop(sid, None)

    def user_of(self, sid: str) -> str | None:
        """The id of the socket's user; None for an unknown socket."""
        claims = self._claims.get(sid)
        return claims.user_id if claims else None

    def is_revoked(self, claims: Claims) -> bool:
        """Whether the token was revoked, as far as this process knows."""
        return is_revoked(self.revocations, claims.user_id, claims.session_id, claims.issued)

    def expired(self) -> list[str]:
        """The sockets with an expired token. The search takes a millisecond for 20,000 sockets."""
        now = time.time()
        return [sid for sid, claims in self._claims.items() if claims.expires <= now]

    def revoke(self, news: Revocations) -> list[str]:
        """Add a new reading of the revocations. Returns the sockets with a token that is now revoked.

        An entry stays until every token that it may concern has expired. A later reading may lack it, because Redis
        may have been emptied (D-50).
        """
        oldest = time.time() - self._longest_token
        known = self.revocations
        self.revocations = {field: until for field, until in {**known, **news}.items() if until >= oldest}
        if self.revocations.items() <= known.items():
            return []
        return [sid for sid, claims in self._claims.items() if self.is_revoked(claims)]
