"""What every notebook of the course shares, and the launcher (`python3 -m course`).

Importing this package imports nothing else: the launcher runs before anything is installed, and on Pythons that are
too old for the rest. So this file is written in what all of them understand.
"""

__all__ = ["PALETTE", "data_rows", "data_source", "mask", "runs_folder", "setup", "show", "show_source"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError("module 'course' has no attribute " + repr(name))
    from course import notebook

    return getattr(notebook, name)
