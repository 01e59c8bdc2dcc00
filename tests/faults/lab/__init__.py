"""The parts of fault tests: a deployment, people, a nemesis, witnesses, and a checker."""
