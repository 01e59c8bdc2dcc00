"""The real things that tests run against: databases, Redis, the programs, sockets, a browser."""
