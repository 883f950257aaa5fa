#include "host/exec/make_executor.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "formats/csv/format.hpp"
#include "formats/deepar/format.hpp"
#include "formats/jsonl/format.hpp"
#include "formats/libsvm/format.hpp"
#include "formats/object2vec/format.hpp"
#include "formats/objects/format.hpp"
#include "formats/recordio/format.hpp"
#include "penstock/error.hpp"

#if defined(PENSTOCK_HAS_CUDA)
#include "cuda/exec/engine.hpp"
#endif

namespace penstock {
namespace {

/// The number behind `cuda:`; 0 for `cuda`.
std::optional<int> number_of(std::string_view name) {
  if (name == "cuda") return 0;
  if (!name.starts_with("cuda:")) return std::nullopt;
  std::string_view const digits = name.substr(5);
  unsigned number = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number > 1023) return std::nullopt;
  return static_cast<int>(number);
}

#if defined(PENSTOCK_HAS_CUDA)

/// The device with this number; of `cuda` and `auto` the first that works. Null: none, and `reason` says why.
std::shared_ptr<Device> open(cuda::Survey const& survey, DeviceWish const& wish, std::string& reason) {
  std::optional<int> const number = wish.name.starts_with("cuda:") ? number_of(wish.name) : std::nullopt;
  reason = survey.problem.empty() ? "there is no such device" : survey.problem;
  for (cuda::DeviceFacts const& facts : survey.devices) {
    if (number && facts.number != *number) continue;
    try {
      return std::make_shared<cuda::Engine>(facts, cuda::EngineOptions{wish.is_low_priority, wish.polls, wish.trace});
    } catch (DeviceError const& error) {
      reason = error.what();
    }
  }
  return nullptr;
}

std::string facts_line(cuda::DeviceFacts const& facts) {
  std::string line = "cuda:" + std::to_string(facts.number) + " " + facts.name + ", compute capability " +
                     std::to_string(facts.major) + "." + std::to_string(facts.minor) + ", " +
                     std::to_string(facts.multiprocessors) + " multiprocessors, " +
                     std::to_string(facts.memory_bytes >> 30) + " GiB";
  if (facts.numa_node >= 0) line += ", NUMA node " + std::to_string(facts.numa_node);
  return line;
}

#endif

}  // namespace

bool is_device_name(std::string_view name) { return name == "auto" || name == "cpu" || number_of(name).has_value(); }

#if defined(PENSTOCK_HAS_CUDA)

DeviceChoice choose_device(DeviceWish const& wish) {
  if (wish.name == "cpu") return {};
  cuda::Survey const survey = cuda::survey_devices();
  std::string reason;
  if (auto device = open(survey, wish, reason)) return {std::move(device), {}};
  if (wish.name == "auto") return {nullptr, reason};
  throw DeviceError("--device " + wish.name + ": no CUDA device can be used: " + reason,
                    "--device cpu or --device auto; penstock doctor shows what there is");
}

std::unique_ptr<BatchUploader> make_uploader(std::shared_ptr<Device> device) {
  return cuda::make_uploader(std::static_pointer_cast<cuda::Engine>(std::move(device)));
}

std::vector<std::string> describe_devices() {
  cuda::Survey const survey = cuda::survey_devices();
  if (survey.devices.empty()) return {"no usable device: " + survey.problem};
  std::vector<std::string> lines;
  for (cuda::DeviceFacts const& facts : survey.devices) lines.push_back(facts_line(facts));
  return lines;
}

template <>
std::unique_ptr<DeviceWorker> make_device_worker<csv::Format>(Device& device, csv::Format::Plan const& plan,
                                                              WorkerOptions const& options) {
  return cuda::make_worker(static_cast<cuda::Engine&>(device), plan, options);
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<deepar::Format>(Device& device, deepar::Format::Plan const& plan,
                                                                 WorkerOptions const& options) {
  return cuda::make_worker(static_cast<cuda::Engine&>(device), plan, options);
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<libsvm::Format>(Device& device, libsvm::Format::Plan const& plan,
                                                                 WorkerOptions const& options) {
  return cuda::make_worker(static_cast<cuda::Engine&>(device), plan, options);
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<jsonl::Format>(Device& device, jsonl::Format::Plan const& plan,
                                                                WorkerOptions const& options) {
  return cuda::make_worker(static_cast<cuda::Engine&>(device), plan, options);
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<object2vec::Format>(Device& device,
                                                                     object2vec::Format::Plan const& plan,
                                                                     WorkerOptions const& options) {
  return cuda::make_worker(static_cast<cuda::Engine&>(device), plan, options);
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<objects::Format>(Device& device, objects::Format::Plan const& plan,
                                                                  WorkerOptions const& options) {
  return cuda::make_worker(static_cast<cuda::Engine&>(device), plan, options);
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<recordio::Format>(Device& device, recordio::Format::Plan const& plan,
                                                                   WorkerOptions const& options) {
  return cuda::make_worker(static_cast<cuda::Engine&>(device), plan, options);
}

template <>
std::unique_ptr<Cutter> make_device_cutter<csv::Format>(Device& device, csv::Format::Plan const& plan,
                                                        std::unique_ptr<Cutter> host, CutterOptions const& options) {
  return cuda::make_cutter(static_cast<cuda::Engine&>(device), plan, std::move(host), options);
}

#else

DeviceChoice choose_device(DeviceWish const& wish) {
  std::string const reason = "this build has no CUDA engine";
  if (wish.name == "cpu") return {};
  if (wish.name == "auto") return {nullptr, reason};
  throw DeviceError("--device " + wish.name + ": " + reason, "--device cpu or --device auto");
}

std::vector<std::string> describe_devices() { return {"no CUDA engine in this build"}; }

std::unique_ptr<BatchUploader> make_uploader(std::shared_ptr<Device>) { return nullptr; }

template <>
std::unique_ptr<DeviceWorker> make_device_worker<csv::Format>(Device&, csv::Format::Plan const&, WorkerOptions const&) {
  return nullptr;
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<deepar::Format>(Device&, deepar::Format::Plan const&,
                                                                 WorkerOptions const&) {
  return nullptr;
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<libsvm::Format>(Device&, libsvm::Format::Plan const&,
                                                                 WorkerOptions const&) {
  return nullptr;
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<jsonl::Format>(Device&, jsonl::Format::Plan const&,
                                                                WorkerOptions const&) {
  return nullptr;
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<object2vec::Format>(Device&, object2vec::Format::Plan const&,
                                                                     WorkerOptions const&) {
  return nullptr;
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<objects::Format>(Device&, objects::Format::Plan const&,
                                                                  WorkerOptions const&) {
  return nullptr;
}
template <>
std::unique_ptr<DeviceWorker> make_device_worker<recordio::Format>(Device&, recordio::Format::Plan const&,
                                                                   WorkerOptions const&) {
  return nullptr;
}

template <>
std::unique_ptr<Cutter> make_device_cutter<csv::Format>(Device&, csv::Format::Plan const&, std::unique_ptr<Cutter>,
                                                        CutterOptions const&) {
  return nullptr;
}

#endif

}  // namespace penstock
