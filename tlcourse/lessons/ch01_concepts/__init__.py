"""Lesson 01: what knowledge is, what moves, when it harms."""
