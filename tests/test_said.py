"""Lessons 1, 6 and 7a: what they say in words is what their cells printed, whatever is drawn."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tlcourse import data
from tlcourse.data import perturb, tables
from tlcourse.lessons.ch01_concepts import pretrain
from tlcourse.lessons.ch06_maml import episodes
from tlcourse.lessons.ch07a_cleaning import gaps

CHAPTERS = Path(__file__).parent.parent / "chapters"
LESSONS = ["01_concepts", "06_maml", "07a_cleaning"]


def cells(lesson):
    return nbformat.read(CHAPTERS / f"{lesson}.ipynb", as_version=4).cells


def printed(cell):
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


def paragraph(lesson, begins):
    """A paragraph by its first words, and what the code cells right above it printed."""
    above = ""
    for cell in cells(lesson):
        if cell.cell_type == "code":
            above += printed(cell)
            continue
        for text in cell.source.split("\n\n"):
            if text.startswith(begins):
                return " ".join(text.split()), above
        above = ""
    raise AssertionError(f"no paragraph of {lesson} begins with {begins!r}")


def source(lesson, words):
    """The code of the one cell that holds these words."""
    (found,) = (c.source for c in cells(lesson) if c.cell_type == "code" and words in c.source)
    return found


# ── every lesson ────────────────────────────────────────────────────────────────────────────

# What holds for every draw, beside what compares two ways to compute the same: add here only that.
EVER = {
    "01_concepts": {
        "pretrain.STEPS == 5000",
        "np.isclose(matched, 5 * (10 / 5) ** 0.5) and round(matched, 1) == 7.1",
        "(np.bincount(labels[drawn]) == 2).all() and len(set(drawn)) == 20",
        "X.shape == (20, 256) and (not X.requires_grad)",
        "np.allclose(probe.coef_, W.detach().T, atol=0.005)",
        "moved == ['num_batches_tracked', 'running_mean', 'running_var']",
        "all((torch.equal(before[n], v) for n, v in model.backbone.state_dict().items()))",
    },
    "06_maml": {
        "all((torch.allclose(g, library[n][0], rtol=1e-10) for g, n in zip(outer, start, strict=True)))",
        "np.isclose(ours_slope, slope, rtol=0.0001, atol=1e-06)",
        "abs(kept['5 inner steps'][3] / kept['5 inner steps'][1] - 4) < 0.1",
        "all((torch.allclose(whole[n], parts[n], atol=1e-05) for n in whole))",
    },
    "07a_cleaning": {
        "abs(rank[stays].mean() - 1 / 3) < 0.01",  # nine standard errors
        "np.allclose(twin.transform(holed), flagged)",
        "np.isclose(Z[near, column].mean(), KNNImputer().fit(Z[train]).transform(Z[[row]])[0, column])",
        "round(0.9 ** 13, 2) == 0.25",
        "(beyond == outliers.Clipper(3).fit(column).outside(column)).all()",
        "(far == outliers.far_from_median(column)).all()",
        "np.isclose(np.abs(column - column.mean()).max() / column.std(), 5 ** 0.5, atol=0.01)",
        "round(1 - 0.97 ** 13, 2) == 0.33",
        "(suspicious == wrong_labels.suspicious(p, given)).all()",
        "leaks.leaks(cured, X, y, train, test) == []",
    },
}


@pytest.mark.parametrize("lesson", LESSONS)
def test_only_what_holds_for_every_draw_is_asserted(lesson):
    code = [cell.source for cell in cells(lesson) if cell.cell_type == "code"]
    trees = [ast.parse(TransformerManager().transform_cell(text)) for text in code]
    asserted = {
        ast.unparse(node.test)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    }
    assert asserted == EVER[lesson]


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_verdicts_do_not_claim_that_all_was_fixed_before(lesson):
    rule = next(c.source for c in cells(lesson) if "Verdicts\n" in c.source)
    assert "before the results" not in rule
    assert "margins and numbers of seeds were settled while looking at results" in rule


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_signed_number_in_a_caption_is_printed_above(lesson):
    begins = re.findall(r"(?m)^\*\*Figure \d+\.\*\*", "\n".join(c.source for c in cells(lesson)))
    assert len(begins) >= 6
    for begin in begins:
        caption, above = paragraph(lesson, begin)
        for number in re.findall(r"[+-]\d+\.\d", caption):
            assert number in above, f"{begin} says {number}"


def test_the_chinese_abstract_of_lesson_6_promises_no_fair_comparison():
    (line,) = (
        x for x in cells("06_maml")[0].source.splitlines() if x.startswith("> **中文摘要** ")
    )
    assert "公平" not in line and "训练量并不相等" in line


# ── lesson 1 ────────────────────────────────────────────────────────────────────────────────


def test_figure_2_counts_the_digits_that_the_prediction_asks_for():
    caption, above = paragraph("01_concepts", "**Figure 2.**")
    assert len(re.findall(r": \d+ of 600 read correctly", above)) == 2
    lead = re.search(r"lead in points: \[(.+)\]", above)[1].split()
    assert "lead at every budget" in caption and min(map(float, lead)) > 0
    assert set(sorted(lead, key=float)[-2:]) == set(lead[:2]), "most at 1 and 2 labels"


def test_figure_3_names_the_digit_that_it_shows():
    caption, above = paragraph("01_concepts", "**Figure 3.**")
    pool = data.digits().pool
    label = pool.names[pool.labels[0]]
    assert f"handwritten {label} (left)" in caption and f"left: a handwritten {label}\n" in above


def test_figure_5_counts_the_seeds_it_speaks_of():
    caption, above = paragraph("01_concepts", "**Figure 5.**")
    rows = re.findall(
        r"augmentation with +(\d+) labels \S+ points \[(\S+), .*in (\d+) of (\d+)", above
    )
    assert "in every seed up to 10 labels" in caption
    assert all((int(k) <= 10) == (wins == n) for k, _, wins, n in rows) and len(rows) == 6
    assert all((int(k) <= 10) == (float(low) > 0) for k, low, *_ in rows)


def test_the_ruler_of_figure_6_is_finer_than_what_it_measures():
    caption, above = paragraph("01_concepts", "**Figure 6.**")
    steps = re.search(r"from scratch \[(.+)\] fine-tuning \[(.+)\]", above).groups()
    slow, quick = (np.array(part.split(), dtype=int) for part in steps)
    looks = ast.literal_eval(re.search(r"\(1, (\d+)\)", source("01_concepts", "looks, goal"))[1])
    assert (slow > 1).all() and (quick > 1).all(), "none at the first mark"
    assert max(slow.max(), quick.max()) <= looks, "each step was looked at"
    equal = float(re.search(r"rate of scratch: ([\d.]+) times", above)[1])
    chosen = float(re.search(r"([\d.]+) times", above)[1])
    assert "at equal rates the factor is smaller" in caption and equal < chosen


def test_robustness_is_not_explained_by_what_the_source_saw():
    text, _ = paragraph("01_concepts", "Is it the damage that the source has seen?")
    _, above = paragraph("01_concepts", "**Figure 7.**")
    severities = re.search(r'"shift": (\(.+?\))', source("01_concepts", '"shift": (0')).group(1)
    seen, tested = 8 * perturb.SHIFT, max(ast.literal_eval(severities))
    assert f"shifted by {seen:g} pixel an axis at most, the digits by {tested:g}" in text
    assert f"shifts up to {seen:g} pixel, noise {perturb.NOISE:g}" in above
    last = {m: float(x) for m, x in re.findall(r"(?m)^(\S.*?) +[\d.]+ [\d.]+ ([\d.]+)$", above)}
    by_shift = sorted(last, key=last.get, reverse=True)
    assert by_shift[:2] == ["frozen features + logistic regression", "fine-tuning"]
    assert "CNN from scratch + augmentation" in by_shift[2:]


def test_figure_8_says_that_mnist_is_open_and_why_the_table_lacks_it():
    caption, above = paragraph("01_concepts", "**Figure 8.**")
    rows = dict(re.findall(r"MNIST: ahead of (.+?) +\S+ points \[(.+)\]", above))
    low = {method: float(interval.split(",")[0]) for method, interval in rows.items()}
    assert "far ahead of the SVM" in caption and low.pop("SVM on pixels") > 10
    assert "both intervals include zero" in caption and len(low) == 2
    assert all(float(rows[m].split(", ")[1]) > 0 > low[m] for m in low)
    assert "MNIST, 5 labels: transfer beats scratch + augmentation?" in above
    assert "not in the table of section 9" in caption
    last = next(c for c in cells("01_concepts") if "print_verdicts" in c.source)
    assert "MNIST" not in printed(last)


def test_figure_9_speaks_of_the_seeds_that_were_counted():
    caption, above = paragraph("01_concepts", "**Figure 9.**")
    assert re.search(r"(?m)^faces, frozen .* ahead in 0 of \d", above)
    assert "ahead in no seed" in caption
    for low, high in re.findall(r"(?m)^inverted, f.*\[(.+), (.+)\]", above):
        assert float(low) < 0 < float(high), "five seeds do not decide"


def test_figure_10_does_not_call_the_same_task_another():
    caption, above = paragraph("01_concepts", "**Figure 10.**")
    assert "*inverted*, whose task is that of *letters*, falls no more than random" in caption
    means = {
        name: [float(x) for x in values.split()]
        for name, values in re.findall(r"(?m)^(.+?) *\[(.+)\]$", above)
    }
    good = means.pop("letters")
    assert good == sorted(good) and len(means) == 3
    fall = {name: max(values) - values[-1] for name, values in means.items()}
    assert min(fall.values()) > 0, "they turn down"
    assert fall["inverted"] <= fall["random weights"]


def test_figure_11_says_what_re_estimating_costs():
    caption, above = paragraph("01_concepts", "**Figure 11.**")
    found = re.search(r"fixed (-[\d.]+) points .*ahead in (\d+) of (\d+)", above).groups()
    cost, wins, n = found
    assert f"{cost} points, better in {wins} of {n} seeds" in caption
    assert "the head was trained on features with *fixed* statistics" in caption


# ── lesson 6 ────────────────────────────────────────────────────────────────────────────────


def test_figure_1_of_lesson_6_counts_its_points():
    caption, above = paragraph("06_maml", "**Figure 1.**")
    count, near = re.search(r"(\d+) points, the nearest two ([\d.]+) apart", above).groups()
    assert int(count) == 10 and "ten points are given" in caption
    assert float(near) < 0.05 and "two are so near that one dot hides the other" in caption


def test_lesson_6_says_how_unequal_the_training_was():
    text, _ = paragraph("06_maml", "Not equal: the plain backbone")
    maml, proto = map(episodes.pictures_shown, ("maml", "protonet"))
    backbone = pretrain.STEPS * pretrain.BATCH
    assert maml == proto and backbone == 4 * maml
    assert "four times the pictures" in text
    assert episodes.TRAIN_WAYS["protonet"] == 20 and "ProtoNet trained on 20 ways" in text
    _, above = paragraph("06_maml", "The second derivatives pay")
    assert str({"maml": maml, "protonet": proto, "backbone": backbone}) in above
    assert re.search(r"above the plain backbone's in 0 of \d+ comparisons", above)


def test_lesson_6_tests_reptile_at_its_own_rate_too():
    text, _ = paragraph("06_maml", "Beside it, the relatives.")
    assert "trains with the inner rate 0.02 and is tested at 0.01" in text
    _, above = paragraph("06_maml", "**Figure 3.**")
    assert re.search(r"(?m)^Reptile at 0\.02 +\[[\d. ]+\]$", above)


# ── lesson 7a ───────────────────────────────────────────────────────────────────────────────

SEEDS = [0, 1, 5, 777, 12345]  # values of TLCOURSE_SEED


@pytest.fixture(scope="module")
def wine():
    from sklearn.datasets import load_wine

    (X, y), names = load_wine(return_X_y=True), load_wine().feature_names
    return {"X": X, "y": y, "names": names}


@pytest.mark.parametrize("base", [*SEEDS, 86, 100])
def test_the_planted_faults_never_stop_the_lesson(wine, base, capsys):
    train, test = tables.halves(
        wine["y"], 1000 * base + 9
    )  # the last of ten seeds, as in the lesson
    exec(  # noqa: S102
        source("07a_cleaning", "bad[test[:6]]"),
        {"np": np, "train": train, "test": test} | wine,
    )
    assert re.match(r"found [1-6] of 6; overlooked: ", capsys.readouterr().out)


@pytest.mark.parametrize("base", [*SEEDS, 100, 568, 970, 2185])
def test_the_neighbours_by_hand_agree_in_every_draw(wine, base):
    from sklearn.impute import KNNImputer, SimpleImputer

    seeds = [1000 * base]
    hidden = {"MNAR": (wine["X"], gaps.hide(wine["X"], 0.5, "MNAR", seeds[0]))}
    names = wine | {"np": np, "gaps": gaps, "seeds": seeds, "tables": hidden}
    names |= {"KNNImputer": KNNImputer, "SimpleImputer": SimpleImputer, "halves": tables.halves}
    for words in ("twin = SimpleImputer", "KNNImputer().fit"):
        exec(source("07a_cleaning", words), names)  # noqa: S102


def test_lesson_7a_says_what_the_audit_found():
    _, above = paragraph("07a_cleaning", "With the stored seed, all six")
    assert above.startswith("found 6 of 6; overlooked: []")
