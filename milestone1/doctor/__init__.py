"""The doctor: what a computer has of what the course needs, and one line for each repair.

`python3 -m milestone1.doctor` prints its report. It changes nothing, and needs the standard library alone.
"""
