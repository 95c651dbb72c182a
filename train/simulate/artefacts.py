"""What stands between tissue and file: lens, glare, bubbles, tools, sensor, masks, compression.

Pictures are (H, W, 3) float32 RGB in display range 0..1 unless stated.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.simulate.tissue import tissues

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


def lens(picture: Floats, rng: np.random.Generator) -> Floats:
    """Vignette, blur, motion blur and colour fringes."""
    size = picture.shape[0]
    v, u = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    shade = 1 - rng.uniform(0, 0.55) * np.clip(u**2 + v**2, 0, 2) ** rng.uniform(0.8, 2) / 2
    picture = picture * shade[..., None].astype(np.float32)
    if rng.random() < 0.6:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.6)), np.float32)
    if rng.random() < 0.15:
        length, angle = int(rng.integers(3, 11)), rng.uniform(0, 180)
        kernel: Any = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1
        turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), angle, 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        kernel = kernel / max(float(kernel.sum()), 1e-3)
        picture = np.asarray(cv2.filter2D(picture, -1, kernel), np.float32)
    if rng.random() < 0.25:
        red = np.roll(picture[..., 0], int(rng.integers(-2, 3)), axis=int(rng.integers(2)))
        picture = np.dstack([red, picture[..., 1:]])
    return np.asarray(picture, np.float32)


def glare(picture: Floats, rng: np.random.Generator) -> Floats:
    """Wet sheets and clusters of highlights that follow no geometry."""
    size = picture.shape[0]
    if rng.random() < 0.25:
        tile = tissues()[int(rng.integers(12))].tile[..., 2]
        x, y = rng.integers(0, tile.shape[0] - size, 2)
        fine = cv2.GaussianBlur(tile[y : y + size, x : x + size], (0, 0), rng.uniform(0.7, 2.5))
        fine = fine / (fine.std() + 1e-6)
        centre = rng.uniform(0, size, 2)
        v, u = np.mgrid[:size, :size]
        patch = np.exp(-((u - centre[0]) ** 2 + (v - centre[1]) ** 2) / rng.uniform(15, 60) ** 2)
        light = np.clip((fine - rng.uniform(1.0, 2.2)) * rng.uniform(1, 4), 0, 1) * patch
        picture = picture + light[..., None].astype(np.float32)
    if rng.random() < 0.12:
        v, u = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.1)
        ramp = np.clip(np.cos(angle) * u + np.sin(angle) * v - offset, 0, None)
        sheet = rng.uniform(0.3, 1.6) * ramp
        picture = picture + sheet[..., None].astype(np.float32)
    return picture


def bubbles(picture: Floats, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Bubbles and foam; returns the picture and where they are."""
    size = picture.shape[0]
    where = np.zeros((size, size), np.uint8)
    if rng.random() >= 0.12:
        return picture, where.astype(bool)
    picture = picture.copy()
    middle = rng.uniform(0, size, 2)
    for _ in range(int(rng.integers(3, 40))):
        x, y = (middle + rng.normal(0, 35, 2)).astype(int)
        radius = int(rng.integers(2, 12))
        bright = float(rng.uniform(0.6, 1.0))
        cv2.circle(
            picture, (int(x), int(y)), radius, (bright, bright, bright * 0.9), 1, cv2.LINE_AA
        )
        spot = (int(x - radius * 0.4), int(y - radius * 0.4))
        cv2.circle(picture, spot, max(1, radius // 4), (1.0, 1.0, 1.0), -1, cv2.LINE_AA)
        cv2.circle(where, (int(x), int(y)), radius, 1, -1)
    return picture, where.astype(bool)


def tool(picture: Floats, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """A snare sheath, forceps, wire or cap that enters from the border, and where it is."""
    size = picture.shape[0]
    where = np.zeros((size, size), np.uint8)
    if rng.random() >= 0.16:
        return picture, where.astype(bool)
    angle = rng.uniform(0, 2 * np.pi)
    border = size / 2 + size * 0.75 * np.array([np.cos(angle), np.sin(angle)])
    tip = size / 2 + rng.uniform(-0.3, 0.3, 2) * size
    axis = (tip - border) / np.linalg.norm(tip - border)
    across = np.array([-axis[1], axis[0]])
    wide, narrow = rng.uniform(8, 34), rng.uniform(4, 18)
    corners = np.array(
        [
            border + across * wide,
            tip + across * narrow,
            tip - across * narrow,
            border - across * wide,
        ]
    )
    cv2.fillPoly(where, [np.round(corners * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    v, u = np.mgrid[:size, :size].astype(np.float32)
    offset = ((u - tip[0]) * across[0] + (v - tip[1]) * across[1]) / max(narrow, 1)
    colours = [[0.25, 0.45, 0.8], [0.9, 0.9, 0.92], [0.15, 0.15, 0.17], [0.85, 0.75, 0.3],
               [0.3, 0.7, 0.45], [0.6, 0.6, 0.62]]  # fmt: skip
    colour = np.array(colours[int(rng.integers(len(colours)))], np.float32)
    light = 0.35 + 0.75 * np.exp(-((offset - rng.uniform(-0.5, 0.5)) ** 2) * 2.5)
    if rng.random() < 0.3:
        along = (u - tip[0]) * axis[0] + (v - tip[1]) * axis[1]
        light = light * (0.8 + 0.3 * np.sign(np.sin(along / rng.uniform(2, 7))))
    painted = np.clip(light[..., None] * colour * rng.uniform(0.5, 1.2), 0, 1.1)
    soft = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 0.8)[..., None]
    return np.asarray(picture * (1 - soft) + painted * soft, np.float32), where.astype(bool)


def sensor(picture: Floats, rng: np.random.Generator) -> Floats:
    """Sharpening halos as processors add them, shot noise, and read noise."""
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 2.5))
        picture = picture + rng.uniform(0.2, 1.4) * (picture - soft)
    if rng.random() < 0.7:
        level = rng.uniform(0.002, 0.035)
        shape = picture.shape if rng.random() < 0.5 else (*picture.shape[:2], 1)
        noise = rng.standard_normal(shape, dtype=np.float32)
        picture = picture + noise * level * np.sqrt(np.clip(picture, 0.02, 1))
    return np.clip(picture, 0, 1)


def field_of_view(size: int, rng: np.random.Generator) -> Bools:
    """(size, size): where the endoscope's picture is. Circle, octagon, rectangle or all."""
    kind = rng.random()
    mask = np.zeros((size, size), np.uint8)
    aspect = rng.uniform(0.75, 1.0)
    half_w, half_h = size / 2, size / 2 * aspect
    if rng.random() < 0.12:
        half_w, half_h = half_h, half_w
    middle = (size - 1) / 2
    if kind < 0.2:
        return np.ones((size, size), dtype=bool)
    if kind < 0.45:
        v, u = np.mgrid[:size, :size]
        circle = np.hypot(u - middle, v - middle) <= size / 2 * rng.uniform(1.0, 1.15)
        cut_off = (np.abs(v - middle) <= half_h) & (np.abs(u - middle) <= half_w)
        return np.asarray(circle & cut_off)
    cut = rng.uniform(0.0, 0.55) * min(half_w, half_h) if kind < 0.85 else 0.0
    corners = [
        (-half_w + cut, -half_h), (half_w - cut, -half_h), (half_w, -half_h + cut),
        (half_w, half_h - cut), (half_w - cut, half_h), (-half_w + cut, half_h),
        (-half_w, half_h - cut), (-half_w, -half_h + cut),
    ]  # fmt: skip
    polygon = np.round((np.array(corners) + middle) * 16).astype(np.int32)
    cv2.fillPoly(mask, [polygon], 1, cv2.LINE_8, 4)
    return mask.astype(bool)


def surround(picture: Floats, view: Bools, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Black (or nearly) outside the field of view, now and then with burnt-in text or an inset."""
    image = (np.where(view[..., None], picture, rng.uniform(0, 0.06)) * 255 + 0.5).astype(np.uint8)
    size = image.shape[0]
    if rng.random() < 0.2:
        canvas = image.copy()
        for _ in range(int(rng.integers(1, 5))):
            text = "".join(rng.choice(list("0123456789:/ ABCDEGHMNPR"), int(rng.integers(4, 12))))
            where = (int(rng.integers(0, size - 60)), int(rng.integers(10, size)))
            bright = int(rng.integers(140, 256))
            cv2.putText(canvas, text, where, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.25, 0.5),
                        (bright, bright, bright), 1, cv2.LINE_AA)  # fmt: skip
        if rng.random() < 0.5:
            w, h = int(rng.integers(40, 90)), int(rng.integers(40, 80))
            colour = [(0, 60, 20), (0, 0, 60), (30, 30, 30)][int(rng.integers(3))]
            cv2.rectangle(canvas, (0, size - h), (w, size), colour, -1)
            line = np.array([w / 2, size - h / 2]) + np.cumsum(rng.normal(0, 6, (20, 2)), axis=0)
            cv2.polylines(canvas, [line.astype(np.int32)], False, (90, 230, 120), 2, cv2.LINE_AA)
        image = np.where(view[..., None], image, canvas) if rng.random() < 0.85 else canvas
    return image


def compress(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Rescaling and JPEG, as files come."""
    size = image.shape[0]
    made: Any = image
    if rng.random() < 0.3:
        small = int(size * rng.uniform(0.5, 0.95))
        made = cv2.resize(made, (small, small), interpolation=cv2.INTER_AREA)
        made = cv2.resize(made, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))]
        made = cv2.imdecode(cv2.imencode(".jpg", made, quality)[1], cv2.IMREAD_COLOR)
    return np.asarray(made, np.uint8)
