"""What the benchmarks are made of: systems, load, clients, a fake model, tables."""
