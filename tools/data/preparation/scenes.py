"""Scenes composed from Fashion-MNIST items on textured ground, with exact labels."""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from .cutouts import CLASSES, Cutouts
from .texture import random_ground, random_tint

GROUND = -1
FRAGMENT = -2
_TRIES = 12  # to find a place that leaves the other things visible
_MIN_VISIBLE = 0.35  # of the whole item, counting what lies outside the image
_MIN_PIXELS = 30


@dataclass
class Thing:
    """One labelled thing of a scene.

    Attributes:
        label: The index of the thing's class in :data:`CLASSES`.
        crowd: Whether it is a pile of small items with one label, COCO's ``iscrowd``. Defaults to
            False.
        area: The number of pixels that it would have if nothing hid it.
        sources: The indices of the items that it is made of.
    """

    label: int
    crowd: bool = False
    area: float = 0.0
    sources: list[int] = field(default_factory=list)


@dataclass
class Scene:
    """A composed image with its labels.

    Attributes:
        image: The picture, (H, W, 3) uint8 RGB.
        owner: What is seen at each pixel, (H, W) int16: an index into ``things``, GROUND, or
            FRAGMENT (a scrap of an item, too small to be named).
        things: The labelled things in the scene.
        sources: The indices of all items used, those of fragments too.
    """

    image: np.ndarray
    owner: np.ndarray
    things: list[Thing]
    sources: list[int]

    def label_map(self, ignore_index: int = 255) -> np.ndarray:
        """Class of every pixel, (H, W) uint8: 0 ground, 1 … the classes, fragments ignored."""
        values = [thing.label + 1 for thing in self.things] + [ignore_index, 0]
        return np.array(values, np.uint8)[self.owner]  # FRAGMENT and GROUND index from the end


