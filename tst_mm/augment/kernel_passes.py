"""The passes of :mod:`tst_mm.augment.kernel`, an operator or a group of operators each, in Triton.

``work`` points to the channels of one image, one after the other, with values in [0, 1]; tiles of
``TILE`` pixels are read and written in turn.
"""

import triton
import triton.language as tl


@triton.jit
def _limited(values):
    return tl.minimum(tl.maximum(values, 0.0), 1.0)


@triton.jit
def _blend(extreme, values, factor):
    """``extreme + factor * (values - extreme)``, rounded as torch.lerp rounds."""
    near = extreme + factor * (values - extreme)
    far = values - (values - extreme) * (1.0 - factor)
    return _limited(tl.where(tl.abs(factor) < 0.5, near, far))


@triton.jit
def _grey(work, weights, offsets, inside, pixels, C: tl.constexpr):
    """The weighted mean of the channels."""
    grey = tl.zeros_like(offsets).to(tl.float32)
    for c in tl.static_range(C):
        weight = tl.load(weights + c) if C == 3 else 1.0
        grey += weight * tl.load(work + c * pixels + offsets, inside, 0.0)
    return grey


@triton.jit
def change_single(work, pixels, kind, level, limit, C: tl.constexpr, TILE: tl.constexpr):
    """Operators for which a channel's new value depends on its old one only."""
    factor = 1.0 + limit * level
    steps = tl.exp2(7.994353436858858 - (8.0 - limit) * level)
    least = 256.0 / 255 - 1e-3 / 255 - (256.0 - limit) / 255 * level
    for start in range(0, C * pixels, TILE):
        offsets = start + tl.arange(0, TILE)
        inside = offsets < C * pixels
        values = tl.load(work + offsets, inside, 0.0)
        if kind == 0:  # Brightness
            values = _limited(values * factor)
        elif kind == 1:  # Invert
            values = 1.0 - values
        elif kind == 2:  # Posterize
            values = tl.floor(values * steps + 1e-3) / steps
        else:  # Solarize
            values = tl.where(values >= least, 1.0 - values, values)
        tl.store(work + offsets, values, inside)


@triton.jit
def change_colors(
    work, weights, pixels, kind, level, limit, turn, C: tl.constexpr, TILE: tl.constexpr
):
    """Operators for which a pixel's new channels depend on its old ones."""
    factor = 1.0 + limit * level
    angle = turn * level * limit * 6.283185307179586
    cosine, sine = tl.cos(angle), tl.sin(angle)
    for start in range(0, pixels, TILE):
        offsets = start + tl.arange(0, TILE)
        inside = offsets < pixels
        grey = _grey(work, weights, offsets, inside, pixels, C)
        if kind == 4:  # Color
            for c in tl.static_range(C):
                values = tl.load(work + c * pixels + offsets, inside, 0.0)
                tl.store(work + c * pixels + offsets, _blend(grey, values, factor), inside)
        elif kind == 5:  # Grey
            for c in tl.static_range(C):
                tl.store(work + c * pixels + offsets, grey, inside)
        elif C == 3:  # Hue
            first = tl.load(work + offsets, inside, 0.0) - grey
            second = tl.load(work + pixels + offsets, inside, 0.0) - grey
            third = tl.load(work + 2 * pixels + offsets, inside, 0.0) - grey
            # The cross product with the grey axis turns by a right angle.
            one = (third - second) / 1.7320508075688772
            two = (first - third) / 1.7320508075688772
            three = (second - first) / 1.7320508075688772
            mean = (
                tl.load(weights) * one + tl.load(weights + 1) * two + tl.load(weights + 2) * three
            )
            tl.store(work + offsets, _limited(grey + cosine * first + sine * (one - mean)), inside)
            tl.store(
                work + pixels + offsets,
                _limited(grey + cosine * second + sine * (two - mean)),
                inside,
            )
            tl.store(
                work + 2 * pixels + offsets,
                _limited(grey + cosine * third + sine * (three - mean)),
                inside,
            )


