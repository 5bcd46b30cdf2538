"""The kernel of :mod:`tst_mm.augment.fused`, in Triton; importing it fails where there is none.

One program changes one image. An operator that acts is a pass over the image in tiles; what passes
read of each other's pixels lies in a work buffer in device memory, small enough for its caches.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from .kernel_passes import change_colors, change_single, contrast, corner, equalize, sharpen

#: The pixels that a program handles at a time.
_TILE = 1024


def augment_images(
    images: Tensor,
    host: Tensor,
    count: int,
    width: int,
    levels: tuple[Tensor, ...],
    flipped: bool,
) -> Tensor:
    """Launch the kernel.

    Args:
        images: The normalised images, (B, C, H, W), float32, C of 1 or 3.
        host: On the device, flat: a row of ``width`` numbers for each image, then the kind and the
            limit of each operator. A row has the gates and the levels of the N operators, the six
            upper entries of the inverse map, the y and x at which regions are erased, the height
            and width of the valid area, whether colours change and whether the image moves.
        count: The number of operators, N.
        width: The length of a row.
        levels: Per channel: scale and offset into [0, 1], scale and offset back, weight of grey.
        flipped: Whether channels are in the order blue, green, red.

    Returns:
        The changed images, in shape and strides of ``images``.
    """
    batch, channels, high, wide = images.shape
    out = torch.empty_like(images)
    work = images.new_empty(batch, 2, channels, high * wide)
    tables = images.new_empty(batch, 256)
    _augment[(batch,)](
        images,
        out,
        work,
        tables,
        host,
        *levels,
        high,
        wide,
        count,
        width,
        batch,
        *images.stride(),
        *out.stride(),
        step=0 if levels[0].numel() == 1 else 1,
        turn=-1.0 if flipped else 1.0,
        C=channels,
        TILE=_TILE,
        num_warps=8,
        enable_fp_fusion=False,
    )
    return out


@triton.jit
def _augment(
    images,
    out,
    work,
    tables,
    host,
    into_scale,
    into_offset,
    back_scale,
    back_offset,
    weights,
    high,
    wide,
    count,
    width,
    batch,
    image_b,
    image_c,
    image_h,
    image_w,
    out_b,
    out_c,
    out_h,
    out_w,
    step,
    turn,
    C: tl.constexpr,
    TILE: tl.constexpr,
):
    image = tl.program_id(0)
    pixels = high * wide
    row = host + image * width
    kinds = host + batch * width
    rest = row + 2 * count
    rows, columns = tl.load(rest + 8).to(tl.int32), tl.load(rest + 9).to(tl.int32)
    colored, moved = tl.load(rest + 10) > 0, tl.load(rest + 11) > 0
    images += image.to(tl.int64) * image_b
    out += image.to(tl.int64) * out_b
    work += image.to(tl.int64) * 2 * C * pixels
    tables += image * 256
    for c in tl.static_range(C):
        scale, offset = tl.load(into_scale + c * step), tl.load(into_offset + c * step)
        for start in range(0, pixels, TILE):
            offsets = start + tl.arange(0, TILE)
            inside = offsets < pixels
            place = offsets // wide * image_h + offsets % wide * image_w
            values = tl.load(images + c * image_c + place, inside, 0.0)
            values = tl.where(colored, values * scale + offset, values)
            tl.store(work + c * pixels + offsets, values, inside)
    tl.debug_barrier()  # tiles of all channels and of one are read by other threads
    for i in range(count):
        kind = tl.load(kinds + i).to(tl.int32)
        limit, level = tl.load(kinds + count + i), tl.load(row + count + i)
        if (tl.load(row + i) > 0) & (kind >= 0):
            if kind < 4:
                change_single(work, pixels, kind, level, limit, C, TILE)
            elif kind < 7:
                change_colors(work, weights, pixels, kind, level, limit, turn, C, TILE)
            elif kind == 7:
                contrast(work, weights, high, wide, rows, columns, 1.0 + limit * level, C, TILE)
            elif kind == 8:
                sharpen(
                    work,
                    work + C * pixels,
                    high,
                    wide,
                    rows,
                    columns,
                    1.0 + limit * level,
                    C,
                    TILE,
                )
            elif kind == 9:
                equalize(work, tables, high, wide, rows, columns, C, TILE)
            tl.debug_barrier()
    a, b, d = tl.load(rest), tl.load(rest + 1), tl.load(rest + 2)
    e, f, g = tl.load(rest + 3), tl.load(rest + 4), tl.load(rest + 5)
    centre_y, centre_x = tl.load(rest + 6), tl.load(rest + 7)
    shorter = tl.minimum(rows, columns).to(tl.float32)
    for start in range(0, pixels, TILE):
        offsets = start + tl.arange(0, TILE)
        y, x = offsets // wide, offsets % wide
        inside = offsets < pixels
        valid = inside & (y < rows) & (x < columns)
        at_y, at_x = y.to(tl.float32) + 0.5, x.to(tl.float32) + 0.5
        kept = valid
        for i in range(count):
            if (tl.load(row + i) > 0) & (tl.load(kinds + i) == 10):
                half = tl.load(row + count + i) * tl.load(kinds + count + i) / 2 * shorter
                near = (tl.abs(at_y - centre_y) <= half) & (tl.abs(at_x - centre_x) <= half)
                kept = kept & (near == 0)
        from_x, from_y = at_x * a + at_y * b + d - 0.5, at_x * e + at_y * f + g - 0.5
        left, top = tl.floor(from_x), tl.floor(from_y)
        right_part, low_part = from_x - left, from_y - top
        # Far outside, whole numbers of 32 bits would overflow.
        left = tl.minimum(tl.maximum(left, -2.0), wide + 1.0).to(tl.int32)
        top = tl.minimum(tl.maximum(top, -2.0), high + 1.0).to(tl.int32)
        for c in tl.static_range(C):
            scale = tl.where(colored, tl.load(back_scale + c * step), 1.0)
            offset = tl.where(colored, tl.load(back_offset + c * step), 0.0)
            plane = work + c * pixels
            if moved:
                values = (
                    corner(plane, top, left, wide, rows, columns, scale, offset)
                    * ((1 - right_part) * (1 - low_part))
                    + corner(plane, top, left + 1, wide, rows, columns, scale, offset)
                    * (right_part * (1 - low_part))
                    + corner(plane, top + 1, left, wide, rows, columns, scale, offset)
                    * ((1 - right_part) * low_part)
                    + corner(plane, top + 1, left + 1, wide, rows, columns, scale, offset)
                    * (right_part * low_part)
                )
            else:
                values = tl.load(plane + offsets, inside, 0.0) * scale + offset
            place = y * image_h + x * image_w
            padding = tl.load(images + c * image_c + place, inside & (valid == 0), 0.0)
            values = tl.where(valid, tl.where(kept, values, 0.0), padding)
            tl.store(out + c * out_c + y * out_h + x * out_w, values, inside)
