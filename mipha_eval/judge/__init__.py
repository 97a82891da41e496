"""Grading answers with a judge model: what is asked, who is asked, and what became of every reply."""
