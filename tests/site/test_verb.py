"""`python3 -m course site`, as far as it can be seen without a build."""

from __future__ import annotations

from pathlib import Path

from stand_in_course import StandInCourse

from course import site


def test_the_launcher_sets_up_and_hands_the_options_over(tmp_path: Path):
    code, text = StandInCourse(tmp_path).run("site", "--unknown")
    assert code == 2 and "usage: python3 -m course site" in text and "unrecognized arguments: --unknown" in text


def test_a_build_is_strict_and_a_server_listens_on_this_computer_alone(tmp_path: Path):
    parse = site.make_parser().parse_args
    built = site.mkdocs_arguments(parse(["--output", str(tmp_path)]))
    assert built == ["build", "--strict", "--site-dir", str(tmp_path)]
    assert site.mkdocs_arguments(parse(["--serve"]))[:3] == ["serve", "--dev-addr", "127.0.0.1:8000"]
