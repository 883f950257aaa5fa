/// The one list of formats: a line for each folder. The command line, tests, fuzzing and benchmarks find them here.
#pragma once

#include "formats/csv/format.hpp"
#include "formats/deepar/format.hpp"
#include "formats/jsonl/format.hpp"
#include "formats/libsvm/format.hpp"
#include "formats/object2vec/format.hpp"
#include "formats/objects/format.hpp"
#include "formats/recordio/format.hpp"
