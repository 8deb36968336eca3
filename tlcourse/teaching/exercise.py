"""The exercises: what is asked, hints, and a slow, obvious specification of each.

One room holds the exercises of one topic; `ROOMS` says which assignment asks for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from tlcourse.teaching.values import Guess, explained, settle

ROOMS = {
    "01_concepts": (
        "ch01_concepts.exercises.draw",
        "ch01_concepts.exercises.freezing",
        "ch01_concepts.exercises.measuring",
        "ch01_concepts.exercises.features",
    ),
    "02_model_choice": (
        "ch02a_traditional_models.exercises",
        "ch02b_pictures.exercises",
        "ch02c_language.exercises",
        "ch02d_choosing_a_source.exercises",
    ),
    "03_tuning": ("ch03_tuning.exercises",),
    "04_regularization": ("ch04_regularization.exercises",),
    "05_multitask": ("ch05_multitask.exercises",),
    "06_maml": ("ch06_maml.exercises",),
    "07_data_processing": (
        "ch07a_cleaning.exercises",
        "ch07c_augmentation.exercises",
        "ch07b_scaling.exercises",
    ),
}


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    name : str
        Name of the function that the student writes.
    level : int
        1 to 3 stars.
    minutes : int
        What a student needs, about.
    goal, given, returns, example : str
        The statement: why, the inputs, the result (type, shape, unit, tolerance), one call.
    hints : tuple of str
        From a nudge to nearly the solution.
    verify : callable
        ``verify(student, rng)`` tries one random case and raises `guard.Mistake`.
    cases : int
        How many random cases a check tries.
    """

    name: str
    level: int
    minutes: int
    goal: str
    given: str
    returns: str
    example: str
    hints: tuple[str, ...]
    verify: Callable
    cases: int = 20

    def verify_all(self, student, seed: int) -> None:
        """Verify every random case, which `seed` moves; raise Mistake for what is wrong.

        A wrong result that may have several reasons is judged at the end, by all cases.
        """
        guesses = []
        for case in range(self.cases):
            try:
                self.verify(student, np.random.default_rng([seed, case]))
            except Guess as guess:
                guesses.append(guess)
            if guesses and not explained(guesses, student.contradicted):
                break  # no known mistake is left, and more cases would bring none back
        if guesses:
            raise settle(guesses, student.contradicted)

    def statement(self) -> str:
        """Return the exercise's statement as Markdown."""
        stars = "★" * self.level + "☆" * (3 - self.level)
        return (
            f"**`{self.name}`** {stars} · about {self.minutes} minutes\n\n"
            f"{self.goal}\n\n"
            f"- **Given:** {self.given}\n"
            f"- **Return:** {self.returns}\n"
            f"- **Example:** {self.example}\n"
        )


def catalogue(assignment: str | None = None) -> dict[str, Exercise]:
    """Return the exercises of one assignment, or of the whole course, by their names."""
    chosen = [assignment] if assignment else ROOMS
    rooms = [import_module(f"tlcourse.lessons.{room}") for name in chosen for room in ROOMS[name]]
    return {exercise.name: exercise for room in rooms for exercise in room.EXERCISES}
