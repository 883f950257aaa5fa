/// Outputs: where the rounds of a run become files. One thread drives an output, rounds in input order.
///
/// What becomes visible, and when: every regular file is written beside its final name and renamed by
/// finish(), the main file last; an output that is destroyed before leaves nothing behind. If finish()
/// fails part of the way, the regular files that it had already renamed are removed again. That removal
/// is all that can be done: with `overwrite`, what a renamed file replaced is gone, and if a removal fails
/// too (or the machine stops between two renames) companions may remain without their main file, never a
/// main file without its companions. Bytes that went to a pipe or a device cannot be taken back.
///
/// The bytes depend on the rows alone: not on how they were cut into rounds, nor on the kind of sink.
#pragma once

#include "host/io/sink.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"
#include "penstock/sink.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace penstock {

class Output {
 public:
  virtual ~Output() = default;
  /// Appends a round: `round.encoded` (encoded) or `round.batch` (npy, npz, companions), whose layout is
  /// OutputOptions::layout. Nothing of the round is kept. Throws SinkError, and DataError for a query that companions
  /// cannot hold; after an exception only destruction makes sense.
  virtual void write(Round const& round) = 0;
  /// Writes headers and directories and makes every file visible. Called once, last. Throws SinkError.
  virtual void finish() = 0;
  /// Every file of this output, the main one first.
  [[nodiscard]] virtual std::vector<std::string> const& paths() const = 0;
};

enum class OutputKind : std::uint8_t {
  encoded,  ///< a prologue and Round::encoded as it is
  npy,      ///< the features alone, dense, shape (rows, features); other roles are not written
  npz,      ///< all arrays of the batch: formats/dense/README.md lists them
};

struct OutputOptions {
  std::string path;  ///< "-" is standard output
  OutputKind kind = OutputKind::encoded;
  BatchLayout layout;
  bool overwrite = false;  ///< replace files that exist
  std::string prologue;    ///< encoded only: bytes before the first round, such as a header line with its line end
  /// Encoded only, for formats whose records do not hold these: files beside the main one, named as XGBoost looks for
  /// them. Of weight, qid and base_margin; those that the layout does not have are passed over. Needs a regular file.
  ///   weight       `<path>.weight`       a weight a line: the shortest text that reads back as the same float32
  ///   qid          `<path>.group`        the size of each run of rows with one qid, a line each
  ///   base_margin  `<path>.base_margin`  a base margin a line, as weights
  std::vector<Role> companions;
};

/// How an output reaches files; tests put memory and failures here.
struct OutputFiles {
  std::function<std::unique_ptr<Sink>(std::string const& path, SinkOptions const& options)> open = open_sink;
  std::function<void(std::string const& path)> remove = remove_committed;  ///< must not throw
};

/// Opens all files of an output. Throws ConfigurationError if the options contradict each other or ask for what the
/// kind cannot hold (npy: sparse features and lists; npz: uid and metadata), and SinkError if a file exists already or
/// cannot be written.
///
/// Memory: a buffer for one round's companion text, and for `.group` about 32 bytes for each distinct qid,
/// since a query may come again at any time. What must wait for a count (npz arrays other than the first;
/// everything for npy and npz on a pipe) waits in a Spool, on disk beyond a MiB.
[[nodiscard]] std::unique_ptr<Output> make_output(OutputOptions const& options, OutputFiles const& files = {});

}  // namespace penstock
