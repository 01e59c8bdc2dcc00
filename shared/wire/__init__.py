"""The shapes on the wire, one file a noun; changes and events. Never a query, never a rule of the domain."""
