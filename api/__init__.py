"""HTTP and sockets. The rules of the domain are in `shared/actions/`, not here."""
