"""The league: each method once, its care, a store that only grows, and where it travels."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from loops import each

from tlcourse import data, experiment, league, plots, verdicts
from tlcourse.league import blocks, command, learners, methods, travel
from tlcourse.lessons.ch01_concepts import measure, transfer
from tlcourse.lessons.ch06_maml import episodes, maml
from tlcourse.verdicts import history

ROOT = Path(__file__).parents[1]
SLOW = "CNN from scratch + augmentation"  # a quarter of a minute a seed
BLOCKS = command.BLOCKS.values()
STORED = pytest.mark.skipif(
    not all(block.path.exists() for block in BLOCKS), reason="the league is not measured yet"
)


@cache
def fifty():
    """A draw of 5 labels a class that the league does not use."""
    return data.few_labels(data.digits().pool, 5, 3)


# ── the methods ─────────────────────────────────────────────────────────────────────────────


def test_every_method_reads_digits_and_no_test_picture_helps_to_read_another():
    test = data.digits().test.subset(torch.arange(300))
    changed = test.images[:40].clone()
    changed[1:] = torch.rand(39, 1, 16, 16, generator=torch.Generator().manual_seed(0))

    def reads(name):
        predict = league.METHODS[name](fifty(), 3)
        found = predict(test.images)
        assert found.shape == (300,) and found.dtype == torch.int64
        assert (found == test.labels).float().mean() > 0.6  # a guess: 0.1
        assert predict(changed)[0] == found[0]

    each(reads, [(name, name) for name in league.METHODS if name != SLOW])


def test_one_by_one_is_what_lesson_06_does_for_pictures_that_come_alone():
    drawn = episodes.draw_episodes(data.digits().test, 1, 5, 5, 4, seed=1)
    model, weights = episodes.network(), episodes.load("maml-second-order")
    due = episodes.adapted_scores(model, weights, drawn, transductive=False)[0]
    few = data.ImageSet(
        drawn.support_inputs[0], drawn.support_targets[0], list("abcde"), torch.zeros(25)
    )
    # With as many classes as it was meta-trained for, but equal heads.
    for name in ("head.weight", "head.bias"):
        weights[name] = weights[name].mean(1, keepdim=True).expand_as(weights[name]).clone()
    equal = episodes.adapted_scores(model, weights, drawn, transductive=False)[0]
    assert not torch.allclose(equal, due, atol=1e-3), "the heads differ"
    found = learners.adapted(few, 0, episodes.STEPS, episodes.LR)(drawn.query_inputs[0])
    assert torch.equal(found, equal.argmax(-1))
    slow = []
    for picture in drawn.query_inputs[0]:
        together = torch.cat([drawn.support_inputs[0], picture[None]])[None]
        slow.append(maml.outputs(model, weights, together)[0].detach())
    one = {name: w[0] for name, w in weights.items()}
    quick = learners.one_by_one(model, one, drawn.support_inputs[0], drawn.query_inputs[0])
    assert torch.allclose(torch.stack(slow), quick, atol=1e-4)


def test_the_three_questions_are_asked_of_other_pictures():
    pool = data.digits().pool
    rows = learners.others(pool, fifty())
    assert len(rows) == len(pool) - len(fifty()) == 750
    assert not set(rows.tolist()) & set(data.few_rows(pool, 5, 3).tolist())
    assert "750 pictures" in league.METHODS["multitask features + logistic regression"].beside
    assert f"{len(pool)} pictures without" in league.METHODS["print + CORAL"].beside


def test_print_and_coral_needs_no_label():
    wrong = replace(fifty(), labels=fifty().labels.flip(0))
    test = data.digits().test.images[:50]
    found = [league.METHODS["print + CORAL"](train, 3)(test) for train in (fifty(), wrong)]
    assert torch.equal(*found)


def test_care_is_read_off_the_code():
    care = {name: method.care() for name, method in league.METHODS.items()}
    for name in transfer.METHODS:
        assert care[name] == measure.care_of(name, league.LABELS)
    assert care["fine-tuning + augmentation"] == replace(
        care["fine-tuning"], augmentation=True, steps=care["fine-tuning + augmentation"].steps
    )
    for name, row in care.items():
        assert row.candidates >= 1 and row.labels_to_choose == 0, name
        uses_weights = not any(w in name for w in ("SVM", "forest", "scratch"))
        assert (row.pretraining > 0) == uses_weights, name
    assert care["MAML"].pretraining == episodes.pictures_shown("maml")
    assert set(methods.CANDIDATES) == set(methods.CHOSEN)
    assert {len(rows) for rows in methods.CANDIDATES.values()} == {6}
    stored = methods.settings.stored(methods.SETTINGS)
    assert all(stored[name] in methods.CANDIDATES[name] for name in methods.CHOSEN)


# ── the store ───────────────────────────────────────────────────────────────────────────────


def small_block(tmp_path, monkeypatch, number=7):
    """A block of three methods that cost nothing, in a folder of its own."""
    monkeypatch.setattr(blocks, "FOLDER", tmp_path / "confirmed")
    settings = ROOT / "tlcourse" / "lessons" / "ch01_concepts" / "transfer.json"
    names = ("SVM on pixels", "print + CORAL", "MAML")

    def read(seed, name):
        rng = np.random.default_rng([seed, names.index(name)])
        return {name: rng.random(60) < 0.9 - 0.2 * names.index(name)}

    return blocks.Block(number, 5, names, read, [settings])


def test_a_block_is_measured_once_on_seeds_of_its_own(tmp_path, monkeypatch):
    block = small_block(tmp_path, monkeypatch)
    with pytest.raises(FileNotFoundError, match="block 7 of the league is not measured yet"):
        block.results()
    block.confirm()
    stored = block.load()
    assert stored.seeds == [700, 701, 702, 703, 704]
    assert stored.about["rests on"] == block.hashes() and "torch" in stored.about["versions"]
    for name, right in block.results().items():
        assert right.shape == (5, 60) and right.dtype == bool
        assert np.array_equal(right[2], block.measure(702, name)[name])
    with pytest.raises(FileExistsError, match="a changed method needs the next block"):
        block.confirm()


def test_two_seeds_are_compared_with_the_stored_ones(tmp_path, monkeypatch):
    block = small_block(tmp_path, monkeypatch)
    block.confirm()
    again = block.again("MAML")
    assert again.as_stored is True and again.here.shape == (2, 60)
    assert repr(again).startswith("MAML: ") and repr(again).endswith("; as stored: yes")
    other = replace(again, here=again.here & (np.arange(60) > 3))
    assert other.as_stored is False and repr(other).endswith("as stored: no")
    with pytest.raises(ValueError, match="no 'maml': there are SVM on pixels"):
        block.again("maml")
    with monkeypatch.context() as patch:
        patch.setenv("TLCOURSE_SCALE", "full")
        assert len(block.again("MAML").here) == 5
    monkeypatch.setenv("TLCOURSE_SEED", "4")
    mine = block.again("MAML")
    assert mine.as_stored is None and "2 seeds of your own" in repr(mine)
    assert not np.array_equal(mine.here, again.here)


def test_the_table_has_the_best_first_and_says_what_each_was_given(tmp_path, monkeypatch):
    block = small_block(tmp_path, monkeypatch)
    block.confirm()
    monkeypatch.setattr(league, "BLOCK", block)
    header, *rows = league.table().rows
    assert header[:3] == ["method", "lesson", "accuracy"] and header[-1] == "sees beside"
    assert [row[0] for row in rows] == ["SVM on pixels", "print + CORAL", "MAML"]
    right = block.results()["print + CORAL"]
    low, mean, high = experiment.two_way_interval(right)
    assert mean == right.mean(), "the small block names no writers"
    assert rows[1][2] == f"{100 * mean:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    assert rows[0][3:5] == ["5", "6"] and rows[0][-1] == "nothing" and "no label" in rows[1][-1]
    assert [row[0] for row in league.table(["MAML"]).rows[1:]] == ["MAML"]
    assert isinstance(league.table(), verdicts.Table)
    with pytest.raises(ValueError, match="no method maml: there are"):
        league.table(["maml"])


@STORED
def test_what_is_stored_is_complete_and_rests_on_what_is_there():
    for block in BLOCKS:
        stored = block.load()
        assert stored.seeds == block.seeds and stored.about["rests on"] == block.hashes()
        assert set(stored.results) == set(block.parts)
    assert {r.shape for r in league.BLOCK.results().values()} == {(20, 997)}
    sizes = {"MNIST": 2000, "USPS": 2007, "SEMEION": 900}
    for name, right in travel.BLOCK.results().items():
        assert right.shape == (10, sizes[name.split(",")[0]]), name
    assert len({s for block in BLOCKS for s in block.seeds}) == 30, "no seed twice"


@STORED
def test_stored_results_never_change():
    """The first commit that holds a block holds it as it is now; none vanished."""
    assert history.lost(ROOT, "tlcourse/league/confirmed") == []

    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout

    for path in blocks.FOLDER.glob("*.npz"):
        where = path.relative_to(ROOT).as_posix()
        commits = git("log", "--reverse", "--format=%H", "--", where).decode().split()
        if commits:
            assert git("show", f"{commits[0]}:{where}") == path.read_bytes(), where


@STORED
def test_a_quick_method_is_as_stored():
    for name in ("SVM on pixels", "frozen features + nearest centroid", "fine-tuning"):
        assert league.row(name).as_stored, name


@STORED
@pytest.mark.weekly
def test_everything_is_as_stored():
    for block in BLOCKS:
        for part in block.parts:
            assert block.again(part, block.n).as_stored, part


# ── does it travel? ─────────────────────────────────────────────────────────────────────────


def test_of_mnist_the_same_pictures_are_always_tested():
    test = data.digits().test
    few = travel.first(test, 100)
    assert len(few) == 100 and torch.equal(few.images, travel.first(test, 100).images)
    assert len(few.labels.unique()) == 10, "a shuffle, not the first of the file"


@pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs TLCOURSE_DATA")
def test_other_peoples_digits_are_read_without_tuning():
    assert [len(travel.target(name).test) for name in travel.TARGETS] == [2000, 2007, 900]
    for name in travel.TARGETS:
        which = travel.part(name, 5, "frozen features + logistic regression")
        right = travel.read(3, which)[which]
        assert right.shape == (len(travel.target(name).test),) and right.mean() > 0.6, name


@STORED
def test_the_figure_and_the_table_show_what_is_stored():
    figure = travel.figure("Digits of other people")
    assert [ax.get_title() for ax in figure.axes] == list(travel.TARGETS)
    (_, *rows), stored = travel.table().rows, travel.BLOCK.results()
    assert len(rows) == 9
    for name, ax in zip(travel.TARGETS, figure.axes, strict=True):
        curves = {line.get_label(): line for line in ax.get_lines()}
        for method in travel.METHODS:
            due = [stored[travel.part(name, k, method)].mean() for k in travel.BUDGETS]
            assert list(curves[method].get_ydata()) == pytest.approx(due)
            assert curves[method].get_color() == plots.STYLES[method][0]


# ── the command ─────────────────────────────────────────────────────────────────────────────


@STORED
def test_the_command_prints_both_tables_and_measures_nothing_twice(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["league"])
    command.main()
    said = capsys.readouterr().out
    assert all(name in said for name in (*league.METHODS, *travel.TARGETS))
    for arguments in (["--measure"], ["--measure", "travel"]):
        monkeypatch.setattr(sys, "argv", ["league", *arguments])
        with pytest.raises(SystemExit) as stop:
            command.main()
        assert stop.value.code == 2
        assert "is measured already: a changed method needs the next" in capsys.readouterr().err
