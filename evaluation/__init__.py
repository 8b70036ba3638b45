"""Studies that tell what a minifloat format costs a speaker recognition system."""
