"""A comparison of runs as Markdown, HTML, JSON and on a terminal."""
