"""Claims before results: what was written first, stored once, and proved by the project's history."""

import os
import subprocess
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tlcourse import verdicts
from tlcourse.experiment import ratio, two_way
from tlcourse.verdicts import care, confirm, entries, history, judging, lesson, store

ROOT = Path(__file__).parents[2]
WING = "package/lessons/wing"
TOML = """
lesson = "99"

[[block]]
number = 1

[[block.claim]]
id = "few"
row = "H1.1"
text = "ours reads more pictures than theirs"
outcome = "share of the test pictures"
a = "ours"
b = "theirs"
kind = "better"
unit = "accuracy"
seeds = 4

[[block.claim]]
id = "fast"
row = "H1.1"
text = "ours needs fewer steps than theirs"
outcome = "steps to .9"
a = "steps of ours"
b = "steps of theirs"
kind = "as good as"
unit = "ratio"
seeds = 4
"""


NEXT = TOML.partition('lesson = "99"')[2].replace("number = 1", "number = 2")


def results(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "ours": rng.random((4, 30)) < 0.9,
        "theirs": rng.random((4, 30)) < 0.6,
        "steps of ours": rng.uniform(5, 9, 4),
        "steps of theirs": rng.uniform(5, 9, 4),
    }


PEOPLE = [k // 6 for k in range(30)]  # who made each picture


def confirmed(block, found=None):
    return store.Confirmed(block.seeds(4), found or results(), {"claims": block.fingerprint()})


# ── claims.toml ─────────────────────────────────────────────────────────────────────────────


def test_a_block_has_seeds_of_its_own_and_a_fingerprint_of_every_word():
    (block,) = entries.parse(TOML)
    assert block.seeds(4) == [100, 101, 102, 103]
    assert [entry.id for entry in block.entries] == ["few", "fast"]
    for old, new in [
        ("seeds = 4", "seeds = 5"),
        ("more pictures", "as many pictures"),
        ('kind = "better"', 'kind = "as good as"'),
        ('b = "theirs"', 'b = "ours"'),
    ]:
        (changed,) = entries.parse(TOML.replace(old, new, 1))
        assert changed.fingerprint() != block.fingerprint(), old


def test_a_changed_margin_changes_the_fingerprint(monkeypatch):
    before = entries.parse(TOML)[0].fingerprint()
    monkeypatch.setitem(judging.MARGINS, "accuracy", (0.01, "less"))
    assert entries.parse(TOML)[0].fingerprint() != before


def test_claims_that_cannot_be_are_refused():
    again = TOML + TOML.partition('lesson = "99"')[2]
    only_few = again[: again.rindex("[[block.claim]]")]
    for text, message in [
        (again, r"blocks \[1, 1\]"),
        (TOML.replace("number = 1", "number = 0"), r"blocks \[0\]"),
        (TOML.replace("number = 1", "number = 2"), "leaving out none"),
        (TOML.replace('"fast"', '"few"'), "two claims have one id"),
        (TOML.replace("seeds = 4", "seeds = 1"), "2 to 100 seeds"),
        (TOML.replace('"accuracy"', '"beauty"'), "unit one of"),
    ]:
        with pytest.raises(ValueError, match=message):
            entries.parse(text)
    later = "number = 2".join(only_few.rsplit("number = 1", 1))
    with pytest.raises(ValueError, match="fast vanished"):
        entries.parse(later)
    kept = 'number = 2\ndropped = ["fast"]'.join(only_few.rsplit("number = 1", 1))
    assert [block.number for block in entries.parse(kept)] == [1, 2]


# ── the store ───────────────────────────────────────────────────────────────────────────────


def test_what_is_stored_comes_back(tmp_path):
    (block,) = entries.parse(TOML)
    given = confirmed(block)
    np.savez_compressed(tmp_path / "1.npz", **store.pack(given))
    with np.load(tmp_path / "1.npz") as arrays:
        found = store.unpack(arrays)
    assert found.seeds == given.seeds and found.about == given.about
    for name, values in given.results.items():
        assert found.results[name].dtype == values.dtype
        assert np.array_equal(found.results[name], values), name


# ── the history ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(tmp_path):
    """An honest project: claims in one commit, results in the next."""
    git(tmp_path, "init", "-q")
    write(tmp_path, TOML)
    commit(tmp_path, "freeze")
    keep(tmp_path, confirmed(entries.parse(TOML)[0]))
    commit(tmp_path, "confirm")
    return tmp_path


def git(root, *arguments):
    names = {
        f"GIT_{who}_{what}": "a@b.c"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    subprocess.run(["git", *arguments], cwd=root, check=True, env=os.environ | names)


def commit(root, words):
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", words)


def write(root, text):
    (root / WING).mkdir(exist_ok=True, parents=True)
    (root / WING / "claims.toml").write_text(text, encoding="utf-8")


def keep(root, what, number=1):
    folder = root / WING / "confirmed"
    folder.mkdir(exist_ok=True)
    np.savez_compressed(folder / f"{number}.npz", **store.pack(what))


def test_an_honest_project_has_no_fault(project):
    assert history.faults(project, WING) == []
    write(project, TOML + NEXT)
    assert history.faults(project, WING) == [], "a next block is welcome"


def test_a_claim_that_changes_after_its_results_is_found_committed_or_not(project):
    for old, new in [
        ("reads more", "surely reads more"),
        ('outcome = "share of the test pictures"', 'outcome = "share of the easy pictures"'),
        ("seeds = 4", "seeds = 3"),
        ('kind = "better"', 'kind = "as good as"'),
    ]:
        write(project, TOML.replace(old, new, 1))
        (first, *_) = history.faults(project, WING)
        assert "its claims changed since" in first, new
    commit(project, "quietly")
    assert history.faults(project, WING)
    keep(project, confirmed(entries.parse(TOML)[0]), number=2)
    assert (
        "2.npz: its block vanished from claims.toml; put it back."
        in history.faults(project, WING)[-1]
    )


def test_a_margin_that_moves_after_the_results_is_found(project, monkeypatch):
    monkeypatch.setitem(judging.MARGINS, "accuracy", (0.01, "less"))
    assert "a margin is another one now; use the next block" in history.faults(project, WING)[0]
    write(project, TOML + NEXT)
    assert history.faults(project, WING) == [], "with the next block a margin may move"
    moved = replace(
        confirmed(entries.parse(TOML)[0]),
        about={"claims": "", "margins": {"accuracy": 0.01, "ratio": 2}},
    )
    keep(project, moved)
    assert "its claims changed since" in history.faults(project, WING)[0]


def test_results_that_vanish_are_found_on_whatever_branch_they_were(project):
    gone = ["package/lessons/wing/confirmed/1.npz: its results are gone; restore them."]
    (project / WING / "confirmed" / "1.npz").unlink()
    assert history.faults(project, WING) == gone
    commit(project, "as if nothing had been measured")
    assert history.faults(project, WING) == gone
    git(project, "checkout", "-q", "-b", "side", "HEAD^")
    write(project, TOML + NEXT)
    commit(project, "freeze the next")
    keep(project, confirmed(entries.parse(TOML + NEXT)[1]), number=2)
    commit(project, "a block that looks bad")
    git(project, "checkout", "-q", "-")
    git(project, "merge", "-q", "-s", "ours", "-m", "hide it", "side")
    assert len(history.faults(project, WING)) == 2


def test_a_setting_that_moves_between_freezing_and_confirming_is_found(tmp_path):
    git(tmp_path, "init", "-q")
    write(tmp_path, TOML)
    (tmp_path / "package" / "rates.json").write_text("{}")
    commit(tmp_path, "freeze")
    (block,) = entries.parse(TOML)
    about = {"claims": block.fingerprint(), "rests on": {"rates.json": store.hash_of(b"{}")}}
    keep(tmp_path, replace(confirmed(block), about=about))
    assert history.faults(tmp_path, WING) == []
    about["rests on"] = {"rates.json": store.hash_of(b"[]")}
    keep(tmp_path, replace(confirmed(block), about=about))
    (tmp_path / "package" / "rates.json").write_text("[]")
    commit(tmp_path, "confirm, with other rates")
    assert history.faults(tmp_path, WING) == [
        "package/lessons/wing/confirmed/1.npz: no commit before its results holds rates.json as it was used."
    ]


def test_results_before_their_claims_are_found(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "README").write_text("nothing yet")
    commit(tmp_path, "begin")
    write(tmp_path, TOML)
    keep(tmp_path, confirmed(entries.parse(TOML)[0]))
    assert history.faults(tmp_path, WING) == [
        "package/lessons/wing/confirmed/1.npz: commit its claims first."
    ]
    commit(tmp_path, "both at once")
    assert history.faults(tmp_path, WING) == [
        "package/lessons/wing/confirmed/1.npz: no commit before its results holds its claims word for word."
    ]


def test_results_that_change_or_lack_seeds_are_found(project):
    (block,) = entries.parse(TOML)
    keep(project, confirmed(block, results(seed=1)))
    assert "stored results changed" in history.faults(project, WING)[-1]
    commit(project, "nicer ones")
    assert "stored results changed" in history.faults(project, WING)[-1]
    keep(project, replace(confirmed(block), seeds=[100, 101, 102, 109]))
    assert "are not the first 4 of the block" in history.faults(project, WING)[0]
    fewer = results()
    del fewer["theirs"]
    keep(project, confirmed(block, fewer))
    assert "no results of theirs" in history.faults(project, WING)[0]


def wings():
    return sorted(p.parent.name for p in (ROOT / "tlcourse" / "lessons").glob("*/claims.toml"))


@pytest.mark.parametrize("wing", wings())
def test_the_claims_of_a_lesson_were_written_before_their_results(wing):
    """With the full history; a shallow clone cannot prove it."""
    shallow = ["git", "rev-parse", "--is-shallow-repository"]
    said = subprocess.run(shallow, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if said.strip() != "false":
        pytest.skip("the history is not here")
    assert history.faults(ROOT, f"tlcourse/lessons/{wing}") == []


@pytest.mark.parametrize("wing", wings())
def test_settings_and_weights_are_those_that_were_confirmed(wing):
    block = entries.read(wing)[-1]
    if store.path(wing, block.number).exists():
        assert store.load(wing, block.number).about["rests on"] == confirm.rests_on(wing)


@pytest.mark.parametrize("wing", wings())
def test_a_claim_names_all_in_which_its_methods_differ(wing):
    measure = import_module(f"tlcourse.lessons.{wing}.measure")
    block = entries.read(wing)[-1]
    assert care.unsaid(block, measure.care()) == []
    assert 2 <= len(block.entries) <= 8


@pytest.mark.weekly
@pytest.mark.parametrize("wing", wings())
def test_all_seeds_computed_anew_are_as_stored(wing):
    claims = lesson.Claims(wing)
    assert claims.agrees(confirm.measured(wing, claims.confirmed.seeds))


# ── care ────────────────────────────────────────────────────────────────────────────────────


def test_a_method_that_is_given_more_without_saying_so_is_found():
    (block,) = entries.parse(TOML)
    plain = verdicts.Care(5, 6, 100, False, 0)
    equal = dict.fromkeys(results(), plain)
    assert care.unsaid(block, equal) == []
    for field, value in [
        ("labels", 20),
        ("candidates", 12),
        ("steps", 200),
        ("augmentation", True),
        ("pretraining", 640_000),
        ("labels_to_choose", 397),
    ]:
        (found,) = care.unsaid(block, equal | {"ours": replace(plain, **{field: value})})
        assert f"differ in {field}" in found
    text = "ours, pretrained, needs fewer steps than theirs"
    said = replace(block, entries=(block.entries[0], replace(block.entries[1], text=text)))
    more = replace(plain, steps=200, pretraining=9)
    assert care.unsaid(said, equal | {"steps of ours": more}) == []


# ── in a lesson ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def claims(monkeypatch):
    (block,) = entries.parse(TOML)
    monkeypatch.setattr(entries, "read", lambda wing: [block])
    monkeypatch.setattr(store, "load", lambda wing, number: confirmed(block))
    return lesson.Claims(WING)


def test_a_lesson_judges_by_stored_seeds_at_its_own_level(claims, capsys):
    few, fast = claims.judge()
    a, b = results()["ours"], results()["theirs"]
    assert few.difference == two_way(a, b, 0.975) and claims.level == 0.975
    steps = results()["steps of ours"], results()["steps of theirs"]
    assert fast.difference == ratio(*steps, 0.975)
    assert few.verdict == judging.judge_difference(few.difference, "accuracy")
    assert few.seeds == pytest.approx(a.mean(1) - b.mean(1))
    printed = capsys.readouterr().out
    assert "97.5 % interval" in printed and few.entry.text in printed
    rows = claims.table().rows
    assert len(rows) == 3 and rows[1][-1].startswith(judging.SYMBOLS[few.verdict])
    with pytest.raises(ValueError, match="no claim many: there are few, fast"):
        claims.judge("many")


def test_live_seeds_are_compared_with_the_stored_ones(claims, capsys, monkeypatch):
    found = {name: values[:2] for name, values in results().items()}
    asked = []

    def measured(wing, seeds, parts):
        asked.append(seeds)
        return found

    monkeypatch.setattr(confirm, "measured", measured)
    claims.run("all")
    assert asked == [[100, 101]] and "as stored: yes" in capsys.readouterr().out
    assert len(claims.judged("few")[0].live) == 2
    for name, factor in (("ours", None), ("steps of theirs", 1.2)):
        moved = found[name] * factor if factor else ~found[name]
        assert not claims.agrees(found | {name: moved})
    monkeypatch.setenv("TLCOURSE_SEED", "7")
    claims.run("all")
    assert asked[-1] == [1_006_000, 1_006_001]
    claims.judge("few")
    printed = capsys.readouterr().out
    assert "seeds of your own" in printed and "here: " in printed
    monkeypatch.setenv("TLCOURSE_SEED", "0")
    monkeypatch.setenv("TLCOURSE_SCALE", "full")
    claims.run("all")
    assert asked[-1] == [100, 101, 102, 103]


def test_what_older_blocks_gave_stands_beside_the_new(monkeypatch):
    rest = NEXT[NEXT.rindex("[[block.claim]]") :]
    text = TOML + NEXT.replace(rest, "").replace("number = 2", 'number = 2\ndropped = ["fast"]')
    old, new = entries.parse(text)
    about = {"margins": {"accuracy": 0.6, "ratio": 1.25}, "groups": PEOPLE}
    stored = {1: replace(confirmed(old), about=about), 2: confirmed(new, results(seed=1))}
    monkeypatch.setattr(entries, "read", lambda wing: [old, new])
    monkeypatch.setattr(store, "load", lambda wing, number: stored[number])
    header, few, fast = lesson.Claims(WING).table().rows
    assert header[-2:] == ("verdict", "block 1")
    then = two_way(results()["ours"], results()["theirs"], 0.975, PEOPLE)
    assert few[-1] == f"{then.effect} ≈", "judged by the margin and the people of that time"
    assert few[2] == two_way(results(seed=1)["ours"], results(seed=1)["theirs"], 0.95).effect
    assert fast[1].startswith("ours needs") and fast[-2] == "dropped" and "times [" in fast[-1]


# ── exploring and confirming ────────────────────────────────────────────────────────────────


@pytest.fixture
def measured_wing(monkeypatch, tmp_path):
    """A wing whose measurements are ready, and a place for what is stored."""
    (block,) = entries.parse(TOML)
    monkeypatch.setattr(entries, "read", lambda wing: [block])
    monkeypatch.setattr(confirm, "measured", lambda wing, seeds: results())
    monkeypatch.setattr(confirm, "rests_on", lambda wing: {"weights": "hash"})
    monkeypatch.setattr(confirm, "groups", lambda wing: PEOPLE)
    monkeypatch.setattr(
        store, "path", lambda wing, number: tmp_path / "confirmed" / f"{number}.npz"
    )
    return block


def test_exploring_says_how_wide_each_interval_will_be(measured_wing):
    _, few, fast = confirm.expected(WING, 4).rows
    a, b = results()["ours"], results()["theirs"]
    d = two_way(a, b, 0.975, PEOPLE)
    assert few[0] == "few" and float(few[1]) == pytest.approx(d.mean, abs=5e-4)
    assert float(few[3]) == pytest.approx(d.high - d.mean, abs=5e-4), (
        "of as many seeds as were seen"
    )
    assert fast[-1] == "0.223", "the margin of a ratio on its logarithm"


def test_a_block_is_confirmed_once(measured_wing):
    where = confirm.confirm(WING)
    found = store.load(WING, 1)
    assert found.about["claims"] == measured_wing.fingerprint()
    assert found.about["rests on"] == {"weights": "hash"} and "torch" in found.about["versions"]
    assert found.seeds == [100, 101, 102, 103] and found.groups == PEOPLE
    assert found.margins == {"accuracy": 0.02, "ratio": 1.25}
    before = where.read_bytes()
    with pytest.raises(FileExistsError, match="open already: changed claims need the next block"):
        confirm.confirm(WING)
    assert where.read_bytes() == before


def test_a_lesson_is_found_by_its_number():
    assert confirm.wing_of("01") == "ch01_concepts"
    with pytest.raises(ValueError, match="lesson '99' has no claims.toml: there are ch0"):
        confirm.wing_of("99")
