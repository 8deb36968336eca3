"""Lesson 02d: a reader's own photographs, from a folder to a verdict and a recipe."""
