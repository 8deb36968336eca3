"""The wings: one a lesson, named like its notebook; each may import the library and an earlier wing."""
