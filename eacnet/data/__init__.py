"""Raw datasets -> prepared store -> training samples."""
