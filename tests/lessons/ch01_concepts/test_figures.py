"""The explorer: slider and menu change what is shown, in a real kernel too."""

import itertools
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client.manager import start_new_kernel

from tlcourse.data import ImageSet
from tlcourse.lessons.ch01_concepts import figures

BUDGETS = [1, 2, 5]
METHODS = ["SVM on pixels", "fine-tuning"]


def measured(n=30, budgets=BUDGETS):
    """A test set, the answers of one seed, and accuracies of three."""
    random = np.random.default_rng(0)
    test = ImageSet(
        torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(0)),
        torch.arange(n) % 3,
        ["a", "b", "c"],
        torch.zeros(n).long(),
    )
    predicted = {(m, k): random.integers(0, 3, n) for m in METHODS for k in budgets}
    accuracy = {m: random.uniform(0.5, 0.9, (3, len(budgets))) for m in METHODS}
    return test, predicted, accuracy, budgets


# ── the explorer ────────────────────────────────────────────────────────────────────────────


def test_slider_and_menu_change_what_is_shown(capsys):
    slider, menu, output = figures.label_explorer(*measured()).children
    assert isinstance(output, ipywidgets.Output)
    assert list(slider.options) == BUDGETS and slider.value == 2
    assert list(menu.options) == METHODS and menu.value == METHODS[0]
    assert (slider.description, menu.description) == ("labels per class", "method")
    words = "SVM on pixels, 2 labels per class: the 20 most disputed pictures"
    assert words in capsys.readouterr().out, "it is drawn at once"
    slider.value = 5
    assert "SVM on pixels, 5 labels per class" in capsys.readouterr().out
    menu.value = "fine-tuning"
    assert "fine-tuning, 5 labels per class" in capsys.readouterr().out
    slider.value = 5
    assert capsys.readouterr().out == "", "nothing changed, nothing is drawn"


def test_one_budget_and_few_pictures_are_enough_and_no_answer_is_too_few(capsys):
    slider, *_ = figures.label_explorer(*measured(n=4, budgets=[5])).children
    assert slider.value == 5
    assert "5 labels per class: the 4 most disputed pictures" in capsys.readouterr().out
    test, _, accuracy, budgets = measured()
    with pytest.raises(ValueError):
        figures.label_explorer(test, {}, accuracy, budgets)


@pytest.fixture
def kernel(offline_environment):
    manager, client = start_new_kernel(env=offline_environment)
    yield client
    client.stop_channels()
    manager.shutdown_kernel()


def shown(kernel, code):
    """Run a cell; return what lands in the Output widget, and beside it, as a browser sorts it."""
    inside, beside, place = [], [], None

    def sort(message):
        nonlocal place
        content, kind = message["content"], message["msg_type"]
        place = beside if place is None else place
        if kind == "comm_msg" and "msg_id" in content["data"].get("state", {}):
            place = inside if content["data"]["state"]["msg_id"] else beside
        elif kind == "clear_output":
            place.clear()
        elif kind in ("display_data", "execute_result", "stream", "error"):
            place.append((kind, content))

    reply = kernel.execute_interactive(code, timeout=300, output_hook=sort)
    assert reply["content"]["status"] == "ok"
    return inside, beside


def test_in_a_kernel_the_output_holds_the_two_figures_of_the_choice(kernel):
    prepare = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_figures import measured\n"
        "from tlcourse.lessons.ch01_concepts import figures\n"
        "slider, menu, output = figures.label_explorer(*measured()).children"
    )
    choices = {
        prepare: "SVM on pixels, 2 labels",
        "slider.value = 5": "SVM on pixels, 5 labels",
        "menu.value = 'fine-tuning'": "fine-tuning, 5 labels",
        "menu.value = 'SVM on pixels'; slider.value = 2": "SVM on pixels, 2 labels",
    }
    pictures = []
    for code, words in choices.items():
        inside, beside = shown(kernel, code)
        assert [kind for kind, _ in inside] == ["display_data", "stream", "display_data"]
        assert beside == [], "nothing lands beside the widget"
        curve, text, examples = (content for _, content in inside)
        assert text["text"].startswith(words)
        pictures.append([figure["data"]["image/png"] for figure in (curve, examples)])
    assert pictures[3] == pictures[0], "the same choice shows the same"
    for one, other in itertools.pairwise(pictures):
        assert one[0] != other[0] and one[1] != other[1], "both figures change"


# ── which pictures are shown ────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 15), st.integers(0, 99))
def test_disputed_pictures_are_those_of_a_slow_loop(n, answers, wanted, seed):
    random = np.random.default_rng(seed)
    test, *_ = measured(n)
    predicted = {i: random.integers(0, 3, n) for i in range(answers)}
    distance = []
    for position in range(n):
        right = 0
        for answer in predicted.values():
            right += answer[position] == test.labels[position].item()
        distance.append((abs(2 * right - answers), position))
    expected = [position for _, position in sorted(distance)[:wanted]]
    assert figures.disputed(test, predicted, wanted).tolist() == expected


def test_what_every_method_gets_right_or_wrong_comes_last():
    test, *_ = measured(4)
    right, wrong = test.labels.numpy(), (test.labels.numpy() + 1) % 3
    halves = np.array([right[0], wrong[1], right[2], wrong[3]])
    predicted = {1: halves, 2: np.array([wrong[0], wrong[1], right[2], right[3]])}
    assert figures.disputed(test, predicted).tolist() == [0, 3, 1, 2]
