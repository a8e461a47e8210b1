"""`clip_gradients` and `accumulate_step` in many styles, right and wrong."""

from __future__ import annotations

import textwrap

import pytest

from tests.lab_08 import lost, report, results, task

CLIP, GROUP = task("clip_"), task("accumulate_")


def clipping(body: str) -> str:
    lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return f"def clip_gradients(model, max_norm):\n{lines}\n"


NORM = "n = sum(p.grad.pow(2).sum() for p in model.parameters() if p.grad is not None).sqrt()\n"
RIGHT_CLIP = {
    "torch's": "return nn.utils.clip_grad_norm_(model.parameters(), max_norm)",
    "in place": NORM
    + "if n > max_norm:\n    for p in model.parameters():\n        if p.grad is not None:\n"
    "            p.grad *= max_norm / n\nreturn n.item()",
    "new tensors": NORM + "for p in model.parameters():\n    if p.grad is not None:\n"
    "        p.grad = p.grad * min(1.0, max_norm / float(n))\nreturn float(n)",
}
WRONG_CLIP = {
    "nothing": ("return float(nn.utils.clip_grad_norm_(model.parameters(), 1e9))",
                {"clip_values": ("clip_no_effect",)}),
    "by value": (NORM + "nn.utils.clip_grad_value_(model.parameters(), max_norm)\nreturn float(n)",
                 {"clip_values": ("wrong_value",)}),
    "each by itself": (NORM + "for p in model.parameters():\n"
                       "    nn.utils.clip_grad_norm_([p], max_norm)\nreturn float(n)",
                       {"clip_values": ("wrong_value",)}),
    "always scaled": (NORM + "for p in model.parameters():\n    if p.grad is not None:\n"
                      "        p.grad *= max_norm / n\nreturn float(n)",
                      {"clip_values": ("wrong_value",)}),
    "sum norm": ("return float(nn.utils.clip_grad_norm_(model.parameters(), max_norm, 1))",
                 {"clip_norm": ("wrong_value",), "clip_values": ("wrong_value",)}),
    "norm after": ("nn.utils.clip_grad_norm_(model.parameters(), max_norm)\n" + NORM
                   + "return float(n)", {"clip_norm": ("wrong_value",)}),
    "no number": ("nn.utils.clip_grad_norm_(model.parameters(), max_norm)",
                  {"clip_norm": ("wrong_value",)}),
}  # fmt: skip


@pytest.mark.parametrize("style", RIGHT_CLIP)
def test_a_correct_clipping_loses_nothing(style: str) -> None:
    assert not lost(clipping(RIGHT_CLIP[style]), *CLIP), report(clipping(RIGHT_CLIP[style]), *CLIP)


@pytest.mark.parametrize("case", WRONG_CLIP)
def test_a_wrong_clipping_is_named(case: str) -> None:
    body, expected = WRONG_CLIP[case]
    assert lost(clipping(body), *CLIP) == expected, report(clipping(body), *CLIP)


def group(body: str, before: str = "optimizer.zero_grad()", after: str = "") -> str:
    """An `accumulate_step` with `body` for each batch, and its end."""
    lines = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    end = textwrap.indent(textwrap.dedent(after or CLIP_STEP).strip(), " " * 4)
    return f"""\
def accumulate_step(model, batches, loss_fn, optimizer, max_norm):
    {before}
    k, total = len(batches), 0.0
    for x, y in batches:
{lines}
        total += float(loss) / k
{end}
    return total
"""


