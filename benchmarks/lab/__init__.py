"""The parts of the benchmarks: systems, load, clients, a fake model, tables."""
