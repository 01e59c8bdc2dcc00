"""How requests are read and answered: bodies, pages of a list, errors."""
