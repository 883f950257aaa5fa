"""Which GPUs there are, asked of NVIDIA's driver library itself: prints one JSON object. A program of its own, so that
a driver that hangs or crashes does neither to its caller."""

import ctypes
import json

CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76  # CUdevice_attribute of cuda.h
ATTRIBUTES = {
    "multiprocessors": 16,
    "clock_khz": 13,
    "memory_clock_khz": 36,
    "memory_bus_bits": 37,
    "l2_bytes": 38,
    "is_ecc_on": 32,
}


class DriverError(Exception):
    pass


class Driver:
    def __init__(self):
        try:
            self.driver = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise DriverError(f"no NVIDIA driver is installed ({error})") from None
        self.call("cuInit", 0)

    def call(self, name, *arguments):
        code = getattr(self.driver, name)(*arguments)
        if code != 0:
            words = ctypes.c_char_p()
            self.driver.cuGetErrorString(code, ctypes.byref(words))
            raise DriverError(f"{name} says: {(words.value or b'error %d' % code).decode()}")

    def number(self, name, *arguments):
        value = ctypes.c_int()
        self.call(name, ctypes.byref(value), *arguments)
        return value.value

    def attribute(self, attribute, device):
        return self.number("cuDeviceGetAttribute", attribute, device)

    def text(self, name, device):
        buffer = ctypes.create_string_buffer(256)
        self.call(name, buffer, len(buffer), device)
        return buffer.value.decode()

    def device(self, number):
        handle = self.number("cuDeviceGet", number)
        memory = ctypes.c_size_t()
        self.call("cuDeviceTotalMem_v2", ctypes.byref(memory), handle)
        facts = {
            "number": number,
            "name": self.text("cuDeviceGetName", handle),
            "bus": self.text("cuDeviceGetPCIBusId", handle),
            "capability": 10 * self.attribute(CAPABILITY_MAJOR, handle) + self.attribute(CAPABILITY_MINOR, handle),
            "memory_bytes": memory.value,
        }
        for name, attribute in ATTRIBUTES.items():
            try:
                facts[name] = self.attribute(attribute, handle)
            except DriverError:
                facts[name] = None
        return facts


def survey():
    found = {"driver_cuda": None, "devices": [], "problem": None}
    try:
        driver = Driver()
        version = driver.number("cuDriverGetVersion")
        found["driver_cuda"] = f"{version // 1000}.{version % 1000 // 10}"
        count = driver.number("cuDeviceGetCount")
        found["devices"] = [driver.device(number) for number in range(count)]
        if count == 0:
            found["problem"] = "the driver knows no device"
    except DriverError as error:
        found["problem"] = str(error)
    return found


if __name__ == "__main__":
    print(json.dumps(survey()))
