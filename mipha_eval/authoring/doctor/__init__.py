"""Whether this machine has what mipha-eval needs, a point a line; nothing is changed, and nothing is downloaded."""
