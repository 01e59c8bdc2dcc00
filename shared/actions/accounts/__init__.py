"""Accounts, sign-ins, and the revocation of tokens."""
