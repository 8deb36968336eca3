"""Exercises, their instant checks, quizzes and explorers."""
