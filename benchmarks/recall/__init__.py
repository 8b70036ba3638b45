"""How many of the nearest rows each format finds, and other packages in as many bits."""
