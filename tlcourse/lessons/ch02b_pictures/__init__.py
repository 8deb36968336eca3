"""Lesson 02b: what to freeze, what to tune."""