class SceneComposer:
    """Composes scenes from the items of one split.

    Args:
        cutouts: The items that scenes are composed of.
        size: The height and width of a scene in pixels.
        things: The fewest and the most things in a scene. Defaults to (2, 6).
        scales: The smallest and the largest side of an item, relative to the shorter side of the
            scene. Defaults to (0.2, 0.6).
        crowd_rate: The part of the scenes, in [0, 1], that have a pile. Defaults to 0.1.
    """

    def __init__(
        self,
        cutouts: Cutouts,
        size: tuple[int, int],
        things: tuple[int, int] = (2, 6),
        scales: tuple[float, float] = (0.2, 0.6),
        crowd_rate: float = 0.1,
    ) -> None:
        self.cutouts = cutouts
        self.size = size
        self.things = things
        self.scales = scales
        self.crowd_rate = crowd_rate

    def compose(self, random: np.random.Generator) -> Scene:
        """Make one scene; it depends on the state of ``random`` only."""
        canvas = random_ground(*self.size, random)
        scene = Scene(canvas, np.full(self.size, GROUND, np.int16), [], [])
        for _ in range(random.integers(2, 6)):
            self._place_fragment(scene, random)
        if random.random() < self.crowd_rate:
            self._place_pile(scene, random)
        for _ in range(random.integers(self.things[0], self.things[1] + 1)):
            self._place_item(scene, random)
        noise = random.normal(0, random.uniform(1, 7), canvas.shape)
        scene.image = np.clip(canvas + noise, 0, 255).astype(np.uint8)
        return scene

    def _place_item(self, scene: Scene, random: np.random.Generator) -> None:
        """Add an item where it hides no other too much; a full scene stays as it is."""
        label = int(random.integers(len(CLASSES)))
        item = self.cutouts.draw(label, random)
        for _ in range(_TRIES):
            # uniform in the logarithm: small ones as often as large ones
            side = min(self.size) * math.exp(random.uniform(*np.log(self.scales)))
            layer = self._render(item, side, self._position(0.05, 0.95, random), random)
            area = float(self.cutouts.shape(item).sum()) * (side / 28) ** 2
            if _leaves_visible(scene, layer[..., 3] > 0.5, area):
                scene.things.append(Thing(label, area=area, sources=[item]))
                scene.sources.append(item)
                _paint(scene, layer, len(scene.things) - 1)
                return

    def _place_pile(self, scene: Scene, random: np.random.Generator) -> None:
        """Add a crowd: many small items of one class, close together."""
        pile = Thing(int(random.integers(len(CLASSES))), crowd=True)
        scene.things.append(pile)
        mark = len(scene.things) - 1
        middle = self._position(0.2, 0.8, random)
        for _ in range(random.integers(6, 12)):
            item = self.cutouts.draw(pile.label, random)
            side = min(self.size) * random.uniform(0.12, 0.17)
            centre = middle + random.normal(0, 0.09 * min(self.size), 2)
            _paint(scene, self._render(item, side, centre, random), mark)
            pile.sources.append(item)
        scene.sources += pile.sources
        pile.area = float((scene.owner == mark).sum())

    def _place_fragment(self, scene: Scene, random: np.random.Generator) -> None:
        """Add a scrap of an item as clutter."""
        item = self.cutouts.draw(int(random.integers(len(CLASSES))), random)
        side = min(self.size) * random.uniform(0.15, 0.4)
        centre = self._position(0, 1, random)
        layer = self._render(item, side, centre, random)
        corner = centre + side * random.uniform(-0.4, 0.1, 2)
        left, top = np.maximum(corner, 0).astype(int)
        right, bottom = np.maximum(corner + 0.3 * side, 0).astype(int)
        layer[:top, :, 3] = layer[bottom:, :, 3] = 0
        layer[:, :left, 3] = layer[:, right:, 3] = 0
        scene.sources.append(item)
        _paint(scene, layer, FRAGMENT)

    def _position(self, low: float, high: float, random: np.random.Generator) -> np.ndarray:
        """A point (x, y) in pixels, between two parts of the scene's extent."""
        return random.uniform(low, high, 2) * (self.size[1], self.size[0])

    def _render(
        self, item: int, side: float, centre: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """An item alone on the scene's canvas, (H, W, 4) float32: RGB in 0-255, opacity in 0-1."""
        grey = self.cutouts.images[item][..., None] / 255
        dark, bright = random_tint(random)
        source = np.dstack([dark + (bright - dark) * grey, self.cutouts.shape(item)])
        # one more pixel of the dark colour around, so that the outline is not mixed with black
        colour, opacity = source[..., :3], np.pad(source[..., 3], 1)
        source = np.dstack([np.pad(colour, ((1, 1), (1, 1), (0, 0)), 'edge'), opacity])
        angle, stretch = math.radians(random.uniform(-25, 25)), random.uniform(0.9, 1.1)
        cos, sin = math.cos(angle), math.sin(angle)
        flip = random.choice((-1.0, 1.0))
        turn = np.array([[cos, -sin], [sin, cos]]) @ np.diag([flip * stretch, 1 / stretch])
        turn *= side / 28
        # pixel i covers i … i + 1, and cv2 puts its middle at i: the item's middle is at 14.5
        shift = centre - 0.5 - turn @ (14.5, 14.5)
        layer = cv2.warpAffine(
            source.astype(np.float32),
            np.column_stack([turn, shift]),
            (self.size[1], self.size[0]),
            flags=cv2.INTER_LINEAR,
        )
        layer[..., 3] = np.clip(2 * layer[..., 3] - 0.5, 0, 1)  # a narrower outline
        return layer


def _leaves_visible(scene: Scene, mask: np.ndarray, area: float) -> bool:
    """Whether a new thing and all older ones would be seen well enough."""
    if mask.sum() < max(_MIN_VISIBLE * area, _MIN_PIXELS):
        return False
    for mark, thing in enumerate(scene.things):
        left = int(((scene.owner == mark) & ~mask).sum())
        if left < max(_MIN_VISIBLE * thing.area, _MIN_PIXELS):
            return False
    return True


def _paint(scene: Scene, layer: np.ndarray, mark: int) -> None:
    """Put a layer on top of the scene, in place."""
    opacity = layer[..., 3:]
    scene.image += opacity * (layer[..., :3] - scene.image)
    scene.owner[opacity[..., 0] > 0.5] = mark
