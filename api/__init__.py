"""HTTP and sockets; no rules of the domain."""
