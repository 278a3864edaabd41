"""Debugging: a program under debugpy where the code runs, and its port here."""
