"""Kinds of machine: every word of both generations means one, and says what it has."""

from __future__ import annotations

import pytest

from innkeeper.api.hathora.shapes import SIZES, Size, shape_of, size_of, told, word_of
from innkeeper.contract.hathora.fleets_v1 import NodeShape
from innkeeper.contract.hathora.fleets_v2 import NodeFamilyId, NodeShapeId


def test_every_word_of_both_generations_has_its_place() -> None:
    assert list(SIZES) == list(NodeShapeId)
    assert sorted(word for words in SIZES.values() for word in words) == sorted(shape.value for shape in NodeShape)
    assert {told(shape).family_id for shape in NodeShapeId} == set(NodeFamilyId)


@pytest.mark.parametrize(
    ("word", "size"),
    [
        ("cpu-4-8", Size(4, 8, 0)),
        ("cpu-32-128", Size(32, 128, 0)),
        ("gpu-l4-1-12-48", Size(12, 48, 1)),
        ("gpu-h100-8-252-1440", Size(252, 1440, 8)),
    ],
)
def test_what_a_word_says(word: str, size: Size) -> None:
    assert size_of(word) == size


@pytest.mark.parametrize("shape", NodeShapeId, ids=str)
def test_what_is_told_is_the_least_that_is_meant(shape: NodeShapeId) -> None:
    found = told(shape)
    assert shape_of(word_of(shape)) == shape
    for word in SIZES[shape]:
        size = size_of(word)
        assert (found.min_cpu, found.min_memory_mb) <= (size.cpus, size.memory_gib * 1024)
        assert found.min_cpu <= size.cpus
        assert found.min_gpu == size.gpus, "words of one shape differ by no GPU"
        assert word_of(shape, word) == word, "the exact word is kept"
    last = shape.value.split("-")[2:]
    if "amd64" in shape.value:
        assert last == [f"{found.min_cpu:g}", f"{found.min_memory_mb / 1024:g}"]
        assert found.family_id.value == f"family-amd64-1-{found.min_memory_mb / 1024 / found.min_cpu:g}"
    else:
        assert found.min_gpu == int(last[0])
        assert shape.value.split("-")[1] in found.family_id.value


def test_another_shape_has_its_usual_word() -> None:
    assert word_of(NodeShapeId.AMD64_4_8, "cpu-8-16") == "cpu-4-8"


def test_families_that_look_alike_are_told_apart() -> None:
    assert told(NodeShapeId.L4_1_4).family_id == NodeFamilyId.L4_1_4
    assert told(NodeShapeId.L4_1).family_id == NodeFamilyId.L4_1_12
    assert told(NodeShapeId.L4_1_4).name == "1 x NVIDIA L4, 4 CPU, 16 GiB"
    assert told(NodeShapeId.AMD64_8_16).name == "8 CPU, 16 GiB"
