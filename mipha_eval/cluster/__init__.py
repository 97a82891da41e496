"""Many workers for one run: processes on this machine's devices or on a cluster's nodes, started by Ray."""
