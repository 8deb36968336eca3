import numpy as np
import pytest

from tlcourse.lessons.ch02c_language import figures


def test_one_panel_of_looks_for_each_matrix():
    figure = figures.looks({"a": np.eye(3), "b": np.ones((3, 3))}, ["x", "y", "z"])
    figure.canvas.draw()
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["x", "y", "z"]
    assert np.array_equal(figure.axes[0].images[0].get_array(), np.eye(3))
    with pytest.raises(ValueError, match=r"'a' has shape \(2, 2\): pass one row .* the 3 words"):
        figures.looks({"a": np.eye(2)}, ["x", "y", "z"])


def test_every_word_is_on_the_map_and_groups_differ_by_marker():
    places = {"a": (0, 1), "b": (1, 0), "c": (2, 2)}
    figure = figures.word_map({"one": ["a", "b"], "two": ["c"]}, places)
    figure.canvas.draw()
    (ax,) = figure.axes
    assert sorted(text.get_text() for text in ax.texts) == ["a", "b", "c"]
    assert len({line.get_marker() for line in ax.lines}) == 2
    with pytest.raises(ValueError, match="9 groups cannot be told apart"):
        figures.word_map({str(i): ["a"] for i in range(9)}, places)
