# SPDX-License-Identifier: GPL-2.0-only
"""Draws what scripts/bench measured, as an SVG that needs nothing beside it and can be
read on white and on black."""

import math
import re

COLORS = {"stock": "#888888", "c": "#3a86c8", "rust": "#d9652b"}
CURVE = re.compile(r"(.*)_(\d+)$")
WIDTH, LABEL, ROW, PANEL = 800, 250, 34, 200


def text(x, y, words, anchor="start", size=12, color="#808080"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" ' \
           f'fill="{color}">{words}</text>'


def line(x1, y1, x2, y2, color="#80808060"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"/>'


def step(top, lines):
    """A round distance, so that at most so many lines reach from 0 to top."""
    raw = max(top, 1e-9) / lines
    power = 10 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)


def bars(figures, names, top):
    """How much more than stock, in percent."""
    kernels = [kernel for kernel in figures if kernel != "stock"]
    more = {
        (kernel, name): 100 * (figures[kernel][name] / figures["stock"][name] - 1)
        for kernel in kernels
        for name in names
    }
    low, high = min(0, *more.values()), max(0, *more.values())
    unit = step(max(high - low, 0.1), 8)
    low, high = unit * math.floor(low / unit), unit * math.ceil(high / unit)
    scale = (WIDTH - LABEL - 70) / (high - low or unit)
    bottom = top + 30 + ROW * len(names)

    def at(value):
        return LABEL + (value - low) * scale

    yield text(0, top + 12, "more than stock, in percent", size=14)
    for i in range(round((high - low) / unit) + 1):
        x = at(low + i * unit)
        yield line(x, top + 24, x, bottom)
        yield text(x, bottom + 14, f"{low + i * unit:+.3g}", "middle")
    yield line(at(0), top + 24, at(0), bottom, "#808080")
    for row, name in enumerate(names):
        y = top + 30 + ROW * row
        yield text(LABEL - 50, y + 18, name, "end")
        for i, kernel in enumerate(kernels):
            value = more[kernel, name]
            left, right = sorted((at(0), at(value)))
            yield f'<rect x="{left:.1f}" y="{y + 13 * i:.1f}" width="{right - left:.1f}" ' \
                  f'height="11" fill="{COLORS[kernel]}"/>'
            beside, anchor = (right + 4, "start") if value >= 0 else (left - 4, "end")
            yield text(beside, y + 13 * i + 10, f"{value:+.2f}", anchor, 10, COLORS[kernel])


def curve(figures, name, counts, top, unit):
    """One measure against a count, whose axis is logarithmic; killing many is shown for
    each of them."""
    each = name.startswith("kill")
    points = {
        kernel: [(n, of[f"{name}_{n}"] / (n if each else 1)) for n in counts]
        for kernel, of in figures.items()
    }
    seen = [value for of in points.values() for _, value in of]
    distance = step((max(seen) - min(seen)) or max(seen), 4)
    low = distance * math.floor(min(seen) / distance)
    high = distance * math.ceil(max(seen) / distance)
    span = math.log(max(counts) / min(counts)) or 1

    def at(n, value):
        x = LABEL + (WIDTH - LABEL - 70) * math.log(n / min(counts)) / span
        return x, top + 24 + PANEL * (high - value) / (high - low or 1)

    yield text(0, top + 12, f"{name}: {unit}{' for each process' if each else ''}", size=14)
    for i in range(round((high - low) / distance) + 1):
        x, y = at(min(counts), low + i * distance)
        yield line(x, y, WIDTH - 70, y)
        yield text(x - 8, y + 4, f"{low + i * distance:,.0f}", "end")
    for n in counts:
        yield text(at(n, low)[0], top + PANEL + 40, f"{n:,}", "middle")
    for kernel, of in points.items():
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in of))
        yield f'<polyline points="{path}" fill="none" stroke="{COLORS[kernel]}" stroke-width="2"/>'
        for n, value in of:
            x, y = at(n, value)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLORS[kernel]}"/>'


def svg(figures, unit):
    """The whole picture of {kernel: {measure: value}}, stock among the kernels."""
    common = [name for name in figures["stock"] if all(name in of for of in figures.values())]
    curves = {}
    for name in common:
        match = CURVE.match(name)
        if match:
            curves.setdefault(match[1], []).append(int(match[2]))
    single = [name for name in common if not CURVE.match(name)]

    x, shapes = 0, []
    for kernel in figures:
        shapes.append(f'<rect x="{x}" y="4" width="12" height="12" fill="{COLORS[kernel]}"/>')
        shapes.append(text(x + 18, 15, kernel, size=14))
        x += 80
    top = 36
    shapes += bars(figures, single, top)
    top += 30 + ROW * len(single) + 44
    for name, counts in curves.items():
        shapes += curve(figures, name, sorted(counts), top, unit)
        top += PANEL + 70
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 {WIDTH + 20} {top}" ' \
           f'width="{WIDTH + 20}" height="{top}" font-family="sans-serif">'
    return "\n".join([head, *shapes, "</svg>"]) + "\n"
