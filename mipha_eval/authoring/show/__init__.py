"""Looking at a benchmark before it is run: what it is, and some of its questions."""
