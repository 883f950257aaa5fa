#include "host/exec/engine.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "penstock/error.hpp"

namespace penstock {
namespace {

/// Anonymous memory that costs nothing until it is touched, with readable padding on either side.
class MappedBuffer final : public HostBuffer {
 public:
  explicit MappedBuffer(std::size_t size_bytes) : size_(size_bytes) {
    void* const memory = ::mmap(nullptr, mapped(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw DeviceError("no memory for a slot of " + std::to_string(size_bytes) + " bytes", "a lower --memory or -j");
    memory_ = static_cast<char*>(memory);
  }
  ~MappedBuffer() override { ::munmap(memory_, mapped()); }
  MappedBuffer(MappedBuffer const&) = delete;
  MappedBuffer& operator=(MappedBuffer const&) = delete;

  [[nodiscard]] char* data() override { return memory_ + text_padding; }
  [[nodiscard]] std::size_t size_bytes() const override { return size_; }

 private:
  /// The padding lies behind a line end that is added to a full slot, too.
  [[nodiscard]] std::size_t mapped() const { return size_ + 2 * text_padding + 1; }

  std::size_t size_;
  char* memory_ = nullptr;
};

bool machine_has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

}  // namespace

InstructionSet best_instruction_set() {
  char const* const wanted = std::getenv("PENSTOCK_ISA");
  bool const is_plain = wanted != nullptr && std::string_view(wanted) == "portable";
  return machine_has_avx2() && !is_plain ? InstructionSet::avx2 : InstructionSet::portable;
}

std::string_view name_of(InstructionSet isa) { return isa == InstructionSet::avx2 ? "avx2" : "portable"; }

std::unique_ptr<HostBuffer> HostExecutor::host_buffer(std::size_t size_bytes) {
  return std::make_unique<MappedBuffer>(size_bytes);
}

}  // namespace penstock
