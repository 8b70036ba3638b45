"""Folders of speakers out of a local copy of VoxTube, as the separation study took them."""
