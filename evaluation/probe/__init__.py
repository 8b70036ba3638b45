"""The range probe: how large a model's values are on their way to its embedding."""
