"""What runs other suites' own code on answers, in an environment where the suite is; nothing of this project is there.

Each file is a program: ``PYTHON FILE GIVEN RESULT``. It reads a benchmark's questions and rounds of answers to them, and
writes what the suite makes of it: for each round and number ``{name: {"number": ..., "best": ..., "worths": {id: ...},
"answers": {id: ...}, "asked": [id]}}``.
"""
