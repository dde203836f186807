"""A model's file is read or refused, and nothing in it is ever run."""

import contextlib
import json
import pickle

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.errors import DataError
from upliftlab.results.analysis import DataFile
from upliftlab.results.uplift import Estimate
from upliftlab.targeting.model import LARGEST, ArmRecipe, SavedModel, check_refit, load, save
from upliftlab.uplift.encoding import Encoding

ENCODING = Encoding.fit(
    pa.table({"age": [1.5, 2.0, None, 7.0], "region": ["north", "=1+1", "客户", "north"]})
)
OTHER = Encoding.fit(pa.table({"age": [1.5, 2.0, None, 7.5]}))


def artefact(**changes):
    given = {
        "experiment": "spring",
        "plan_sha256": "a" * 64,
        "data": (DataFile(source="customers", file="c.parquet", sha256="b" * 64, rows=9),),
        "seed": 7,
        "learner": "two_models",
        "base": "boosting",
        "customers": 9,
        "control": "none",
        "arms": (ArmRecipe(arm="mail", open=True, value=1.5, cost=0.25),),
        "encoding": ENCODING,
        "encoding_sha256": ENCODING.sha256,
        "gain": Estimate(estimate=0.4, se=0.1, low=0.2, high=0.6),
        "realised": Estimate(estimate=0.6, se=0.1, low=0.4, high=0.8),
        "probe": "c" * 64,
        "version": "0.1.0",
        "created": "2026-06-01T09:00:00+00:00",
        "libraries": {"numpy": "2.2.0"},
        **changes,
    }
    return SavedModel.model_validate(given)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "spring.model.json"
    save(path, artefact())
    return path


def refused(path, content=None):
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(DataError) as caught:
        load(path)
    [fault] = caught.value.faults
    assert len(fault.message) < 300
    return fault.code


def test_what_is_saved_is_read(file):
    assert load(file) == artefact()
    before = file.read_bytes()
    save(file, load(file))
    assert file.read_bytes() == before


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Bomb()),
        b"",
        b"\x00\xff" * 100,
        b"[" * 100_000,
        b'{"sha256":' + b"9" * 100_000 + b"}",
        b'"\\ud800"',
        b"null",
        b"[1, 2]",
        b"{}",
        b" " * (LARGEST + 1),
    ],
    ids=["pickle", "empty", "binary", "deep", "long", "surrogate", "null", "list", "none", "large"],
)
def test_what_is_no_model_is_refused(file, content):
    assert refused(file, content) == "UL630"


def test_a_folder_and_a_file_that_is_not_there_are_refused(tmp_path):
    assert refused(tmp_path) == "UL630"
    assert refused(tmp_path / "absent.json") == "UL630"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 8),
        ("probe", "d" * 64),
        ("gain", {"estimate": 9.0, "low": 8.0, "high": 10.0}),
        ("arms", [{"arm": "mail", "open": True, "value": 99.0, "cost": 0.25}]),
        ("customers", 0),
        ("base", "__import__('os')"),
        ("kind", "something else"),
        ("unknown", 1),
        ("experiment", "\ud800"),
        ("gain", {"estimate": float("nan")}),
        ("arms", [{"arm": "mail", "open": True, "value": float("inf"), "cost": 0.25}]),
    ],
)
def test_a_changed_value_is_noticed(file, key, value):
    content = json.loads(file.read_text())
    content["artefact"][key] = value
    assert refused(file, content) == "UL630"


def test_features_are_held_to_their_digest(tmp_path):
    path = tmp_path / "model.json"
    save(path, artefact(encoding=OTHER))
    assert refused(path) == "UL630"


@pytest.mark.parametrize("version", [1, 3])
def test_another_version_is_named(file, version):
    content = json.loads(file.read_text())
    content["artefact"]["schema"] = version
    assert refused(file, content) == "UL631"


@given(st.data())
def test_no_flipped_byte_gets_through(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("model") / "model.json"
    save(path, artefact())
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 2))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        assert load(path) == artefact()  # a blank for a blank


def test_a_refit_that_differs_names_the_library():
    check_refit(artefact(), ENCODING, "c" * 64, {"numpy": "2.3.0"})
    with pytest.raises(DataError, match=r"UL634.*numpy 2\.2\.0 → 2\.3\.0"):
        check_refit(artefact(), ENCODING, "d" * 64, {"numpy": "2.3.0"})
    with pytest.raises(DataError, match="UL634"):
        check_refit(artefact(), OTHER, "c" * 64, {"numpy": "2.2.0"})
