"""Verbs of an owner's chats: make, rename, see and delete."""
