import pytest

T, V = [3.0, 2.0, 1.5], [4.0, 3.5, 3.25]
BOTH = {"loss": T, "val_loss": V}
TENSORS = "[tensor(3., device='cuda:0'), tensor(2.), tensor(1.5, grad_fn=<NllLossBackward0>)]"


@pytest.mark.parametrize(
    "text",
    [
        f"train_losses = {T}\nval_losses = {V}\n",
        f"Train loss: {T}\nVal loss: {V}\nDone.\n",
        f"history = {BOTH}\n",
        f"H = {BOTH};\n".replace("3.0", "np.float64(3.0)"),
        f"train_losses = {TENSORS}\nval_losses = {V}\n",
        "train_loss: [3.  2.  1.5]\nval_loss: [4.   3.5\n 3.25]\n",
        f"train_loss = np.array({T})\nval_loss = array({V})\n",
        "".join(f"train_loss: {T[: n + 1]}\nval_loss: {V[: n + 1]}\n" for n in range(3)),
    ],
)
def test_lists_that_a_program_prints(log, curve, points, text):
    (run,) = log("out.txt", text)
    assert curve(run, "train_loss") == points(T)
    assert curve(run, "val_loss") == points(V)
