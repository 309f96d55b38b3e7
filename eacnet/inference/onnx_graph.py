"""Networks as ONNX graphs whose height and width stay open."""

import io
import warnings

import torch
from torch import Tensor, nn

EXPORTER = ("onnx", "onnxscript", "torch.onnx")  # what PyTorch's exporter imports
OPSET = 17
# Neither square nor a multiple of any stride: nothing can be mistaken for a constant.
TRACED = (70, 101)


def onnx_bytes(module: nn.Module, example: Tensor, output: str, axes: dict[int, str]) -> bytes:
    """Return `module` as a serialised ONNX model.

    PyTorch's tracing exporter writes it: the newer one, by way of torch.export, can't prove that
    sizes padded within the graph divide by the stride, and refuses.

    Args:
        module: in evaluation mode, with one input.
        example: an input (1,H,W,3) or (1,3,H,W); of size TRACED where height and width stay open.
        output: name of the output.
        axes: the open axes of the output and their names; without them the size is fixed.
    """
    height = example.ndim - 2 if example.shape[1] == 3 else 1
    open_sides = {height: "height", height + 1: "width"} if axes else {}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            buffer,
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=[output],
            dynamic_axes={
                "image": {0: "batch", **open_sides},
                output: {0: "batch", **axes},
            },
        )
    return buffer.getvalue()


def scores_graph(network: nn.Module) -> bytes:
    """Return a `Folded` network as ONNX: uint8 (B,H,W,3) -> float32 (B,K,h,w)."""
    example = torch.zeros(1, *TRACED, 3, dtype=torch.uint8)
    return onnx_bytes(network, example, "scores", {2: "rows", 3: "columns"})
