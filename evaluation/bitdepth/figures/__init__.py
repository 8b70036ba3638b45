"""The figures of the bit-depth study, one or two in each file."""
