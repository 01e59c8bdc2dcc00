"""The caller's credits, and the ledger with every movement of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import g
from sqlalchemy import select

from api.access.decorators import signed_in
from api.http.blueprint import ApiBlueprint
from api.http.paging import keyset_page
from shared.database.prepared import columns_of
from shared.models.credits import CreditEntryRow
from shared.models.credits import credit_entries as rows
from shared.models.user import account_of
from shared.wire.base import PageIn
from shared.wire.credits import CreditEntryPage, CreditsOut, credits_data

credits_ = ApiBlueprint("credits", __name__, url_prefix="/credits", description="Credits")


@credits_.get("")
@signed_in
@credits_.response(200, CreditsOut)
def get_credits() -> dict[str, int]:
    """The balance that is left to spend, and the credits that open replies hold."""
    account = account_of(g.user_id)
    assert account is not None  # signed_in() has found the account
    return credits_data(account)


@credits_.get("/entries")
@signed_in
@credits_.arguments(PageIn, location="query")
@credits_.response(200, CreditEntryPage)
def list_credit_entries(asked: dict[str, Any]) -> dict[str, Any]:
    """Every movement of credits, newest first. The movements add up to `balance`."""
    own = select(*columns_of(CreditEntryRow, rows)).where(rows.c.user_id == g.user_id)
    return keyset_page(own, asked, [rows.c.created_at, rows.c.id], tuple[datetime, UUID], CreditEntryRow)
