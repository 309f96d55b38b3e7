"""Label ids by name: scenes are labelled as Cityscapes is."""

from eacnet.datasets.cityscapes import LABELS

ID = {label.name: label.id for label in LABELS}
