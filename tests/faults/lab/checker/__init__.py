"""The checker of the invariants that must hold after every fault."""
