/// Errors of the host side. Inside formats/ there are no exceptions: see fault.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace penstock {

/// Exit status of the command line; every Error carries the one it ends the program with.
enum class ExitCode : int {
  ok = 0,
  data = 1,           ///< records were rejected beyond the budget, or two inputs differ
  usage = 2,          ///< the command or its options make no sense together
  source = 3,         ///< an input cannot be read
  sink = 4,           ///< an output exists or cannot be written
  schema = 5,         ///< inputs do not fit each other or the asked-for columns
  device = 6,         ///< a device or memory that was asked for is not there
  internal = 70,      ///< a defect of penstock
  interrupted = 130,  ///< stopped by Ctrl-C
};

/// What went wrong, and (`hint`) what the user can do about it, usually an option that changes it.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, std::string const& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}
  [[nodiscard]] ExitCode exit_code() const noexcept { return code_; }
  /// "" where there is nothing to suggest; may have several lines.
  [[nodiscard]] std::string const& hint() const noexcept { return hint_; }

 private:
  ExitCode code_;
  std::string hint_;
};

/// Options that contradict each other, or that name something that does not exist (exit 2).
struct ConfigurationError : Error {
  explicit ConfigurationError(std::string const& message, std::string hint = {})
      : Error(ExitCode::usage, message, std::move(hint)) {}
};
/// An input that cannot be opened, read or decompressed (exit 3).
struct SourceError : Error {
  explicit SourceError(std::string const& message, std::string hint = {})
      : Error(ExitCode::source, message, std::move(hint)) {}
};
/// An output that exists already or cannot be written (exit 4).
struct SinkError : Error {
  explicit SinkError(std::string const& message, std::string hint = {})
      : Error(ExitCode::sink, message, std::move(hint)) {}
};
/// Inputs whose columns do not agree (exit 5).
struct SchemaError : Error {
  explicit SchemaError(std::string const& message, std::string hint = {})
      : Error(ExitCode::schema, message, std::move(hint)) {}
};
/// A device that was asked for cannot be used, or memory limits cannot be kept (exit 6).
struct DeviceError : Error {
  explicit DeviceError(std::string const& message, std::string hint = {})
      : Error(ExitCode::device, message, std::move(hint)) {}
};
/// There is not enough memory on a device for what was planned; less may do.
struct DeviceMemoryError : DeviceError {
  using DeviceError::DeviceError;
};
/// Where in the input a fault is, as messages say it too.
struct Place {
  std::string file;                ///< as the user wrote it, or "<stdin>"
  std::uint64_t line = 0;          ///< 1-based physical line (of RecordIO: frame)
  std::uint64_t column = 0;        ///< 1-based byte in that line (frame)
  std::uint64_t offset_bytes = 0;  ///< in the decompressed file, 0-based
  bool operator==(Place const&) const = default;
};
/// Records that are wrong beyond what the policy allows (exit 1).
struct DataError : Error {
  explicit DataError(std::string const& message, std::string hint = {}, std::optional<Place> where = {})
      : Error(ExitCode::data, message, std::move(hint)), place(std::move(where)) {}
  std::optional<Place> place;  ///< of the fault that ended the work, where it was one
};
/// The work was stopped from outside (exit 130).
struct InterruptedError : Error {
  InterruptedError() : Error(ExitCode::interrupted, "interrupted") {}
};

}  // namespace penstock
