"""Lesson 05: several tasks in one network, and who gives way."""
