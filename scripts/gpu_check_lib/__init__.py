"""The parts of scripts/gpu_check. Nothing here needs more than Python's standard library."""
