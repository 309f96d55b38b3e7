"""Settings: params.yaml as checked objects, and the names that it may hold."""
