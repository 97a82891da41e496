"""What runs other suites' own code on answers, in an environment where the suite is: a file a suite, of nothing of this project.

Each is a program: ``PYTHON FILE GIVEN RESULT``. It reads a benchmark's questions and rounds of answers to them, and writes for each round
and number what the suite makes of it: ``{name: {"number": ..., "best": ..., "worths": {id: ...}, "answers": {id: ...}, "asked": [id]}}``.
"""
