"""Colours and grounds of composed scenes."""

import cv2
import numpy as np


def random_tint(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the colours of the darkest and the brightest pixel of an item, (3,) each, in 0-255."""
    hue, saturation = random.uniform(0, 180), random.uniform(0, 180)
    dark, bright = random.uniform(10, 90), random.uniform(150, 255)
    pair = np.array([[[hue, saturation, dark], [hue, saturation, bright]]], np.uint8)
    rgb = cv2.cvtColor(pair, cv2.COLOR_HSV2RGB)[0].astype(np.float32)
    return rgb[0], rgb[1]


def random_ground(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Draw a textured ground: coloured noise of several scales, crossed by strokes and patches.

    Returns:
        The image, (H, W, 3) float32 in 0-255.
    """
    ground = np.empty((height, width, 3), np.float32)
    ground[:] = random.uniform(40, 215, 3)
    for cells, strength in ((2, 35), (6, 20), (20, 12), (60, 8)):
        noise = random.normal(0, strength, (cells, cells, 3)).astype(np.float32)
        noise *= random.uniform(0.3, 1)
        ground += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(random.integers(4, 10)):
        _draw_stroke(ground, random)
    return np.clip(ground, 0, 255)


def _draw_stroke(ground: np.ndarray, random: np.random.Generator) -> None:
    """Put one half-transparent line, ellipse or polygon on the ground, in place."""
    height, width = ground.shape[:2]
    layer = np.zeros((height, width), np.float32)
    points = (random.uniform(-0.1, 1.1, (4, 2)) * (width, height)).astype(int)
    kind = random.integers(3)
    if kind == 0:
        thickness = int(random.integers(1, 5))
        cv2.line(layer, points[0].tolist(), points[1].tolist(), 1.0, thickness, cv2.LINE_AA)
    elif kind == 1:
        axes = (random.uniform(0.02, 0.25, 2) * min(height, width)).astype(int) + 1
        angle = random.uniform(0, 180)
        cv2.ellipse(layer, points[0].tolist(), axes.tolist(), angle, 0, 360, 1.0, -1, cv2.LINE_AA)
    else:
        centre = points[0]
        corners = centre + (points[:3] - points[:3].mean(axis=0)) * random.uniform(0.1, 0.4)
        cv2.fillPoly(layer, [corners.astype(np.int32)], 1.0, cv2.LINE_AA)
    alpha = (layer * random.uniform(0.25, 0.8))[..., None]
    ground += alpha * (random.uniform(0, 255, 3) - ground)
