"""A limit of open files that a test can set, and that behaves as the system's own."""

import resource

import pytest


class Files:
    """`own` is the limit of this process. It can be raised to `most`. `secret` is a second limit, as macOS has one."""

    def __init__(self) -> None:
        self.own, self.most, self.secret = 1_024, 4_096, 1_000_000

    def get(self, _resource: int) -> tuple[int, int]:
        return self.own, self.most

    def set(self, _resource: int, limits: tuple[int, int]) -> None:
        wanted, most = limits
        assert most == self.most
        if wanted > self.secret or (most != resource.RLIM_INFINITY and wanted > most):
            raise ValueError("current limit exceeds maximum limit")
        self.own = wanted


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    files = Files()
    monkeypatch.setattr(resource, "getrlimit", files.get)
    monkeypatch.setattr(resource, "setrlimit", files.set)
    return files
