"""The docstring corpus: what is extracted, how it is split, what is masked, and the tasks made of it."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from tlcourse import data
from tlcourse.data import corpus


@pytest.fixture(scope="module")
def everything():
    return corpus.load()


@pytest.fixture(scope="module")
def task(everything):
    return corpus.package_documents(everything)


# ── extraction ──────────────────────────────────────────────────────────────────────────────

SOURCE = '''
"""Module words."""
import a_package_that_does_not_exist
raise SystemExit("never run")
class Thing:
    """Class words."""
    def method(self):
        """Method words."""
        "no docstring"
    async def other(self):
        x = """not a docstring either"""
'''


def test_docstrings_of_modules_classes_and_functions_are_found_and_nothing_runs():
    assert sorted(corpus.docstrings(SOURCE)) == ["Class words.", "Method words.", "Module words."]


def test_a_file_that_is_no_python_of_this_version_gives_nothing():
    assert list(corpus.docstrings('print "old"\n"""text"""')) == []
    assert list(corpus.docstrings("\0")) == []


def test_sentences_keep_prose_and_lose_doctests_headings_and_short_lines():
    text = """Compute the mean of all values in x. Too short here.

    Parameters
    ----------
    x : array
        The numbers to take the mean of, at least one.

    >>> this is a doctest and it is never kept
    """
    assert corpus.sentences(text) == [
        "compute the mean of all values in x",
        "array the numbers to take the mean of at least one",
    ]


@pytest.mark.parametrize(
    "words",
    ["NumPy arrays", "np arrays", "scikit-learn arrays", "PyTorch arrays", "torch arrays",
     "plt arrays", "sklearn.svm arrays", "SciPy's arrays", "IPython arrays", "nx arrays"],
)  # fmt: skip
def test_names_that_give_a_package_away_are_masked(words):
    (sentence,) = corpus.sentences(f"This function works on {words} of any size.")
    assert corpus.MASK in sentence.split()
    assert not any(map(corpus.NAME.search, sentence.split()))
    assert "arrays" in sentence and "function" in sentence


def test_masks_hit_whole_aliases_only():
    (sentence,) = corpus.sentences("An input that spans the spectrum of plots.")
    assert corpus.MASK not in sentence


def test_reading_the_files_imports_none_of_them():
    code = (
        "import sys; from tlcourse import corpus; corpus.extract(['networkx'])\n"
        "sys.exit('networkx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ── the split ───────────────────────────────────────────────────────────────────────────────


def test_the_side_of_a_file_is_a_hash_of_its_name_the_same_everywhere():
    names = ["numpy/linalg/_linalg.py", "torch/nn/modules/rnn.py", "stdlib/_py_abc.py"]
    assert [corpus.side(name) for name in names] == ["test", "train", "validation"]


def test_shares_of_the_sides():
    sides = [corpus.side(f"package/file{i}.py") for i in range(4000)]
    shares = [sides.count(name) / 4000 for name in corpus.SIDES]
    assert np.allclose(shares, corpus.SHARES, atol=0.03)


def test_no_file_and_no_sentence_is_on_two_sides(everything):
    parts = [everything.part(name) for name in corpus.SIDES]
    assert sum(map(len, parts)) == len(everything)
    for i, one in enumerate(parts):
        for other in parts[i + 1 :]:
            assert not set(one.files) & set(other.files)
            assert not set(one.texts) & set(other.texts)
    assert len(set(everything.texts)) == len(everything)


def test_a_sentence_that_two_files_share_stays_on_the_training_side(tmp_path, monkeypatch):
    shared = "these are the words of a shared sentence"
    names = [f"package/file{i}.py" for i in range(40)]
    sides = {corpus.side(name) for name in names}
    assert sides == set(corpus.SIDES)
    for i in range(40):
        (tmp_path / f"file{i}.py").write_text(f'"""{shared}.\n\nOwn words of file {chr(97 + i % 26)}'
                                              f'{chr(97 + i // 26)} only."""')  # fmt: skip
    monkeypatch.setattr(corpus, "_root", lambda package: tmp_path)
    arrays = corpus.extract(["package"])
    texts = arrays["texts"].tobytes().decode().split("\n")
    assert len(texts) == 41
    assert corpus.side(arrays["paths"][arrays["files"][texts.index(shared)]]) == "train"


