"""Plots of a table for papers: PDF and PNG that are readable in greyscale, with their numbers as CSV beside."""
