// Devices: which there are, and pinned memory near them.
#include "cuda/exec/engine.hpp"

#include <cuda_runtime.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

#include "cuda/exec/check.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/nvtx.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/missing.cuh"
#include "penstock/chunk.hpp"
#include "penstock/error.hpp"

namespace penstock::cuda {
namespace {

void forget_error() { (void)cudaGetLastError(); }

/// The file system knows devices by their place on the bus, in lower case.
int numa_node_of(int number) {
  std::array<char, 32> bus{};
  if (cudaDeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size()), number) != cudaSuccess) {
    forget_error();
    return -1;
  }
  std::string path = "/sys/bus/pci/devices/";
  for (char const* c = bus.data(); *c != 0; ++c) path += static_cast<char>(*c >= 'A' && *c <= 'F' ? *c + 32 : *c);
  int node = -1;
  std::ifstream(path + "/numa_node") >> node;
  return node;
}

std::string version_words(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// Asks the system to take a stretch of memory from a node; where it cannot, any memory will do.
void prefer_node(void* memory, std::size_t size_bytes, int node) {
  constexpr int prefer = 1;  // MPOL_PREFERRED of <linux/mempolicy.h>
  if (node < 0 || node >= 64) return;
  unsigned long const mask = 1ul << node;
  (void)::syscall(SYS_mbind, memory, size_bytes, prefer, &mask, 8 * sizeof mask, 0);
}

/// Memory with readable padding on either side, registered with the device for as long as it lives.
class PinnedBuffer final : public HostBuffer {
 public:
  PinnedBuffer(std::size_t size_bytes, int node) : size_(size_bytes) {
    void* const memory = ::mmap(nullptr, mapped(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw DeviceError("no memory for " + std::to_string(size_bytes) + " pinned bytes", "a lower --memory or -j");
    prefer_node(memory, mapped(), node);
    cudaError_t const code = cudaHostRegister(memory, mapped(), cudaHostRegisterPortable);
    if (code != cudaSuccess) {
      forget_error();
      ::munmap(memory, mapped());
      throw_error(code, "cudaHostRegister");
    }
    memory_ = static_cast<char*>(memory);
  }
  ~PinnedBuffer() override {
    (void)cudaHostUnregister(memory_);
    ::munmap(memory_, mapped());
  }
  PinnedBuffer(PinnedBuffer const&) = delete;
  PinnedBuffer& operator=(PinnedBuffer const&) = delete;

  [[nodiscard]] char* data() override { return memory_ + text_padding; }
  [[nodiscard]] std::size_t size_bytes() const override { return size_; }

 private:
  /// The padding lies behind a line end that is added to a full slot, too.
  [[nodiscard]] std::size_t mapped() const { return size_ + 2 * text_padding + 1; }

  std::size_t size_;
  char* memory_ = nullptr;
};

}  // namespace

Survey survey_devices() {
  Survey survey;
  int driver = 0, count = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0) survey.driver = version_words(driver);
  cudaError_t const code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess || count == 0) {
    forget_error();
    survey.problem = survey.driver.empty() ? "no NVIDIA driver is installed"
                     : code == cudaSuccess ? "no device"
                                           : cudaGetErrorString(code);
    return survey;
  }
  for (int number = 0; number < count; ++number) {
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, number) != cudaSuccess) {
      forget_error();
      survey.problem = "device " + std::to_string(number) + " does not answer";
      continue;
    }
    if (properties.major * 10 + properties.minor < capability_min) {
      survey.problem = std::string(properties.name) + " is older than compute capability 7.5";
      continue;
    }
    survey.devices.push_back({number, properties.name, properties.major, properties.minor,
                              properties.multiProcessorCount, properties.totalGlobalMem, numa_node_of(number)});
  }
  if (!survey.devices.empty()) survey.problem.clear();
  return survey;
}

/// Every span is an NVTX range too.
class Engine::HostTrace final : public Trace {
 public:
  explicit HostTrace(Trace* next) : next_(next) {}
  void enter(char const* name) override { push_range(name); }
  void span(std::string_view name, unsigned track, Clock::time_point begin, Clock::time_point end,
            bool is_remote) override {
    if (!is_remote) pop_range();
    if (next_ != nullptr) next_->span(name, track, begin, end, is_remote);
  }

 private:
  Trace* next_;
};

Engine::Engine(DeviceFacts const& facts, EngineOptions const& options)
    : facts_(facts),
      options_(options),
      name_("cuda:" + std::to_string(facts.number)),
      host_trace_(std::make_unique<HostTrace>(options.trace)) {
  use();
  void* nothing = nullptr;
  PENSTOCK_CUDA_CHECK(cudaFree(nothing));  // makes the device's context
  prove();
}

/// What cannot work shall fail while the CPU can still be taken instead: pinned memory, and a kernel of this build.
void Engine::prove() {
  std::unique_ptr<HostBuffer> const pinned = host_buffer(sizeof(std::uint64_t));
  Stream stream;
  DeviceArray<std::uint32_t> values(1, "a first value");
  DeviceArray<std::uint64_t> missing(1, "a first count");
  stream.fill(values.get(), 0xff, values.size_bytes());
  stream.fill(missing.get(), 0, missing.size_bytes());
  count_missing(stream, reinterpret_cast<std::byte const*>(values.get()), 1, DType::float32, missing.get());
  stream.copy(pinned->data(), missing.get(), missing.size_bytes(), "copy out");
  stream.wait();
  std::uint64_t found = 0;
  std::memcpy(&found, pinned->data(), sizeof found);
  if (found != 1) throw DeviceError(name_ + " does not compute: it counts " + std::to_string(found) + " of 1");
}

Engine::~Engine() = default;

std::string Engine::description() const {
  return name_ + " (" + facts_.name + ", " + std::to_string(facts_.memory_bytes >> 30) + " GiB)";
}

std::unique_ptr<HostBuffer> Engine::host_buffer(std::size_t size_bytes) {
  use();
  return std::make_unique<PinnedBuffer>(size_bytes, facts_.numa_node);
}

Trace* Engine::trace() const { return host_trace_.get(); }

void Engine::use() const { PENSTOCK_CUDA_CHECK(cudaSetDevice(facts_.number)); }

}  // namespace penstock::cuda
