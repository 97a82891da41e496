"""How Mipha-Tiny was trained; not in the wheel."""
