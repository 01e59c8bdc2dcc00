"""All ways to break the evidence of a clean run, for the tests of the checker."""
