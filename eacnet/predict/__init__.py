"""What `eacnet predict` does: images and videos in, label maps and overlays out."""
