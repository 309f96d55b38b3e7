"""Label ids by name: scenes are labelled as Cityscapes is."""

from eacnet.datasets.labels import CITYSCAPES

ID = {label.name: label.id for label in CITYSCAPES}
