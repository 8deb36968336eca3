"""Lessons under the protocol, and 6 and 7a: what they say in words is what their cells printed, whatever is drawn."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tlcourse import league
from tlcourse.data import perturb, tables
from tlcourse.league import travel
from tlcourse.lessons.ch01_concepts import measure, pretrain
from tlcourse.lessons.ch06_maml import episodes
from tlcourse.lessons.ch07a_cleaning import gaps
from tlcourse.verdicts import judging, store

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
        "np.allclose(twin.coef_, W.detach().T, atol=0.005)",
        "np.isclose(matched, 5 * (10 / 5) ** 0.5) and round(matched, 1) == 7.1",
        "(np.bincount(labels[drawn]) == 2).all() and len(set(drawn)) == 20",
        "X.shape == (20, 256) and (not X.requires_grad)",
        "sorted(moved) == ['num_batches_tracked', 'running_mean', 'running_var']",
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


@pytest.mark.parametrize("lesson", LESSONS[1:])
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


# ── lessons under the protocol ──────────────────────────────────────────────────────────────

REWRITTEN = [
    path.stem
    for path in sorted(CHAPTERS.glob("[0-9]*.ipynb"))
    if "verdicts.Claims(" in path.read_text(encoding="utf-8")
]
PHRASES = "|".join(re.escape(f"{s} {v}") for v, s in judging.SYMBOLS.items())


def judged(text):
    """The verdicts that a cell printed, in order."""
    return re.findall(rf"(?m)^  ({PHRASES}): ", text)


@pytest.mark.parametrize("lesson", REWRITTEN)
def test_the_words_below_a_verdict_are_the_verdict(lesson):
    """The next Markdown cell repeats each verdict in brackets, such as (✓ better), in the same order."""
    above, seen = "", 0
    for cell in cells(lesson):
        if cell.cell_type == "code":
            above += printed(cell)
        elif due := judged(above):
            assert re.findall(rf"\(({PHRASES})\)", cell.source) == due, cell.source[:60]
            above, seen = "", seen + len(due)
        else:
            above = ""
    last = next(c for c in cells(lesson) if "print_verdicts" in c.source)
    assert seen == len(printed(last).splitlines()), "every claim is judged where it is measured"


def test_a_caption_that_says_another_verdict_is_found():
    assert judged("H1.1 text\n  ✗? not better: -3.0 points") == ["✗? not better"]
    wrong = "(≈ no difference that matters)"
    assert re.findall(rf"\(({PHRASES})\)", wrong) != ["✗? not better"]


@pytest.mark.parametrize("lesson", REWRITTEN)
def test_no_caption_names_what_a_picture_shows_or_a_number_that_is_not_printed(lesson):
    for begin in re.findall(
        r"(?m)^\*\*Figure \d+\.\*\*", "\n".join(c.source for c in cells(lesson))
    ):
        caption, above = paragraph(lesson, begin)
        for number in re.findall(
            r"[+−-]\d+\.\d|\d+\.\d+|\d+(?= %)", re.sub(r"95 %|SqueezeNet 1.1", "", caption)
        ):
            assert number.replace("−", "-") in above, f"{begin} says {number}"
        assert not re.search(
            r"handwritten (zero|one|two|three|four|five|six|seven|eight|nine)", caption
        )


# ── lesson 1 ────────────────────────────────────────────────────────────────────────────────


def test_the_number_to_beat_is_the_best_of_the_league():
    text, _ = paragraph("01_concepts", "**Prerequisites.**")
    best = league.table().rows[1]
    assert best[0] == measure.STRONG
    assert (
        f"5 labels a class: {best[2].split(' [')[0]}, by a CNN from scratch with augmentation"
        in text
    )


def test_robustness_is_not_explained_by_what_the_source_saw():
    text, _ = paragraph("01_concepts", '"Better generalisation and robustness"')
    assert perturb.SHIFT * 8 == 1 and "letters moved by one pixel at most" in text
    assert max(measure.SHIFTS) == 3 and "moved by up to three pixels" in text


def test_what_travels_is_what_figure_7_says():
    caption, _ = paragraph("01_concepts", "**Figure 7.**")
    assert (
        "far ahead everywhere" in caption and "within three points of the probe with 2" in caption
    )
    assert "ahead with 20 on all three; on SEMEION also with 5" in caption
    rule, _ = paragraph("01_concepts", "1. **If you have up to 5")
    assert "On our digits level at 5, on SEMEION ahead; at 20 ahead everywhere" in rule
    ours = [
        store.load("ch01_concepts", 2).results[f"5 labels: {m}"]
        for m in (measure.PROBE, measure.STRONG)
    ]
    assert abs(ours[0].mean() - ours[1].mean()) < 0.01
    for name, by_method in travel.intervals().items():
        mean = {m: [middle for _, middle, _ in rows] for m, rows in by_method.items()}
        probe, rival = mean[measure.PROBE], mean[measure.STRONG]
        assert all(
            ours > svm + 0.05 for ours, svm in zip(probe, mean["SVM on pixels"], strict=True)
        )
        assert abs(probe[0] - rival[0]) < 0.03 and probe[-1] < rival[-1], name
        assert name != "SEMEION" or probe[1] + 0.02 < rival[1]


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
