"""Drawings of a student's result beside the expected one, made without pyplot."""

import math

import numpy as np
from matplotlib.figure import Figure

from tlcourse.lessons.ch01_concepts.exercises.backbones import is_statistic

YOURS, EXPECTED = "#D55E00", "#0072B2"  # vermilion and blue: told apart by every reader


def draw_counts(counts, per_class) -> Figure:
    """Draw how many labels of each class were drawn."""
    figure = Figure(figsize=(5, 2.4), layout="constrained")
    axes = figure.add_subplot(xlabel="class", ylabel="labels drawn", xticks=range(len(counts)))
    axes.bar(range(len(counts)), counts, color=YOURS, hatch="//", edgecolor="white", label="yours")
    axes.axhline(per_class, color=EXPECTED, linewidth=2, label=f"expected: {per_class} each")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def draw_intervals(yours, expected) -> Figure:
    """Draw two intervals (low, mean, high), one above the other."""
    figure = Figure(figsize=(5, 1.8), layout="constrained")
    axes = figure.add_subplot(xlabel="difference in accuracy", ylim=(-0.6, 1.6))
    axes.set_yticks([0, 1], ["expected", "yours"])
    axes.axvline(0, color="0.6", linewidth=1)
    for y, (low, mean, high), color, marker in [
        (0, expected, EXPECTED, "o"),
        (1, yours, YOURS, "s"),
    ]:
        axes.plot([low, high], [y, y], color=color, linewidth=3)
        axes.plot([mean], [y], marker, color=color, markersize=9)
    return figure


def draw_curve(budgets, accuracy, target, yours, expected) -> Figure:
    """Draw a label-efficiency curve and both crossings of the target."""
    figure = Figure(figsize=(5.5, 2.8), layout="constrained")
    axes = figure.add_subplot(xlabel="labels a class", ylabel="accuracy", xscale="log")
    axes.plot(budgets, accuracy, "o-", color="0.35", label="the curve")
    axes.axhline(target, color="0.6", linestyle=":", label="target")
    for where, color, style, name in [
        (expected, EXPECTED, "-", "expected"),
        (yours, YOURS, "--", "yours"),
    ]:
        inside = math.isfinite(where) and 0 < where < 100 * budgets[-1]
        label = name if inside else f"{name}: {where:g}"
        axes.axvline(where if inside else np.nan, color=color, linestyle=style, label=label)
    axes.set_xticks(budgets, [str(budget) for budget in budgets])
    axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def draw_moves(before: dict, after: dict) -> Figure:
    """Draw how far each entry moved, relative to its size; the expected length is zero."""
    names = [name for name in before if name in after]
    far = [
        float((after[n].double() - before[n].double()).norm() / (1e-9 + before[n].double().norm()))
        for n in names
    ]
    colors = ["#0072B2" if is_statistic(name) else "#D55E00" for name in names]
    hatches = ["//" if is_statistic(name) else "" for name in names]
    figure = Figure(figsize=(6.5, 0.6 + 0.22 * len(names)), layout="constrained")
    axes = figure.add_subplot(xlabel="relative change in 3 training steps (expected: 0)")
    axes.barh(names, far, color=colors, hatch=hatches, edgecolor="white")
    axes.invert_yaxis()
    axes.set_title("plain: weights · hatched: BatchNorm statistics", fontsize=9, loc="left")
    return figure
