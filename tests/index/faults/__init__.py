"""What can befall the folder of an index, done to it on purpose."""
