"""The length of each JavaScript function, found by its brackets. The project has no JavaScript parser of its own."""

import re

# A comment, a string or a regular expression is one token, so a bracket inside it does not count.
_SKIPPED = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|=>|[\w$]+|.", re.DOTALL)
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
_TEMPLATE = re.compile(r"[`}](?:\\.|(?!\$\{)[^`\\])*(?:`|\$\{)", re.DOTALL)  # up to its end, or to code inside it
_BEFORE_REGEX = {"", "(", "[", "{", "}", ",", "=", ":", ";", "!", "&", "|", "?", "=>", "return"}


def function_lengths(source: str) -> dict[int, int]:
    """The number of lines of each function, method and arrow, by its first line. Blocks of `if` and `for` count too."""
    scan = _Scan()
    while (start := _SKIPPED.match(source, scan.position).end()) < len(source):  # type: ignore[union-attr]
        token = scan.token_at(source, start)
        scan.take(token, source.count("\n", 0, start) + 1)
        scan.position = start + len(token)
    assert not scan.brackets, f"{scan.brackets[-1]} is never closed"
    return scan.lengths


class _Scan:
    def __init__(self) -> None:
        self.position = 0
        self.before = ""  # the token before
        self.lengths: dict[int, int] = {}
        self.brackets: list[tuple[str, int]] = []  # the open ones, each with its own or its function's first line
        self.arrows: list[tuple[int, int]] = []  # the number of brackets open around each arrow, and its first line
        self.parameters = 0  # the line on which the last closed parenthesis began

    def token_at(self, source: str, start: int) -> str:
        in_template = source[start] == "`" or (source[start] == "}" and self.brackets[-1][0] == "${")
        kinds = [(_TEMPLATE, in_template), (_REGEX, self.before in _BEFORE_REGEX), (_TOKEN, True)]
        return next(found[0] for kind, may in kinds if may and (found := kind.match(source, start)))

    def take(self, token: str, line: int) -> None:
        first = self.parameters if self.before == ")" else line
        if token[0] in ",;)]}":
            self._end_arrows(line)
        if token[0] in ")]}":
            self._close(line)
        if token == "=>":
            self.arrows.append((len(self.brackets), first))
        if token in {"(", "[", "{"} or token.endswith("${"):
            is_body = token == "{" and self.before == ")"
            self.brackets.append(("body" if is_body else token[-2:], first if is_body else line))
        self.before = token

    def _end_arrows(self, line: int) -> None:
        while self.arrows and self.arrows[-1][0] == len(self.brackets):
            self._note(self.arrows.pop()[1], line)

    def _close(self, line: int) -> None:
        kind, first = self.brackets.pop()
        if kind == "(":
            self.parameters = first
        elif kind == "body":
            self._note(first, line)

    def _note(self, first: int, last: int) -> None:
        self.lengths[first] = max(self.lengths.get(first, 0), last - first + 1)
