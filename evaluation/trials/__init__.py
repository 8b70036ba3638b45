"""Trials: which pairs of recordings are compared, and how often draws of speakers count each."""
