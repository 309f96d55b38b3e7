"""The datasets: classes, file layout and protocol of each, one file a dataset."""
