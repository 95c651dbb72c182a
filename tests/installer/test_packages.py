"""Debian packages: root installs what is missing, others are told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installer.stand_ins import ROOT, run_script, write_program

SCRIPT = ROOT / "installer" / "packages.sh"
WINDOW_PACKAGES = [
    line.split()[1]
    for line in (ROOT / "installer" / "debian-packages.txt").read_text().splitlines()
    if line.startswith("window ")
]


class Debian:
    """A pretended machine: which packages it has, who runs the script, what apt-get was asked."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.installed = folder / "installed"
        self.asked = folder / "asked"
        self.installed.write_text("")
        self.asked.write_text("")
        write_program(
            self.programs / "dpkg-query",
            f'for last; do :; done\ngrep -qx "$last" {self.installed} || exit 1\n'
            'printf "install ok installed"',
        )
        self.becomes(user=0)
        self.apt_get_does("exit 0")

    def has(self, packages: list[str]) -> None:
        self.installed.write_text("\n".join(packages) + "\n")

    def becomes(self, user: int) -> None:
        write_program(self.programs / "id", f"echo {user}")

    def apt_get_does(self, body: str) -> None:
        write_program(self.programs / "apt-get", f'echo "$@" >> {self.asked}\n{body}')

    def run(self, *purposes: str) -> tuple[int, str, str, list[str]]:
        """Exit code, what was printed, what was complained, what apt-get was asked to do."""
        done = run_script(SCRIPT, *purposes, programs=self.programs)
        return done.returncode, done.stdout, done.stderr, self.asked.read_text().splitlines()


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    return Debian(tmp_path)


def test_root_installs_only_what_is_missing(debian: Debian) -> None:
    debian.has([name for name in WINDOW_PACKAGES if name not in ("libegl1", "libgl1")])
    code, _, _, asked = debian.run("window")
    assert (code, [line.split()[-2:] for line in asked]) == (0, [["libegl1", "libgl1"]])


def test_nothing_is_said_or_done_where_nothing_is_missing(debian: Debian) -> None:
    debian.has(WINDOW_PACKAGES)
    assert debian.run("window") == (0, "", "", [])


def test_a_package_renamed_by_a_newer_release_counts_as_installed(debian: Debian) -> None:
    others = [name for name in WINDOW_PACKAGES if name != "libglib2.0-0"]
    debian.has([*others, "libglib2.0-0t64"])
    assert debian.run("window") == (0, "", "", [])


def test_another_user_is_told_the_packages_and_the_command_in_one_line(debian: Debian) -> None:
    debian.becomes(user=1000)
    debian.has([name for name in WINDOW_PACKAGES if name not in ("libegl1", "libgl1")])
    _, _, complaint, _ = debian.run("window")
    assert complaint == (
        "Missing Debian packages; install them with: sudo apt-get install -y libegl1 libgl1\n"
    )


def test_another_user_may_go_on(debian: Debian) -> None:
    debian.becomes(user=1000)
    code, _, _, asked = debian.run("window")
    assert (code, asked) == (0, [])


def test_package_lists_are_fetched_only_after_a_first_failure(debian: Debian) -> None:
    debian.apt_get_does('case "$*" in *update*) touch ${0}.updated;; *) [ -e ${0}.updated ];; esac')
    code, _, _, asked = debian.run("tests")
    assert (code, [line.split()[0] for line in asked]) == (0, ["install", "update", "install"])


def test_a_failed_installation_stops_with_the_command_to_try(debian: Debian) -> None:
    debian.apt_get_does('echo "E: no such luck"; exit 100')
    code, _, complaint, _ = debian.run("tests")
    assert code == 1
    assert "E: no such luck" in complaint
    assert "apt-get install -y xvfb xauth libgl1-mesa-dri python3-gi" in complaint


def test_purposes_add_up(debian: Debian) -> None:
    _, _, _, asked = debian.run("window", "tests")
    assert {"libegl1", "xvfb"} <= set(asked[0].split())
