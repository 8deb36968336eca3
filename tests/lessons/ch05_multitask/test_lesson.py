"""What lesson 5 says in words is what it printed, and its fair opponents stand beside its claims."""

import re
from ast import literal_eval
from pathlib import Path

import nbformat
import pytest
import torch

from tlcourse.lessons.ch05_multitask.comparison import METHODS, chosen_settings
from tlcourse.lessons.ch05_multitask.tasks import Task

pytestmark = pytest.mark.weekly
LESSON = Path(__file__).parents[3] / "chapters" / "05_multitask.ipynb"


@pytest.fixture(scope="module")
def cells():
    return nbformat.read(LESSON, as_version=4).cells


def printed(cells):
    return "\n".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))


def prose(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_the_order_at_figure_3_is_that_of_the_printed_means(cells):
    (at,) = (n for n, c in enumerate(cells) if c.source.startswith("**Figure 3.**"))
    above = printed([cells[at - 1]])
    means = dict(re.findall(r"^(\S.*?) +\{'class': '([\d.]+)'", above, re.MULTILINE))
    (order,) = re.findall(r"class, best mean first: (.*)", above)
    values = [float(means[name]) for name in order.split(", ")]
    assert values == sorted(values, reverse=True) and len(values) == len(METHODS)
    caption = cells[at].source.partition("\n")[0]
    assert not set(order.split(", ")[2:-3]) & set(re.split(r"[,.;] | and ", caption))


def test_figure_3_names_the_task_that_variance_scaling_leaves_behind(cells):
    (at,) = (n for n, c in enumerate(cells) if c.source.startswith("**Figure 3.**"))
    rows = re.findall(r"^(\S.*?) +(\{'class': .*\})", printed([cells[at - 1]]), re.MULTILINE)
    centre = {name: float(x["centre"]) for name, r in rows if "centre" in (x := literal_eval(r))}
    assert len(centre) == len(METHODS) - 1 and min(centre, key=centre.get) == "variance scaling"
    assert sorted(centre.values())[1] > centre["variance scaling"] + 0.5
    rates = {name: settings["lr"] for name, settings in chosen_settings().items()}
    assert min(rates, key=rates.get) == "variance scaling", "then the caption is false"
    assert rates["IMTL-G"] == rates["normalised gradients"] == 10 * rates["variance scaling"]
    assert rates["variance scaling"] < 0.01 < rates["class alone"], "section 5 says so"


def test_no_output_serves_y_and_minus_y():
    """Whatever the output is, the two shares of explained variance add up to 0 at most."""
    y, rows = torch.randn(200, generator=torch.Generator().manual_seed(0)), []
    tasks = [Task("y", y), Task("minus", -y)]
    for output in (0 * y, y, -y, 0.3 * y + 0.1, 5 + y):
        rows.append([task.score(output[None, :, None])[0] for task in tasks])
    assert max(map(sum, rows)) < 1e-6 and max(map(min, rows)) < 1e-6


def test_the_conflict_that_no_method_can_solve_is_called_so(cells):
    text = prose(cells) + printed(cells)
    assert "real conflict" not in text and "true conflict" not in text
    (claim,) = set(re.findall(r"^H2\.3b \| (.*PCGrad helps) \|", text, re.MULTILINE))
    assert "no method can solve" in claim
    assert "one artificial conflict" in text


def test_the_scratch_of_chapter_1_stands_beside_the_untuned_one(cells):
    found = printed(cells)
    assert re.search(r"beat the same network from scratch, rate not tuned", found)
    numbers = re.search(
        r"'three tasks': '([\d.]+)'.*'scratch \+ augmentation, 300 steps': '([\d.]+)'", found
    )
    ours, theirs = map(float, numbers.groups())
    assert theirs > ours, "then the caption of Figure 9 and the conclusion are false"


def test_the_verdicts_do_not_pretend_to_be_older_than_the_results(cells):
    assert "settled while looking at results" in prose(cells)
