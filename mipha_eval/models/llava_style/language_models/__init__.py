"""Language models, a file a kind. Another one is one more file, named by the layouts that have it."""
