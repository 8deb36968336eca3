"""Lesson 03: grid, random and Bayesian search at an equal budget."""
