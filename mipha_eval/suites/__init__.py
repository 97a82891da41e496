"""What other evaluation suites write and how they read it; pure, and without their packages."""
