"""What is measured on a GPU: minifloat's operators by each backend, and what they must equal."""
