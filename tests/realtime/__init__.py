"""The socket server alone, with a Redis and no database: real processes, real sockets."""
