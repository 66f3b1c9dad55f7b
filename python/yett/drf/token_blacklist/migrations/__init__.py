"""The history of the two tables.

Names and operations are simplejwt's and may never change: databases remember the names. A test
compares the SQL of each with the original.
"""
