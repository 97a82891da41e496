"""A tower that remembers: what it is asked again is the same in every number, and rows are never mixed up."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

from mipha_eval.models.tower_memory import NotByRowsError, TowerMemory, find_tower


class Tower(nn.Module):
    """Puts out squares, and notes how many rows it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def forward(self, pixels: Tensor, kinds: Tensor | None = None, *, twice: bool = False) -> Any:
        self.asked.append(len(pixels))
        made = pixels.square() * (2 if twice else 1)
        made = made if kinds is None else made + kinds[:, None]
        return BaseModelOutput(last_hidden_state=made, hidden_states=(made, made + 1))


class Flat(nn.Module):
    """Makes one thing of all pictures."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.sum(dim=0)


class Network(nn.Module):
    """Hands pixels in another shape to a tower, beside a text."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.ModuleDict({"tower": Tower()})

    def forward(self, ids: Tensor, pixels: Tensor) -> Any:
        return self.body["tower"](pixels.flatten(0, 1)).last_hidden_state.sum() + ids.sum()


def test_rows_with_equal_sums_are_told_apart() -> None:
    tower = Tower()
    rows = torch.tensor([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0], [1.0, 2.0, 3.0], [4.0, 0.0, 0.0]])
    with TowerMemory(tower).remembering():
        first = tower(rows)
        again = tower(rows.flip(0))
    assert torch.equal(first.last_hidden_state, rows.square())
    assert torch.equal(first.hidden_states[1], rows.square() + 1)
    assert torch.equal(again.last_hidden_state, rows.square().flip(0))
    assert tower.asked == [3]
    assert torch.equal(tower(rows).last_hidden_state, rows.square())
    assert tower.asked == [3, 4], "it is as it was"


def test_other_arguments_are_told_apart() -> None:
    tower, rows = Tower(), torch.tensor([[1.0, 2.0], [1.0, 2.0]])
    with TowerMemory(tower).remembering():
        assert torch.equal(tower(rows, torch.tensor([0, 5])).last_hidden_state, torch.tensor([[1.0, 4.0], [6.0, 9.0]]))
        assert torch.equal(tower(rows, twice=True).last_hidden_state, 2 * rows.square())
        assert torch.equal(tower(rows).last_hidden_state, rows.square())
        assert torch.equal(tower(rows, kinds=torch.tensor([5, 0])).last_hidden_state, torch.tensor([[6.0, 9.0], [1.0, 4.0]]))
    assert tower.asked == [2, 1, 1, 2]


def test_it_forgets() -> None:
    tower, rows = Tower(), torch.ones(2, 2)
    memory = TowerMemory(tower)
    for _ in range(2):
        with memory.remembering():
            tower(rows)
    assert tower.asked == [1, 1]


def test_what_is_not_made_by_rows_is_not_remembered() -> None:
    tower = Flat()
    with TowerMemory(tower).remembering(), pytest.raises(NotByRowsError):
        tower(torch.ones(3, 2))


def test_the_tower_is_what_sees_pixels_alone() -> None:
    network, pixels = Network(), torch.rand(2, 1, 3)
    ids = torch.arange(4)
    assert find_tower(network, {"pixels": pixels}, lambda: network(ids, pixels)) is network.body["tower"]
    with pytest.raises(NotByRowsError):
        find_tower(network, {"pixels": torch.rand(2, 1, 3)}, lambda: network(ids, pixels))


def test_what_a_tower_is_called_through_stays_in_place() -> None:
    """As accelerate puts one before a tower that lies on another device."""
    tower, called = Tower(), []
    own = tower.forward

    def through(pixels: Tensor) -> Any:
        called.append(len(pixels))
        return own(pixels)

    tower.forward = through  # type: ignore[assignment]
    with TowerMemory(tower).remembering():
        tower(torch.ones(2, 3))
    tower(torch.ones(4, 3))
    assert called == [1, 4]
    assert vars(tower)["forward"] is through
