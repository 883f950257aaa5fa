"""What other packages make of a tensor; penstock.Tensor calls these."""

from penstock._optional import needed


def _on_host(tensor):
    if tensor.device != "cpu":
        raise TypeError(
            f"a tensor on {tensor.device} is no NumPy array: device=\"cpu\" makes batches in host memory, and "
            "tensor.torch().cpu() copies it there"
        )
    return tensor


def numpy_of(tensor):
    return needed("numpy", "Tensor.numpy()").asarray(_on_host(tensor))


def array_of(tensor, dtype=None, copy=None):
    numpy = needed("numpy", "Tensor.__array__()")
    array = numpy.asarray(memoryview(_on_host(tensor)))
    if dtype is not None and numpy.dtype(dtype) != array.dtype:
        if copy is False:
            raise ValueError(f"{tensor.dtype} becomes {numpy.dtype(dtype)} in a copy only")
        return array.astype(dtype)
    return array.copy() if copy else array


def torch_of(tensor):
    torch = needed("torch", "Tensor.torch()")
    if tensor.size == 0:  # some releases refuse tensors without elements
        return torch.empty(tensor.shape, dtype=getattr(torch, tensor.dtype), device=tensor.device)
    return torch.from_dlpack(tensor)
