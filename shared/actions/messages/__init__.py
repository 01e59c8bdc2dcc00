"""Verbs of an owner's messages: post and delete."""
