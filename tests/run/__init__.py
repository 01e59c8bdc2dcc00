"""How a run of the tests saves time: plugins of pytest that tests/conftest.py names."""
