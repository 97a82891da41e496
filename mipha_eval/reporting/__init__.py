"""Tables and pages: pure functions of stored runs."""
