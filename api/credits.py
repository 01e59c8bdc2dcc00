"""What the caller may spend, and the ledger that says where it went."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import g
from sqlalchemy import literal, select, tuple_

from api.auth import signed_in
from api.blueprint import ApiBlueprint
from api.paging import decode_cursor, encode_cursor, page
from shared.db import db
from shared.events import credits_data
from shared.models import CreditEntry
from shared.models.user import account_of
from shared.schemas import CreditEntryPage, CreditsOut, PageIn

credits_ = ApiBlueprint("credits", __name__, url_prefix="/credits", description="Credits")


@credits_.get("")
@signed_in
@credits_.response(200, CreditsOut)
def balance() -> dict[str, int]:
    """What is left to spend, and what running replies hold."""
    account = account_of(g.user_id)
    assert account is not None  # signed_in() has seen it
    return credits_data(account)


@credits_.get("/entries")
@signed_in
@credits_.arguments(PageIn, location="query")
@credits_.response(200, CreditEntryPage)
def entries(query: dict[str, Any]) -> dict[str, Any]:
    """Every credit that came or went, newest first. They add up to `balance`."""
    wanted = select(CreditEntry).where(CreditEntry.user_id == g.user_id)
    at, entry_id = CreditEntry.created_at, CreditEntry.id
    if query["cursor"]:
        moment, last_id = decode_cursor(query["cursor"], tuple[datetime, UUID])
        wanted = wanted.where(
            tuple_(at, entry_id) < tuple_(literal(moment, at.type), literal(str(last_id), entry_id.type))
        )
    rows = db.session.scalars(wanted.order_by(at.desc(), entry_id.desc()).limit(query["limit"] + 1)).all()
    return page(list(rows), query["limit"], lambda entry: encode_cursor(entry.created_at, entry.id))
