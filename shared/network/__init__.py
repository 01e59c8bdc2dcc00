"""What `web`, `realtime` and `holdfast up` share about the network: addresses, ports, and files for connections."""
