"""What fault tests are made of: a deployment, people, a nemesis, witnesses, and a checker."""