CLIP_STEP = "nn.utils.clip_grad_norm_(model.parameters(), max_norm)\noptimizer.step()"
DIVIDED = "for p in model.parameters():\n    p.grad /= k\n"
BODY = "loss = loss_fn(model(x), y)\n(loss / k).backward()"
SUMMED = "loss = loss_fn(model(x), y)\nloss.backward()"
RIGHT_GROUP = {
    "plain": group(BODY),
    "gradient given": group("loss = loss_fn(model(x), y)\nloss.backward(torch.tensor(1 / k))"),
    "gradients divided once": group(SUMMED, after=DIVIDED + CLIP_STEP),
    "by samples": group(
        "loss = loss_fn(model(x), y)\n(loss * len(y) / sum(len(b[1]) for b in batches)).backward()"
    ),
    "cleared at both ends": group(BODY, after=CLIP_STEP + "\noptimizer.zero_grad()"),
    "one large batch": """
        def accumulate_step(model, batches, loss_fn, optimizer, max_norm):
            x = torch.cat([b[0] for b in batches])
            y = torch.cat([b[1] for b in batches])
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            clip_gradients(model, max_norm)
            optimizer.step()
            return loss.item()
    """,
    "a sum of losses": """
        def accumulate_step(model, batches, loss_fn, optimizer, max_norm):
            loss = torch.stack([loss_fn(model(x), y) for x, y in batches]).mean()
            model.zero_grad()
            loss.backward()
            clip_gradients(model, max_norm)
            optimizer.step()
            return loss.detach()
    """,
    "bfloat16": group(
        "with torch.autocast('cpu', dtype=torch.bfloat16):\n    loss = loss_fn(model(x), y)\n"
        "(loss / k).backward()"
    ),
}
STEPPED = "accumulate_step"
SCALED = "accumulate_scaled"
WRONG_GROUP: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "not divided": (group(SUMMED), {SCALED: ("accumulation_not_scaled",)}),
    "gradients divided after the clipping": (
        group(SUMMED, after=CLIP_STEP.replace("\n", "\n" + DIVIDED)),
        {STEPPED: ("wrong_value",)},
    ),
    "divided by three": (group(BODY.replace("/ k", "/ 3")), {STEPPED: ("wrong_value",)}),
    "kept from the call before": (group(BODY, before="pass"), {STEPPED: ("missing_zero_grad",)}),
    "an optimizer of its own": (
        group(BODY, after=CLIP_STEP.replace(
            "optimizer.step", "torch.optim.SGD(model.parameters(), lr=0.1).step")),
        {STEPPED: ()},
    ),
    "weights put back": (
        group(BODY, before="optimizer.zero_grad()\n    kept = {k: v.clone() for k, v in "
              "model.state_dict().items()}",
              after=CLIP_STEP + "\nmodel.load_state_dict(kept)"),
        {STEPPED: ()},
    ),
    "cleared for each batch": (
        group("optimizer.zero_grad()\n" + BODY),
        {STEPPED: ("zero_grad_after_backward",)},
    ),
    "a step for each batch": (
        group(
            "optimizer.zero_grad()\n" + SUMMED + "\n" + CLIP_STEP, before="pass", after="pass"
        ),
        {SCALED: (), STEPPED: ("wrong_value",)},
    ),
    "clipped for each batch": (
        group(BODY + "\nclip_gradients(model, max_norm)", after="optimizer.step()"),
        {STEPPED: ("wrong_value",)},
    ),
    "not clipped": (group(BODY, after="optimizer.step()"), {STEPPED: ("clip_no_effect",)}),
    "sum in each batch": (
        group("loss = loss_fn(model(x), y)\n(loss * len(y) / k).backward()"),
        {STEPPED: ("sum_instead_of_mean",)},
    ),
    "no step": (
        group(BODY, after="clip_gradients(model, max_norm)"),
        {SCALED: (), STEPPED: ("missing_step",)},
    ),
    "not divided, kept": (
        group(SUMMED, before="pass"),
        {SCALED: ("accumulation_not_scaled",), STEPPED: ("missing_zero_grad",)},
    ),
    "not divided, not clipped": (
        group(SUMMED, after="optimizer.step()"),
        {SCALED: ("accumulation_not_scaled",), STEPPED: ("clip_no_effect",)},
    ),
    "the last loss": (
        group(BODY).replace("total += float(loss) / k", "total = float(loss)"),
        {"accumulate_loss": ("wrong_value",)},
    ),
    "the sum of losses": (
        group(BODY).replace("float(loss) / k", "float(loss)"),
        {"accumulate_loss": ("wrong_value",)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", RIGHT_GROUP)
def test_a_correct_accumulation_loses_nothing(style: str) -> None:
    assert not lost(RIGHT_GROUP[style], *GROUP), report(RIGHT_GROUP[style], *GROUP)


@pytest.mark.parametrize("case", WRONG_GROUP)
def test_a_wrong_accumulation_is_named(case: str) -> None:
    source, expected = WRONG_GROUP[case]
    found = lost(source, *GROUP)
    assert found == expected, report(source, *GROUP)


def test_an_error_is_told_with_its_line() -> None:
    found = results(group("undefined"), *GROUP)
    assert {r.status for r in found.values()} == {"error"}
    assert "line" in found[STEPPED].message


def test_messages_say_what_was_seen() -> None:
    message = results(WRONG_GROUP["not divided"][0], *GROUP)[SCALED].message
    assert "in call 2 each of 2 batches counts 1 times, where 0.5 is right" in message
