"""How fast minifloat is on a GPU, against the GPU's own limits and against other packages.

`python -m benchmarks.gpu --help` says what can be measured.
"""