def test_the_corpus_knows_package_submodule_and_file(everything):
    scipy = everything.where(everything.packages == "scipy")
    assert len(scipy) > 5000 and {"stats", "optimize", "signal"} <= set(scipy.submodules)
    assert all(everything.paths[f].startswith("scipy/") for f in set(scipy.files))
    assert not any("/tests/" in path for path in everything.paths)


def test_the_fingerprint_changes_with_a_word_and_with_the_order(everything):
    few = everything.where(np.arange(len(everything)) < 50)
    assert (
        len(few.fingerprint) == 16 and few.fingerprint == few.where(np.ones(50, bool)).fingerprint
    )
    texts = few.texts.copy()
    texts[3] += "s"
    for other in (
        corpus.Corpus(texts, few.files, few.paths),
        corpus.Corpus(few.texts[::-1], few.files[::-1], few.paths),
    ):
        assert other.fingerprint != few.fingerprint


def test_an_unknown_side_names_the_three(everything):
    with pytest.raises(ValueError, match="'dev': choose one of train, validation, test"):
        everything.part("dev")


# ── documents ───────────────────────────────────────────────────────────────────────────────


def test_documents_are_balanced_and_of_their_own_side(everything, task):
    assert len(task.pool.names) >= 8
    for part, size, name in zip(task, (250, 60, 110), corpus.SIDES, strict=True):
        assert (np.bincount(part.labels) == size).all()
        own = " \n ".join(everything.part(name).texts)
        assert all(text.split(" ")[0] in own for text in part.texts[:5])
    side = everything.part("test")
    one = side.where(side.packages == task.test.names[0])
    whole = " ".join(one.texts)
    assert all(text in whole for text in task.test.subset(task.test.labels == 0).texts)


def test_no_document_is_on_two_sides(task):
    parts = [set(part.texts) for part in task]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_no_name_gives_a_document_away(task):
    words = {word for part in task for text in part.texts for word in text.split()}
    assert not words & corpus.ALIASES
    assert not [word for word in words if corpus.NAME.search(word)]


def test_few_labels_draws_nested_from_documents(task):
    few, more = (data.few_labels(task.pool, k, seed=3) for k in (5, 20))
    assert set(few.texts) < set(more.texts) and len(few) == 5 * len(task.pool.names)
    assert data.few_labels(task.pool, 5, seed=4).texts != few.texts
    assert few.labels.dtype == torch.int64


def test_topics_of_one_package(everything):
    topics = corpus.topic_documents(everything, "scipy")
    assert len(topics.pool.names) >= 4 and len(topics.validation) == 0
    assert (np.bincount(topics.test.labels) == 40).all()


def test_packages_that_are_missing_make_fewer_classes_and_then_an_error(everything):
    some = everything.where(np.isin(everything.packages, ["scipy", "sympy"]))
    assert corpus.package_documents(some).test.names == ["scipy", "sympy"]
    one = some.where(some.packages == "scipy")
    with pytest.raises(ValueError, match="1 packages have .* documents: ask for fewer, or install"):
        corpus.package_documents(one)
    with pytest.raises(ValueError, match="0 packages"):
        corpus.package_documents(some, sizes=(10**6, 1, 1))


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setitem(corpus.PACKAGES, "a_package_nobody_has", "a-package-nobody-has")
    assert "a_package_nobody_has" not in corpus.installed()
    assert {"numpy", "stdlib", "torch"} <= set(corpus.installed())
