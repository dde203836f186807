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


def test_beside_a_part_of_configs_all_that_read_it_are_checked(tmp_path):
    arms = "arms: {none: {control: true}, email: {channel: email}, sms: {channel: sms}}"
    for name in ("spring", "summer"):
        text = experiment(arms).replace("experiment: example", f"experiment: {name}")
        write(tmp_path / "experiments" / f"{name}.yaml", text)
    write(tmp_path / "configs" / "channels.yaml", "schema: 1\nchannels: {email: {}, sms: {}}\n")
    assert check(tmp_path, "configs/channels.yaml", "--quiet").output == ""
    write(
        tmp_path / "configs" / "channels.yaml",
        "schema: 1\nchannels: {email: {colour: red}, sm: {}}\n",
    )
    told = check(tmp_path, "configs/channels.yaml", "--quiet").output.splitlines()
    assert [line.split(" ")[1] for line in told if "UL012" in line] == ["UL012"]
    assert [line.split(":")[0] for line in told if "UL154" not in line] == ["configs/channels.yaml"]
    write(tmp_path / "configs" / "channels.yaml", "schema: 1\nchannels: {email: {}, sm: {}}\n")
    told = check(tmp_path, "configs/channels.yaml", "--quiet").output.splitlines()
    assert [(line.split(":")[0], line.split(" ")[1]) for line in told] == [
        (f"experiments/{name}.yaml", "UL104") for name in ("spring", "summer")
    ]
    before = (tmp_path / "experiments" / "spring.yaml").read_text()
    check(tmp_path, "configs/channels.yaml", "--fix")
    assert (tmp_path / "experiments" / "spring.yaml").read_text() == before
