"""What ranks exchange: bytes over gloo, with whoever fails or is lost named to all."""
