"""Databases that outgrow one machine: what they take, measured and planned.

`docs/performance/scale.md` has the figures.
"""
