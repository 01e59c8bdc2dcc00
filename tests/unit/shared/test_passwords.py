"""The product's hashes are as costly as they must be. All other tests use cheap ones (tests/run/made_once.py)."""

import runpy

import argon2

from shared import passwords


def test_a_stored_hash_costs_what_owasp_asks_for() -> None:
    product = runpy.run_path(passwords.__file__)
    for stored in (product["hash_password"]("a password"), product["_nobodys_hash"]()):
        cost = argon2.extract_parameters(stored)
        assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (argon2.Type.ID, 47_104, 1, 1)
