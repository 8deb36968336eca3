"""Figures, really rendered: nothing clipped, nothing by colour alone, each shown once."""

import itertools

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from tlcourse import experiment, plots
from tlcourse.experiment import interval
from tlcourse.verdicts import judging
from tlcourse.verdicts.entries import Entry
from tlcourse.verdicts.lesson import Judged

METHODS = list(plots.STYLES)
BUDGETS = [1, 2, 5, 10, 20, 50]
LEVELS = np.array([0.7, 0.8, 0.9, 0.95, 0.98, 0.99])


def noisy(mean, seed, seeds=5, spread=0.02):
    return mean + np.random.default_rng(seed).normal(scale=spread, size=(seeds, len(mean)))


def curves(mean, names=METHODS):
    return {name: noisy(mean - 0.03 * i, i) for i, name in enumerate(names)}


def pictures(n, side=16):
    return torch.rand((n, 1, side, side), generator=torch.Generator().manual_seed(0))


def label_efficiency():
    return plots.label_efficiency(BUDGETS, curves(LEVELS), "Real digits, source: letters")


def label_efficiency_on():
    given = curves(LEVELS[1::2], [METHODS[0], *METHODS[3:]])
    by_method = {name: [interval(v) for v in values.T] for name, values in given.items()}
    panels = dict.fromkeys(("MNIST", "USPS", "SEMEION"), by_method)
    return plots.label_efficiency_on([2, 5, 20], panels, "Digits of other people")


def paired_differences():
    names = [f"frozen features against {m}" for m in METHODS[:4]]
    rows = {name: noisy(np.array([0.1 - 0.03 * i]), i)[:, 0] for i, name in enumerate(names)}
    return plots.paired_differences(rows, "Two labels a class")


def image_grid():
    return plots.image_grid(pictures(23), [f"class {i}" for i in range(23)], columns=8)


def predictions():
    predicted = torch.arange(23) % 10
    labels = torch.where(torch.arange(23) % 5 == 0, (predicted + 1) % 10, predicted)
    return plots.predictions(pictures(23), labels, predicted, list("აბგდევზთიკ"))


def claims(unit):
    """Two claims on seeds around a small and a large effect."""
    values = (
        [[0.01, -0.02, 0.03], [0.09, 0.12, 0.1]]
        if unit == "accuracy"
        else [[1.1, 0.8, 1.3], [3, 4, 5]]
    )
    compare = experiment.paired if unit == "accuracy" else experiment.ratio
    found = []
    for seeds, words in zip(values, ("open", "better"), strict=True):
        d = compare(seeds, np.ones(3) if unit == "ratio" else np.zeros(3))
        entry = Entry("id", "H1.1", "text", "what", "a", "b", "better", unit, 3)
        margin = judging.MARGINS[unit][0]
        found.append(Judged(entry, d, 0.95, words, margin, np.array(seeds), np.array(seeds[:2])))
    return found


def judged():
    return plots.judged(
        claims("accuracy"), ["few labels", "many"], ("b better", "a better"), "Two claims"
    )


def judged_ratio():
    return plots.judged(claims("ratio"), ["steps", "time"], ("fewer", "more"), "Ratios")


CURVES = [label_efficiency, label_efficiency_on]
FIGURES = [*CURVES, paired_differences, judged, judged_ratio, image_grid, predictions]


# ── every figure ────────────────────────────────────────────────────────────────────────────


def texts(figure):
    """Every piece of text that is drawn, and its box in pixels."""
    figure.draw_without_rendering()
    unused = [t for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for t in not_drawn(axis)]
    found = [t for t in figure.findobj(matplotlib.text.Text) if t.get_visible() and t.get_text()]
    return [(t, t.get_window_extent()) for t in found if t not in unused]


def not_drawn(axis):
    """Tick labels that matplotlib prepares and leaves out: beyond the end, or of a hidden axis."""
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1
        for tick in axis.get_major_ticks()
        if not (axis.axes.axison and low <= tick.get_loc() <= high)
    ]


def clipped(figure):
    """The texts that lie partly outside the picture."""
    box = figure.bbox.padded(0.5)
    return [t.get_text() for t, at in texts(figure) if not is_inside(at, box)]


def is_inside(at, box):
    return box.x0 <= at.x0 and at.x1 <= box.x1 and box.y0 <= at.y0 and at.y1 <= box.y1


def overlaps(one, other):
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    return wide > 1 and min(one.y1, other.y1) - max(one.y0, other.y0) > 1


