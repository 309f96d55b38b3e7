"""Running trained networks fast: runtimes, precisions, exports."""