@triton.jit
def contrast(work, weights, high, wide, rows, columns, factor, C: tl.constexpr, TILE: tl.constexpr):
    """Blend with the mean grey value of the valid area of ``rows`` times ``columns`` pixels."""
    pixels = high * wide
    total = tl.zeros((TILE,), tl.float32)
    for start in range(0, pixels, TILE):
        offsets = start + tl.arange(0, TILE)
        valid = (offsets // wide < rows) & (offsets % wide < columns)
        total += _grey(work, weights, offsets, valid, pixels, C)
    mean = tl.sum(total, 0) / (rows * columns).to(tl.float32)
    for start in range(0, C * pixels, TILE):
        offsets = start + tl.arange(0, TILE)
        inside = offsets < C * pixels
        values = tl.load(work + offsets, inside, 0.0)
        tl.store(work + offsets, _blend(mean, values, factor), inside)


@triton.jit
def sharpen(work, spare, high, wide, rows, columns, factor, C: tl.constexpr, TILE: tl.constexpr):
    """Blend with the image smoothed by Pillow's kernel; the border of the valid area stays."""
    pixels = high * wide
    tl.debug_barrier()
    for c in tl.static_range(C):
        for start in range(0, pixels, TILE):
            offsets = start + tl.arange(0, TILE)
            y, x = offsets // wide, offsets % wide
            values = tl.load(work + c * pixels + offsets, offsets < pixels, 0.0)
            inner = (y > 0) & (x > 0) & (y < rows - 1) & (x < columns - 1)
            total = 4.0 * values
            for i in tl.static_range(3):
                for j in tl.static_range(3):
                    place = work + c * pixels + offsets + (i - 1) * wide + j - 1
                    total += tl.load(place, inner, 0.0)
            smooth = tl.where(inner, total / 13.0, values)
            new = _blend(smooth, values, factor)
            tl.store(spare + c * pixels + offsets, new, offsets < pixels)
    tl.debug_barrier()
    for start in range(0, C * pixels, TILE):
        offsets = start + tl.arange(0, TILE)
        inside = offsets < C * pixels
        tl.store(work + offsets, tl.load(spare + offsets, inside, 0.0), inside)
    tl.debug_barrier()


@triton.jit
def equalize(work, table, high, wide, rows, columns, C: tl.constexpr, TILE: tl.constexpr):
    """Send each channel through the look-up table of Pillow."""
    pixels = high * wide
    entry = tl.arange(0, 256)
    for c in tl.static_range(C):
        counts = tl.zeros((256,), tl.int32)
        for start in range(0, pixels, TILE):
            offsets = start + tl.arange(0, TILE)
            valid = (offsets < pixels) & (offsets // wide < rows) & (offsets % wide < columns)
            values = tl.load(work + c * pixels + offsets, valid, 0.0)
            bins = tl.floor(values * 255.0 + 0.5).to(tl.int32)
            counts += tl.histogram(tl.minimum(tl.maximum(bins, 0), 255), 256, valid)
        below = tl.cumsum(counts, 0) - counts
        step = tl.max(tl.where(counts > 0, below, 0), 0) // 255
        new = tl.minimum((below + step // 2) // tl.maximum(step, 1), 255)
        new = tl.where(step > 0, new, entry)
        tl.debug_barrier()  # the last channel's table has been read
        tl.store(table + entry, new.to(tl.float32) / 255.0)
        tl.debug_barrier()
        for start in range(0, pixels, TILE):
            offsets = start + tl.arange(0, TILE)
            inside = offsets < pixels
            values = tl.load(work + c * pixels + offsets, inside, 0.0)
            bins = tl.floor(values * 255.0 + 0.5).to(tl.int32)
            bins = tl.minimum(tl.maximum(bins, 0), 255)
            tl.store(work + c * pixels + offsets, tl.load(table + bins), inside)


@triton.jit
def corner(work, y, x, wide, rows, columns, scale, offset):
    """The normalised value at (y, x); 0 outside of the valid area."""
    valid = (y >= 0) & (x >= 0) & (y < rows) & (x < columns)
    values = tl.load(work + y * wide + x, valid, 0.0)
    return tl.where(valid, values * scale + offset, 0.0)
