// A normaliser's rules for texts in device memory.
#include "cuda/exec/text_reader.hpp"

#include "cuda/exec/upload.hpp"
#include "cuda/kernels/read_texts.cuh"

namespace penstock::cuda {

using normalize::Vocabulary;

DeviceTextReader::DeviceTextReader(Stream& stream, normalize::TextRule const& rule) : stream_(stream), rule_(rule) {
  if (rule.reading != normalize::Reading::vocabulary) return;
  Vocabulary const& here = rule.vocabulary;
  slots_ = uploaded<Vocabulary::Slot>(stream, {here.slots, std::size_t{here.mask} + 1}, "slots of a vocabulary");
  begins_ = uploaded<std::uint64_t>(stream, {here.begins, std::size_t{here.entries} + 1}, "places of its entries");
  bytes_ = uploaded<char>(stream, {here.bytes, here.begins[here.entries]}, "its entries");
  rule_.vocabulary.slots = slots_.get();
  rule_.vocabulary.begins = begins_.get();
  rule_.vocabulary.bytes = bytes_.get();
}

void DeviceTextReader::read(TextCells const& texts, std::size_t column, double* numbers, std::uint8_t* faults) {
  TextsJob job;
  job.cells = texts.cells + column;
  job.bytes = texts.bytes;
  job.rows = static_cast<std::uint32_t>(texts.rows);
  job.stride = static_cast<std::uint32_t>(texts.columns);
  job.rule = rule_;
  job.numbers = numbers + column;
  job.faults = faults + column;
  read_texts(stream_, job);
}

std::size_t DeviceTextReader::device_bytes() const {
  return slots_.size_bytes() + begins_.size_bytes() + bytes_.size_bytes();
}

}  // namespace penstock::cuda
