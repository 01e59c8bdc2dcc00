"""Things that every app or client makes anew, and that are alike each time. A test process makes them once (D-139).

A program of the product makes them once too, at its start. A test process stands for thousands of programs.
"""

import gc
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpcore2
import pytest
from apispec import APISpec
from argon2 import PasswordHasher
from flask_smorest import Api, Blueprint
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache

from shared import passwords


@pytest.fixture(scope="session", autouse=True)
def one_reading_of_the_certificates(patch: pytest.MonkeyPatch) -> None:
    """Each HTTP client reads them in 25 ms of a core, even a client that asks `http://127.0.0.1` only."""
    patch.setattr(httpcore2, "default_ssl_context", cache(httpcore2.default_ssl_context))


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes(patch: pytest.MonkeyPatch) -> None:
    """A hash of a password takes 40 ms of a core on purpose. tests/unit/shared/test_passwords.py checks its cost."""
    patch.setattr(passwords, "_hasher", PasswordHasher(memory_cost=8, time_cost=1, parallelism=1))


class _Compiled(LRUCache[tuple[Any, ...], Any]):
    """Compiled statements. Their keys name the kind of database in place of the engine."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __getitem__(self, key: tuple[Any, ...]) -> Any:
        return super().__getitem__(_of_kind(key))

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(_of_kind(key), compiled)


def _of_kind(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return dialect.name, dialect.driver, *rest


@pytest.fixture(scope="session", autouse=True)
def one_compilation_of_each_statement(patch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy compiles each statement once for each engine, and each app has an engine of its own."""
    compiled, make = _Compiled(5_000), SQLAlchemy._make_engine

    def make_with_memory(extension: SQLAlchemy, *options: Any) -> Engine:
        engine = make(extension, *options)
        engine._compiled_cache = compiled
        return engine

    patch.setattr(SQLAlchemy, "_make_engine", make_with_memory)


class _Document:
    """The OpenAPI document of the first app. A later app shows it, and adds nothing to it."""

    def __init__(self, spec: APISpec) -> None:
        self.to_dict = spec.to_dict

    def tag(self, _: object) -> None:
        """The document has the tag."""


@pytest.fixture(scope="session", autouse=True)
def one_document(patch: pytest.MonkeyPatch) -> None:
    """The OpenAPI document takes 15 ms of a core. It depends on the code alone, not on the settings of an app."""
    made: list[APISpec] = []
    make, describe = Api._init_spec, Blueprint.register_views_in_doc

    def make_once(api: Api, **options: object) -> None:
        if made:
            api.spec = _Document(made[0])
        else:
            make(api, **options)
            made.append(api.spec)

    def describe_once(blueprint: Blueprint, api: Api, app: object, spec: object, **options: object) -> None:
        if not isinstance(spec, _Document):
            describe(blueprint, api, app, spec, **options)

    patch.setattr(Api, "_init_spec", make_once)
    patch.setattr(Blueprint, "register_views_in_doc", describe_once)


@pytest.fixture(scope="session")
def patch() -> Iterator[pytest.MonkeyPatch]:
    """Patches that last as long as the test process."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def pytest_collection_finish() -> None:
    """Let the garbage collector leave out all modules and tests. It would look at them again and again (as D-81)."""
    gc.collect()
    gc.freeze()
