"""`check` by itself checks the workspace one stands in."""

import contextlib

from click.testing import CliRunner
from spaces import experiment

from upliftlab.cli import commands


def check(folder, *arguments):
    with contextlib.chdir(folder):
        return CliRunner().invoke(commands, ["check", *arguments])


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_without_paths_it_is_experiments_and_configs(tmp_path):
    write(tmp_path / "experiments" / "spring.yaml", experiment())
    assert check(tmp_path).exit_code == 0
    write(tmp_path / "experiments" / "spring.yaml", experiment("colour: red"))
    write(tmp_path / "elsewhere" / "summer.yaml", experiment("colour: red"))
    done = check(tmp_path)
    assert done.exit_code == 1
    assert "experiments/spring.yaml" in done.output
    assert "elsewhere" not in done.output
    write(tmp_path / "configs" / "channels.yaml", "schema: 1\nchannel: {}\n")
    assert "configs/channels.yaml" in check(tmp_path).output


def test_where_there_is_neither_it_is_told(tmp_path):
    done = check(tmp_path)
    assert done.exit_code == 2
    assert "there is no experiments/ or configs/ here" in done.stderr
