"""Label ids by name: scenes are labelled as Cityscapes is."""

from eacnet.labels import CITYSCAPES

ID = {label.name: label.id for label in CITYSCAPES}
