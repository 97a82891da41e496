"""Tables of questions that anybody made: which files, which columns, what a cell means."""
