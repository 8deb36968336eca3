import numpy as np

from tlcourse import data
from tlcourse.lessons.ch07c_augmentation import figures


def test_the_explorer_shows_the_policy_and_its_gain(capsys):
    train = data.few_labels(data.digits().pool, 1, 0)
    gains = {"affine": np.array([0.02, 0.04]), "half turn": np.array([-0.1, -0.2])}
    menu, slider, _ = figures.policy_explorer(train, gains).children
    assert menu.options == ("affine", "half turn") and 1.0 in slider.options
    menu.value, slider.value = "half turn", 0.25
    printed = capsys.readouterr().out
    assert "affine, at its chosen strength: +3.0 points" in printed
    assert "half turn, at its chosen strength: -15.0 points" in printed
