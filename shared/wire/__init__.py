"""The shapes on the wire, one file for each noun. No module here makes a query or knows a rule of the domain."""
