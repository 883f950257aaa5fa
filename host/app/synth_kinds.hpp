/// The kinds of synthetic data, each in a file of its own; penstock::app::synth_kinds() lists them.
#pragma once

#include "host/app/synth.hpp"

namespace penstock::app::synth {

[[nodiscard]] SynthKind higgs_kind();
[[nodiscard]] SynthKind compact_kind();
[[nodiscard]] SynthKind quoted_kind();
[[nodiscard]] SynthKind wide_kind();
[[nodiscard]] SynthKind libsvm_kind();
[[nodiscard]] SynthKind recordio_kind();
[[nodiscard]] SynthKind recordio_sparse_kind();
[[nodiscard]] SynthKind deepar_kind();
[[nodiscard]] SynthKind objects_kind();
[[nodiscard]] SynthKind dirty_kind();
[[nodiscard]] SynthKind dirty_libsvm_kind();

}  // namespace penstock::app::synth
