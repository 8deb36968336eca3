import numpy as np

from tlcourse.lessons.ch03_tuning import figures


def arguments(n):
    line = np.linspace(0, 1, 20)
    return line, line**2, line[:n], line[:n] ** 2, line, np.ones(20), np.arange(20) * 0.1


def test_curves_begin_at_the_first_trial():
    values = np.random.default_rng(0).random((4, 7))
    figure = figures.searches({"random": values, "grid": values / 2}, title="two")
    figure.canvas.draw()
    for line, expected in zip(figure.axes[0].lines, (values, values / 2), strict=True):
        assert list(line.get_xdata()) == list(range(1, 8))
        assert np.allclose(line.get_ydata(), expected.mean(axis=0))
    later = figures.searches({"random": values[:, 5:]}, first=6)
    assert list(later.axes[0].lines[0].get_xdata()) == [6, 7]


def test_the_next_trial_is_where_the_acquisition_is_largest():
    figure = figures.surrogate(*arguments(3))
    figure.canvas.draw()
    assert figure.axes[1].lines[-1].get_xdata() == 1.0
    assert len(figure.axes[0].lines[2].get_xdata()) == 3


def test_the_explorer_offers_every_step():
    steps = {(kind, n): arguments(n) for kind in ("EI", "LCB") for n in (2, 3)}
    menu, slider, _ = figures.surrogate_explorer(steps).children
    assert menu.options == ("EI", "LCB") and slider.options == (2, 3)
    menu.value, slider.value = "LCB", 3
