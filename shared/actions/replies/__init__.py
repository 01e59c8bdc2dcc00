"""The life of a reply: every state, guard and transition is in `states.py`, each verb beside it."""
