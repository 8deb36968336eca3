"""Docstrings: what is extracted, how it is split by file, and which names are masked."""

import subprocess
import sys

import numpy as np

from tlcourse.data import docstrings

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
    found = sorted(docstrings.docstrings(SOURCE))
    assert found == ["Class words.", "Method words.", "Module words."]
    for no_python_of_this_version in ('print "old"\n"""text"""', "\0"):
        assert list(docstrings.docstrings(no_python_of_this_version)) == []


def test_reading_the_files_imports_none_of_them():
    code = (
        f"import runpy, sys; runpy.run_path({docstrings.__file__!r})['extract'](['networkx'])\n"
        "sys.exit('networkx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sentences_keep_prose_and_lose_doctests_headings_and_short_lines():
    text = """Compute the mean of all values in x. Too short here.

    Parameters
    ----------
    x : array
        The numbers to take the mean of, at least one.

    >>> this is a doctest and it is never kept
    """
    assert docstrings.sentences(text) == [
        "compute the mean of all values in x",
        "array the numbers to take the mean of at least one",
    ]


def test_names_that_give_a_package_away_are_masked_and_only_whole_aliases():
    names = [
        "NumPy",
        "np",
        "scikit-learn",
        "PyTorch",
        "torch",
        "plt",
        "sklearn.svm",
        "SciPy's",
        "IPython",
        "nx",
    ]
    for name in names:
        (sentence,) = docstrings.sentences(f"This function works on {name} arrays of any size.")
        assert docstrings.MASK in sentence.split(), name
        assert not any(map(docstrings.NAME.search, sentence.split())), name
        assert "arrays" in sentence and "function" in sentence
    (sentence,) = docstrings.sentences("An input that spans the spectrum of plots.")
    assert docstrings.MASK not in sentence


def test_the_side_of_a_file_is_a_hash_of_its_name_the_same_everywhere():
    names = ["numpy/linalg/_linalg.py", "torch/nn/modules/rnn.py", "stdlib/_py_abc.py"]
    assert [docstrings.side(name) for name in names] == ["test", "train", "validation"]
    sides = [docstrings.side(f"package/file{i}.py") for i in range(4000)]
    shares = [sides.count(name) / 4000 for name in docstrings.SIDES]
    assert np.allclose(shares, docstrings.SHARES, atol=0.03)


def test_a_sentence_that_two_files_share_stays_on_the_training_side(tmp_path, monkeypatch):
    shared = "these are the words of a shared sentence"
    assert {docstrings.side(f"package/file{i}.py") for i in range(40)} == set(docstrings.SIDES)
    for i in range(40):
        own = f"Own words of file {chr(97 + i % 26)}{chr(97 + i // 26)} only."
        (tmp_path / f"file{i}.py").write_text(f'"""{shared}.\n\n{own}"""')
    monkeypatch.setattr(docstrings, "_root", lambda package: tmp_path)
    arrays = docstrings.extract(["package"])
    texts = arrays["texts"].tobytes().decode().split("\n")
    assert len(texts) == 41
    assert docstrings.side(arrays["paths"][arrays["files"][texts.index(shared)]]) == "train"


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setitem(docstrings.PACKAGES, "a_package_nobody_has", "a-package-nobody-has")
    assert "a_package_nobody_has" not in docstrings.installed()
    assert {"numpy", "stdlib", "torch"} <= set(docstrings.installed())
