"""What the course does outside a notebook: ``python -m tlcourse COMMAND``."""

import argparse
import os
import sys
from importlib import import_module

from tlcourse import console

LESSONS = "tlcourse.lessons"
COMMANDS = {
    "audit": ("tlcourse.audit.command", "what is wrong with a table of your own, and what to do"),
    "photos": (
        f"{LESSONS}.ch02d_choosing_a_source.own_photos.command",
        "transfer on your own photographs",
    ),
    "lessons": ("tlcourse.teaching.hand_out", "copy the notebooks into a folder, over nothing"),
    "report": ("tlcourse.report", "what a problem report asks for"),
    "choose": (None, "choose the stored settings of a room again: choose ROOM"),
    "confirm": (
        "tlcourse.verdicts.confirm",
        "measure what a lesson's claims promise, and store it",
    ),
    "league": (
        "tlcourse.league.command",
        "the number to beat: every method on one task, and where it travels",
    ),
    "pretrain": (f"{LESSONS}.ch02d_choosing_a_source.zoo", "make shipped backbones again"),
    "language": (f"{LESSONS}.ch02c_language.pretraining", "make shipped language models again"),
    "landscapes": (f"{LESSONS}.ch03_tuning.landscapes", "make the designs of lesson 03 again"),
    "episodes": (f"{LESSONS}.ch06_maml.episodes", "make the meta-trained networks again"),
}
CHOICES = {
    "transfer": "lessons.ch01_concepts.transfer",
    "sources": "lessons.ch01_concepts.sources",
    "finetuning": "lessons.ch02b_pictures.finetuning",
    "documents": "lessons.ch02c_language.documents",
    "photos": "lessons.ch02d_choosing_a_source.photos",
    "selection": "lessons.ch02d_choosing_a_source.selection",
    "regularization": "lessons.ch04_regularization.comparison",
    "multitask": "lessons.ch05_multitask.comparison",
    "scaling": "lessons.ch07b_scaling.scaling",
    "policies": "lessons.ch07c_augmentation.comparison",
    "league": "league.methods",
}
HELP = ("", "-h", "--help")
WITHOUT_OPTIONS = ("report", "choose", "episodes")  # the others read their own


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<11}{words}" for name, (_, words) in COMMANDS.items()]
    rooms = f"\nrooms to choose for: {', '.join(CHOICES)}"
    return "\n".join(["python -m tlcourse COMMAND [--help]", *lines]) + rooms


def main(arguments: list[str]) -> int:
    """Run a command; return its exit status, 2 if there is no such command."""
    name, *rest = arguments or [""]
    if name == "choose" and rest and rest[0] in CHOICES:
        module = f"tlcourse.{CHOICES[rest.pop(0)]}"
    elif name in COMMANDS and name != "choose":
        module = COMMANDS[name][0]
    else:
        asked = name in HELP or (name == "choose" and any(word in HELP for word in rest))
        print(usage(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    sys.argv = [f"python -m tlcourse {name}", *rest]  # what the command's own parser reads
    command = import_module(module).main
    if name in WITHOUT_OPTIONS:
        argparse.ArgumentParser(sys.argv[0], description=command.__doc__).parse_args()
    return command() or 0


if __name__ == "__main__":
    console.print_anywhere()
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # who reads it, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
