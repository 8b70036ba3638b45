"""How fast minifloat is, against the machine's own copy and against other packages.

`python -m benchmarks --help` says what can be measured.
"""
