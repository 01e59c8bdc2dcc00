"""The caller's own account: read it, and delete it."""

from typing import Any

from flask import g

from api.access.decorators import signed_in
from api.access.passwords import password_fits
from api.http.blueprint import ApiBlueprint
from api.resources.auth import forget_session
from shared.actions.accounts.delete import delete_account
from shared.actions.accounts.receipt import Receipt
from shared.database.tables import db
from shared.errors.requests import WrongPassword
from shared.models import User
from shared.wire.accounts import PasswordIn, ReceiptOut, UserOut

account = ApiBlueprint("account", __name__, url_prefix="/me", description="Your account")


@account.get("")
@signed_in
@account.response(200, UserOut)
def get() -> User | None:
    """Your account, with your credits."""
    return db.session.get(User, g.user_id)


@account.delete("")
@signed_in
@account.arguments(PasswordIn)
@account.response(200, ReceiptOut)
def delete(body: dict[str, Any]) -> tuple[Receipt, int, dict[str, str]]:
    """Delete your account with everything in it. Running replies end, and every token is revoked. Returns a receipt."""
    user = db.session.get(User, g.user_id)
    db.session.remove()  # no transaction stays open while the password is tried
    if not user or not password_fits(body["password"], user.password_hash, user.email):
        raise WrongPassword  # a deletion cannot be undone, so a token alone is not enough (D-24)
    receipt = delete_account(g.user_id)
    return receipt, 200, {"Set-Cookie": forget_session().headers["Set-Cookie"]}
