"""Other suites' answer files, a module a suite, recognised by what is in them."""
