"""The doctor's command line: ``python3 -m milestone1.doctor`` (on Windows ``py -m milestone1.doctor``).

This file has to be readable by any Python, however old: it tells an old one what is wrong. So no syntax here that is
newer than Python 3.6, and everything else is imported only after the check.
"""

import sys

from course.__main__ import too_old


def main():
    """Check the Python, then hand over to the doctor; return the exit code."""
    message = too_old(sys.version_info)
    if message:
        sys.stderr.write(message + "\n")
        return 1
    from milestone1.doctor.report import main as report

    return report(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
