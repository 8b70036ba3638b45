"""One answer from many machines."""
