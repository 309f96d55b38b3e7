"""What `eacnet verify` does: the figures of a report rebuilt and compared."""
