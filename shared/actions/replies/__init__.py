"""The life of a reply. `states.py` has every state, guard and transition; each verb stands beside it."""
