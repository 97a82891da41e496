"""Second implementations of official scorers, written from the rules, sharing no code with the library."""
