"""The backbones and whole networks, one file each."""
