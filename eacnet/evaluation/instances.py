"""iIoU: the IoU in which every instance weighs the same, as Cityscapes defines it.

A small person counts as much as a large one: true pixels of an instance are weighted by the mean
size of its class over the instance's own size (Cordts et al., CVPR 2016, section 4.1). Predicted
pixels belong to no instance, so false positives count as they are.
"""

from dataclasses import dataclass, field

import numpy as np

from eacnet.datasets.labels import IGNORED, Label, trained
from eacnet.evaluation.scores import ratio


@dataclass
class InstanceCounts:
    """Weighted pixels of a dataset's instances, added up image by image.

    Args:
        table: what label ids mean.
        sizes: mean size in pixels of an instance, by the name of the class.
        step: an instance file holds step * label id + number, or an id below `step`.
    """

    table: tuple[Label, ...]
    sizes: dict[str, float]
    step: int
    hit: np.ndarray = field(init=False)
    hit_category: np.ndarray = field(init=False)
    true: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        classes = trained(self.table)
        self.names = [label.name for label in classes]
        self.categories = [label.category for label in classes]
        # The category of each train id, and none for IGNORED.
        order = list(dict.fromkeys(self.categories))
        self._category = np.full(256, IGNORED, np.uint8)
        self._category[: len(classes)] = [order.index(name) for name in self.categories]
        # The class of each value of an instance file.
        self._class = np.full(65536, IGNORED, np.uint8)
        for label in self.table:
            if label.train_id != IGNORED and label.name in self.sizes:
                first = self.step * label.id
                self._class[first : first + self.step] = label.train_id
        self.hit, self.hit_category, self.true = np.zeros((3, len(classes)))

    def add(self, prediction: np.ndarray, instances: np.ndarray) -> None:
        """Count an image.

        Args:
            prediction: train ids, uint8 (H,W).
            instances: pixels of its instance file, uint16 (H,W).
        """
        truth = self._class[instances]
        scored = truth != IGNORED
        ids, truth, found = instances[scored], truth[scored], prediction[scored]
        size = np.bincount(ids, minlength=65536)
        same = np.bincount(ids[found == truth], minlength=65536)
        close = self._category[found] == self._category[truth]
        near = np.bincount(ids[close], minlength=65536)
        for value in np.flatnonzero(size):
            number = self._class[value]
            mean = self.sizes[self.names[number]]
            self.true[number] += mean
            self.hit[number] += mean * same[value] / size[value]
            self.hit_category[number] += mean * near[value] / size[value]

    def class_iou(self, confusion: np.ndarray) -> dict[str, float]:
        """Return the iIoU of each class with instances, in [0, 1] or NaN where there is none.

        Args:
            confusion: pixels of the same images by true and predicted class, (K,K).
        """
        false = confusion.sum(0) - np.diagonal(confusion)
        iou = ratio(self.hit, self.true + false)
        return {name: float(iou[i]) for i, name in enumerate(self.names) if name in self.sizes}

    def category_iou(self, confusion: np.ndarray) -> dict[str, float]:
        """Return the iIoU of each category all of whose classes have instances; as above."""
        result = {}
        for category in dict.fromkeys(self.categories):
            labels = [label for label in self.table if label.category == category]
            if not all(label.name in self.sizes for label in labels):
                continue
            inside = np.array([name == category for name in self.categories])
            false = confusion[np.ix_(~inside, inside)].sum()
            true = self.true[inside].sum()
            result[category] = float(ratio(self.hit_category[inside].sum(), true + false))
        return result