@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_is_small_and_whole_and_its_texts_can_be_read(draw, tmp_path):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    with matplotlib.rc_context():
        settings = dict(matplotlib.rcParams)
        figure = draw()
        (tmp_path / "figure.png").write_bytes(figure.png())
        assert dict(matplotlib.rcParams) == settings
    assert plt.get_fignums() == before, "a figure is left open"
    assert isinstance(figure, matplotlib.figure.Figure)
    assert (tmp_path / "figure.png").stat().st_size <= 40_000
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width <= 900 and 80 <= image.height <= 450
        assert len(image.convert("L").getcolors(256)) > 20, "an empty picture"
    assert len(texts(figure)) >= 10
    assert clipped(figure) == []
    for (one, at), (other, there) in itertools.combinations(texts(figure), 2):
        assert not overlaps(at, there), f"{one.get_text()!r} and {other.get_text()!r} overlap"
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert not any(overlaps(box, ax.get_window_extent()) for ax in figure.axes)
    assert len(figure.legends) == (draw in [*CURVES, judged, judged_ratio])


def test_the_checks_above_can_fail():
    figure = label_efficiency()
    figure.text(0.99, 0.5, "too far right")
    assert clipped(figure) == ["too far right"]
    boxes = {t.get_text(): at for t, at in texts(figure)}
    assert overlaps(boxes["too far right"], boxes["too far right"].translated(3, 3))


# ── colours, markers, lines ─────────────────────────────────────────────────────────────────

# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color
# vision deficiency", severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def seen(color, vision):
    """CIELAB coordinates of a colour as it is seen."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ np.clip(np.asarray(vision) @ linear, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, vision):
    return np.linalg.norm(seen(one, vision) - seen(other, vision))


def test_colours_differ_for_every_eye():
    colors = [color for color, _, _ in [*plots.STYLES.values(), *plots.SPARE_STYLES]]
    for vision, matrix in VISION.items():
        for one, other in itertools.combinations(colors, 2):
            assert distance(one, other, matrix) > 15, (one, other, vision)
        assert distance(plots.RIGHT, plots.WRONG, matrix) > 40, vision
    assert distance("#B22222", "#6B6B00", VISION["deuteranopia"]) < 15, "red and green can fail"


def test_each_method_has_its_own_colour_marker_and_line_in_every_figure():
    for names in (METHODS, [*METHODS, "a", "b"], list("abcdefgh"), ["a", "b"]):
        styles = plots.styles(names)
        assert list(styles) == names == [style["label"] for style in styles.values()]
        for part in ("color", "marker", *(["linestyle"] if set(names) <= set(METHODS) else [])):
            assert len({str(style[part]) for style in styles.values()}) == len(names), part
    alone = plots.styles(["fine-tuning"])["fine-tuning"]
    assert plots.styles(["else", "fine-tuning", "more"])["fine-tuning"] == alone
    with pytest.raises(ValueError, match="9 curves cannot be told apart: plot at most 8"):
        plots.styles(list("abcdefghi"))


# ── what each figure shows ──────────────────────────────────────────────────────────────────


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_label_efficiency_shows_the_mean_at_every_budget():
    accuracy = curves(LEVELS)
    (ax,) = plots.label_efficiency(BUDGETS, accuracy).axes
    assert ax.get_xscale() == "log"
    assert [t.get_text() for t in ax.get_xticklabels()] == [str(b) for b in BUDGETS]
    for name in METHODS:
        assert list(lines(ax)[name].get_xdata()) == BUDGETS
        assert np.allclose(lines(ax)[name].get_ydata(), accuracy[name].mean(axis=0))
    assert ax.get_ylim()[1] <= 1.01


def test_a_marked_point_has_a_ring_that_the_legend_leaves_out():
    accuracy = curves(LEVELS)
    plain = plots.label_efficiency(BUDGETS, accuracy)
    figure = plots.label_efficiency(BUDGETS, accuracy, mark=("fine-tuning", 5))
    (ax,) = figure.axes
    *_, ring = ax.get_lines()
    assert len(ax.get_lines()) == len(plain.axes[0].get_lines()) + 1
    assert ring.get_xdata() == [5]
    assert ring.get_ydata() == pytest.approx(accuracy["fine-tuning"].mean(axis=0)[2])
    assert ring.get_markersize() > 1.5 * lines(ax)["fine-tuning"].get_markersize()
    assert ring.get_fillstyle() == "none", "the point stays visible"
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == METHODS
    assert ax.get_ylim() == plain.axes[0].get_ylim(), "the curves do not move"


def test_the_band_is_the_t_interval():
    values = noisy(LEVELS, 0)
    (ax,) = plots.label_efficiency(BUDGETS, {"fine-tuning": values}).axes
    (band,) = ax.collections
    half = 2.776445 * values.std(axis=0, ddof=1) / 5**0.5  # t(0.975, 4), from a table
    (polygon,) = band.get_paths()
    assert polygon.vertices[:, 1].max() == pytest.approx((values.mean(axis=0) + half).max(), 1e-5)
    assert polygon.vertices[:, 1].min() == pytest.approx((values.mean(axis=0) - half).min(), 1e-5)


def test_label_efficiency_on_has_a_panel_a_data_set_with_the_intervals_given():
    given = {
        "fine-tuning": [(0.5, 0.6, 0.8), (0.7, 0.8, 0.82)],
        "CNN from scratch": [(0, 0, 0)] * 2,
    }
    figure = plots.label_efficiency_on([2, 5], {"A": given, "B": dict(reversed(given.items()))})
    first, second = figure.axes
    assert [ax.get_title() for ax in figure.axes] == ["A", "B"]
    assert first.get_ylim() == second.get_ylim() and first.get_xscale() == "log"
    for ax in figure.axes:
        curve = lines(ax)["fine-tuning"]
        assert list(curve.get_xdata()) == [2, 5] and list(curve.get_ydata()) == [0.6, 0.8]
        assert curve.get_color() == plots.STYLES["fine-tuning"][0], "one colour in both panels"
    band = next(b for b in first.collections if b.get_paths()[0].vertices[:, 1].max() > 0)
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(0.82)
    assert band.get_paths()[0].vertices[:, 1].min() == pytest.approx(0.5)
    for panels in ({}, {"A": {}}, {"A": given, "B": {"fine-tuning": given["fine-tuning"]}}):
        with pytest.raises(ValueError, match="every panel needs the same methods"):
            plots.label_efficiency_on([2, 5], panels)


def test_paired_differences_shows_every_seed_and_the_interval():
    values = np.array([0.01, 0.02, 0.06])
    (ax,) = plots.paired_differences({"ours": values, "mirror": -values}).axes
    zero, dots, *_ = ax.get_lines()
    assert set(zero.get_xdata()) == {0}
    assert np.allclose(dots.get_xdata(), [1, 2, 6])
    written = [t.get_text() for t in ax.texts]
    assert written[0] == "+3.0 points [-3.6, +9.6]\nahead in 3 of 3"
    assert written[1] == "-3.0 points [-9.6, +3.6]\nahead in 0 of 3"
    top, bottom = (t.get_window_extent().y0 for t in ax.texts)
    assert top > bottom, "the first stands on top"


def test_a_judged_claim_shows_its_seeds_interval_margin_and_verdict():
    (ax,) = judged().axes
    _, stored, live, *_ = ax.get_lines()
    assert np.allclose(stored.get_xdata(), [1, -2, 3]) and np.allclose(live.get_xdata(), [1, -2])
    grey = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (grey.x0, grey.x1) == pytest.approx((-2, 2))
    first, second = (t.get_text() for t in ax.texts)
    assert first.startswith("? open\n+0.7 points") and second.startswith("✓ better\n+10.3 points")
    assert "b better" in ax.get_xlabel() and "a better" in ax.get_xlabel()
    (ax,) = judged_ratio().axes
    assert ax.get_xscale() == "log" and "ratio" in ax.get_xlabel()


def ink(figure):
    """The pixels of a figure of pictures, one each, white paper added around."""
    (ax,) = figure.axes
    return np.asarray(ax.images[0].get_array())


def test_image_grid_shows_every_picture_once_in_rows():
    assert plots.image_grid(pictures(2).requires_grad_()).axes
    images = np.stack([np.full((1, 4, 4), (i + 1) / 10) for i in range(5)])
    canvas = ink(plots.image_grid(images, columns=3))
    values, counts = np.unique(canvas[canvas < 1], return_counts=True)
    assert np.allclose(values, [0.1, 0.2, 0.3, 0.4, 0.5]) and set(counts) == {16}
    rows, columns = zip(*[np.argwhere(canvas == value)[0] for value in values], strict=True)
    assert rows[0] == rows[1] == rows[2] < rows[3] == rows[4]
    assert columns[0] == columns[3] < columns[1] == columns[4] < columns[2]


def test_predictions_marks_right_and_wrong_by_sign_and_frame():
    images = pictures(3)
    figure = plots.predictions(images, [0, 1, 1], np.array([0, 0, 1]), ["zero", "one"])
    (ax,) = figure.axes
    assert [t.get_text() for t in ax.texts] == ["✓ zero", "✗ zero (is one)", "✓ one"]
    right, wrong, again = ax.patches
    assert right.get_linestyle() == again.get_linestyle() != wrong.get_linestyle()
    assert right.get_linewidth() < wrong.get_linewidth()
    canvas = ink(figure)
    for frame, image in zip(ax.patches, images, strict=True):
        x, y = (int(v + 0.5) for v in frame.get_xy())
        assert np.allclose(canvas[y : y + 16, x : x + 16], image[0]), "a frame fits its picture"


# ── bad input ───────────────────────────────────────────────────────────────────────────────


def test_bad_input_is_named():
    one, empty = np.ones((2, 3)), torch.zeros(0, 1, 4, 4)
    efficiency, grid, two = plots.label_efficiency, plots.image_grid, pictures(2)
    for draw, arguments, words in [
        (efficiency, ([1, 2], {}), "nothing to plot"),
        (efficiency, ([], {"a": np.ones((2, 0))}), "nothing to plot"),
        (efficiency, ([1, 2], {"a": one}), r"'a' has shape \(2, 3\): pass one"),
        (efficiency, ([1, 2, 3], {"a": one[0]}), r"'a' has shape \(3,\)"),
        (efficiency, ([1, 2, 3], {"a": one[:1]}), "at least 2 seeds"),
        (efficiency, ([1, 2, 3], {"a": one * np.nan}), "NaN or infinite"),
        (efficiency, ([1, 2, 3], {"a": one}, None, ("b", 2)), "no point 'b' at 2: mark one of"),
        (efficiency, ([1, 2, 3], {"a": one}, None, ("a", 4)), "no point 'a' at 4"),
        (plots.judged, ([], [], ("", "")), "at least one claim"),
        (plots.judged, (claims("ratio"), ["one"], ("", "")), "a label for each"),
        (plots.judged, (claims("ratio") + claims("accuracy"), [*"abcd"], ("", "")), "of one unit"),
        (plots.paired_differences, ({},), "nothing to plot"),
        (plots.paired_differences, ({"a": [0.1]},), "at least 2 seeds"),
        (plots.paired_differences, ({"a": one},), "pass one number a seed"),
        (plots.method_dots, ({}, "x"), "every panel needs the same methods"),
        (plots.method_dots, ({"a": {"x": [1, 2]}, "b": {"y": [1, 2]}}, "x"), "the same methods"),
        (grid, (empty,), r"images have shape \(0, 1, 4, 4\)"),
        (grid, (torch.zeros(2, 3, 4, 4),), r"pass \(n, 1, height, width\)"),
        (grid, (two, None, 0), "0 columns: show at least 1"),
        (grid, (two, ["a"]), "1 titles for 2 pictures"),
        (plots.predictions, (two, [0, 1], [0], "ab"), "1 predictions: pass one"),
        (plots.predictions, (pictures(3), [0, 1], [0, 1], "ab"), "3 pictures, 2 labels"),
    ]:
        with pytest.raises(ValueError, match=words):
            draw(*arguments)


def test_axes_are_cut_for_accuracies_only():
    for top, highest in [(1.01, 1.01), (None, 5.0)]:
        figure, ax = plots.new_figure(None)
        ax.plot([0, 1], [0, 5], label="a")
        ax.set_ylim(0, 5)
        plots.legend_below(figure, ax, top=top)
        assert ax.get_ylim()[1] == highest


def test_method_dots_show_each_mean_and_mark_the_baseline():
    panels = {"a": {"x": [0.5, 0.7], "y": [0.8, 0.9]}, "b": {"x": [0.6, 0.6], "y": [0.1, 0.2]}}
    figure = plots.method_dots(panels, mark="y")
    for ax, methods in zip(figure.axes, panels.values(), strict=True):
        shown = [line.get_xdata() for line in ax.lines if line.get_marker() in ("o", "D")]
        assert np.allclose(np.ravel(shown), [np.mean(v) for v in methods.values()])
        assert np.mean(methods["y"]) in [line.get_xdata()[0] for line in ax.lines][-1:]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["x", "y"]
    assert figure.axes[0].get_xlabel() == "balanced test accuracy"
    named = plots.method_dots(panels, mark="y", xlabel="test accuracy")
    assert named.axes[0].get_xlabel() == "test accuracy"


def test_a_wrong_photograph_has_a_dashed_frame_and_its_title():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    figure = plots.photographs(images, ["✓ ants", "✗ bees"], [True, False])
    assert [axes.patches[0].get_linestyle() for axes in figure.axes[:2]] == ["-", "--"]
    assert [axes.get_title() for axes in figure.axes[:2]] == ["✓ ants", "✗ bees"]
