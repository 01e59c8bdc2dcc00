"""The one way text is cleaned, from people and from models alike, whole or piece by piece."""

_HIGH_HALVES = ("\ud800", "\udbff")


def clean(text: str) -> str:
    """Without NUL and without halves of surrogate pairs, which no database stores. Whole pairs are joined."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text.replace("\0", "")


class PieceCleaner:
    """Cleans text that comes in pieces: the first half of a pair waits for the piece with the second."""

    def __init__(self) -> None:
        self._half = ""

    def clean(self, piece: str) -> str:
        """What of this piece, and of what waited, is whole; may be empty."""
        piece, self._half = self._half + piece, ""
        if piece and _HIGH_HALVES[0] <= piece[-1] <= _HIGH_HALVES[1]:
            piece, self._half = piece[:-1], piece[-1]
        return clean(piece)
