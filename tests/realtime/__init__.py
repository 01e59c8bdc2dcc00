"""Tests of the socket server alone, with a Redis and no database. Processes and sockets are real."""
