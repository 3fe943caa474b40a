"""Trainings in processes of their own, and tables of finished runs."""
