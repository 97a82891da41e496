"""How far the program is: a line a task on a terminal, one line in a notebook, plain lines now and then elsewhere."""
