"""Lesson 00: the first transfer, on photographs, in fifteen lines."""
