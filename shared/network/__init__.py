"""The network, as `web`, `realtime` and `holdfast up` share it: addresses, ports, and files for connections."""
