"""The zoo: its source tasks, its files, and the command that makes them."""

import numpy as np
import pytest
import torch

from tlcourse import data, models
from tlcourse.lessons.ch01_concepts import pretrain
from tlcourse.lessons.ch02d_choosing_a_source import zoo


@pytest.fixture(scope="module")
def nets():
    return zoo.zoo()


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_zoo_has_eleven_trained_sources_and_one_that_saw_nothing(nets):
    assert list(nets) == [*zoo.SOURCES, zoo.RANDOM] and len(nets) == 12
    assert not any(net.training for net in nets.values())
    assert same(nets[zoo.RANDOM].state_dict(), zoo.zoo()[zoo.RANDOM].state_dict())


def test_every_source_learned_its_task_and_shuffled_labels_were_hardly_learned(nets):
    """Heads fit backbones: on pictures as in training, far more are right than by chance."""
    for name in zoo.SOURCES:
        task, augment = zoo.source_task(name)
        assert nets[name].head.out_features == len(task.names), name
        rows = torch.randperm(len(task), generator=torch.Generator().manual_seed(1))[:300]
        images = augment(task.images[rows], torch.Generator().manual_seed(2))
        features, probabilities = zoo.read(nets[name], images)
        assert features.shape == (len(rows), 256) and features.dtype == np.float64
        assert np.allclose(probabilities.sum(1), 1) and (probabilities >= 0).all()
        right = (probabilities.argmax(1) == task.labels[rows].numpy()).mean()
        if name == "shuffled":
            assert right < 0.05, "labels that follow no rule: nothing to learn but by heart"
        else:
            assert right > max(0.2, 1.5 / len(task.names)), (name, right)


def test_a_missing_or_damaged_file_is_named_in_one_sentence(monkeypatch, tmp_path):
    for kept in ("greek.pt", "greek.head.pt"):
        whole = (zoo.WEIGHTS / kept).read_bytes()
        (tmp_path / kept).write_bytes(whole)
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path)
    assert zoo.load("greek").head.out_features == 176
    for content in (b"not weights", whole[: len(whole) // 2]):
        (tmp_path / "greek.head.pt").write_bytes(content)
        with pytest.raises(ValueError, match=r"greek.head.pt is damaged .*tlcourse pretrain greek"):
            zoo.load("greek")
    (tmp_path / "greek.head.pt").unlink()
    with pytest.raises(FileNotFoundError, match=r"no weights file greek.head.pt.*pretrain greek"):
        zoo.load("greek")
    with pytest.raises(FileNotFoundError, match=r"no weights file latin.pt"):
        zoo.load("latin")


def test_pictures_are_what_the_source_saw_in_training():
    bright = {n: zoo.pictures(n).mean().item() for n in ("latin", "negative", zoo.RANDOM)}
    assert bright["negative"] > 0.5 > bright["latin"]
    assert torch.equal(zoo.pictures(zoo.RANDOM), zoo.pictures("alphabets"))
    assert zoo.pictures("arabic", 9).shape == (9, 1, 16, 16)


def test_alphabets_script_and_shuffled_share_their_pictures_and_not_their_labels():
    letters, script, shuffled = (zoo.source_task(n)[0] for n in ("alphabets", "script", "shuffled"))
    assert torch.equal(letters.images, script.images)
    assert torch.equal(letters.images, shuffled.images)
    assert torch.equal(letters.labels.bincount(), shuffled.labels.bincount()), "a permutation"
    assert (letters.labels == shuffled.labels).float().mean() < 0.02
    of_letter = {}
    for letter, label in zip(letters.labels.tolist(), script.labels.tolist(), strict=True):
        assert of_letter.setdefault(letter, label) == label, "a letter has one script"
    for letter, script_name in zip("AЖΨ", ("LATIN", "CYRILLIC", "GREEK"), strict=True):
        assert script.names[of_letter[letters.names.index(letter)]] == script_name


# ── the command ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def command(monkeypatch, tmp_path):
    (tmp_path / "zoo").mkdir()
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path / "zoo")
    threads = torch.get_num_threads()

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["pretrain", *arguments])
        zoo.main()
        return {p.name: torch.load(p, weights_only=True) for p in tmp_path.rglob("*.pt")}

    yield run
    torch.set_num_threads(threads)


def test_the_command_makes_the_sources_it_is_asked_for_and_the_same_each_time(command, capsys):
    first = command("faces", "--steps", "2")
    assert list(first) == ["faces.pt"]
    assert torch.isfinite(models.load_backbone("faces")(torch.rand(2, 1, 16, 16))).all()
    task, augment = pretrain.source_task("faces")
    assert f"faces: {len(data.glyphs())} pictures, {len(task.names)} c" in capsys.readouterr().out
    again = command("--steps", "2")
    assert set(again) == {f"{s}.pt" for s in pretrain.SOURCES}, "without a name, all of them"
    assert same(first["faces.pt"], again["faces.pt"])
    returned = pretrain.pretrain(task, augment, 2).backbone.state_dict()
    assert all(
        torch.equal(again["faces.pt"][n], v.to(again["faces.pt"][n].dtype))
        for n, v in returned.items()
    )
    assert {"arabic.pt", "arabic.head.pt"} <= set(command("arabic", "--steps", "2"))
    assert zoo.load("arabic").head.out_features == 43


def test_the_help_names_the_sources_and_the_number_of_steps(command, capsys):
    for wrong, status in (("--help", 0), ("latn", 2)):
        with pytest.raises(SystemExit) as end:
            command(wrong)
        assert end.value.code == status
    shown = capsys.readouterr()
    assert "python -m tlcourse pretrain" in shown.out and "--steps" in shown.out
    assert "unknown latn: choose of letters" in shown.err and "latin" in shown.err
