"""Databases that outgrow one machine: what they take, measured and planned (`docs/scale.md`)."""
