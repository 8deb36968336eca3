"""A reader's own photographs: one folder a class."""

from pathlib import Path


def load_folder(folder, transform=None):
    """Return photographs that lie in one folder a class, as torchvision's ``ImageFolder``.

    Parameters
    ----------
    folder : str or Path
        Holds ``ants/1.jpg``, ``bees/2.jpg`` and so on. Hidden folders, such as those that Jupyter
        leaves behind, are passed over.
    transform : callable, optional
        Applied to each photograph (PIL, RGB).

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or a class holds no photograph.
    ValueError
        If there are fewer than two classes.
    """
    from torchvision.datasets import ImageFolder

    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder.name!r}: give the path of one.")
    names = sorted(f.name for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    if len(names) < 2:
        raise ValueError(
            f"{folder.name!r} holds {len(names)} class folders: put the photographs of each class "
            "into a folder of its own, two classes or more."
        )

    class Visible(ImageFolder):
        def find_classes(self, directory):
            return names, {name: k for k, name in enumerate(names)}

    try:
        return Visible(folder, transform)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"a class in {folder.name!r} holds no photograph: fill its folder or delete it. {error}"
        ) from error
