"""How other suites read answers and add them up, a module a suite."""
