"""What the grader does to the process that it judges in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch

from autograder.grading.grader import one_thread


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_judging_uses_one_thread_and_leaves_the_process_its_own() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_judges_side_by_side_give_the_threads_back_when_the_last_is_done() -> None:
    met = Barrier(2)

    def judged() -> int:
        with one_thread():
            met.wait(60)  # both are judging now
            return torch.get_num_threads()

    with ThreadPoolExecutor(2) as pool:
        assert [f.result() for f in [pool.submit(judged), pool.submit(judged)]] == [1, 1]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_judge_that_fails_gives_the_threads_back() -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2
