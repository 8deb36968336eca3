"""Lesson 02a: what an SVM, a tree, counted words carry over."""
