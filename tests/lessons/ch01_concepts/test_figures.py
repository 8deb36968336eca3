"""The explorer: slider and menu change what is shown, in a real kernel too."""

import itertools
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import torch
from jupyter_client.manager import start_new_kernel

from tlcourse.data import ImageSet
from tlcourse.lessons.ch01_concepts import figures

BUDGETS = [1, 2, 5]
METHODS = ["SVM on pixels", "fine-tuning"]


def measured(n=30, budgets=BUDGETS):
    """A test set, and which of its pictures three seeds read."""
    random = np.random.default_rng(0)
    test = ImageSet(
        torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(0)),
        torch.arange(n) % 3,
        ["a", "b", "c"],
        torch.zeros(n).long(),
    )
    right = {(m, k): random.random((3, n)) < 0.7 for m in METHODS for k in budgets}
    return test, right, budgets


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


def test_one_budget_and_few_pictures_are_enough(capsys):
    slider, *_ = figures.label_explorer(*measured(n=4, budgets=[5])).children
    assert slider.value == 5
    assert "5 labels per class: the 4 most disputed pictures" in capsys.readouterr().out


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


def test_disputed_pictures_are_read_nearest_to_half_of_the_time():
    halves = np.array([[1, 1, 0, 1], [0, 1, 0, 1]], dtype=bool)
    more = np.array([[1, 0, 0, 1], [0, 1, 0, 1]], dtype=bool)
    right = {("a", 1): halves, ("b", 1): more}  # shares .5, .75, 0, 1
    assert figures.disputed(right).tolist() == [0, 1, 2, 3]
    assert figures.disputed(right, 1).tolist() == [0]


def test_the_idea_is_one_picture_with_both_tasks():
    picture = np.zeros((16, 16))
    figure = figures.backbone_and_head(picture, picture)
    said = " ".join(text.get_text() for text in figure.axes[0].texts)
    for words in ("pretrain", "transfer", "which letter?", "which digit?", "linear probe"):
        assert words in said
