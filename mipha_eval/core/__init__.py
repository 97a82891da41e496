"""Values and contracts that everything else is made of."""
