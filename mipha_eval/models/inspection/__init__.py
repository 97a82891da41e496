"""What a checkpoint is, told by its settings and the headers of its files, before a weight is read."""
