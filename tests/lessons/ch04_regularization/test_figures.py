import ipywidgets
import numpy as np

from tlcourse.lessons.ch04_regularization import figures


def test_a_slider_for_the_shift_shows_gains_over_none(capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures.plots, "paired_differences", lambda *found: drawn.append(found))
    rng = np.random.default_rng(0)
    accuracy = {name: rng.uniform(0.5, 1, (4, 3)) for name in ("none", "dropout", "L2-SP")}
    slider, output = figures.shift_explorer(accuracy, [0, 1, 2]).children
    assert isinstance(output, ipywidgets.Output) and list(slider.options) == [0, 1, 2]
    slider.value = 2
    assert [list(gains) for gains, _ in drawn] == [["dropout", "L2-SP"]] * 2
    assert np.allclose(drawn[1][0]["dropout"], accuracy["dropout"][:, 2] - accuracy["none"][:, 2])
    assert "moved by 0 pixels" in drawn[0][1] and "moved by 2 pixels" in drawn[1][1]
