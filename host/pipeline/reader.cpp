#include "host/pipeline/reader.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "penstock/error.hpp"

namespace penstock {

void Reader::run() {
  for (shard_ = 0; shard_ < shards_.size(); ++shard_) {
    if (!read_shard(shards_[shard_])) return;
  }
}

bool Reader::read_shard(Shard const& shard) {
  source_ = shard.open();
  cutter_->restart();
  carry_ = {};
  offset_ = shard.offset_bytes;
  is_shard_end_ = false;
  follows_cr_ = shard.follows_cr;
  while (!is_shard_end_ || !carry_.empty()) {
    if (!fill_and_publish()) return false;
  }
  stored_before_ += source_->stored_bytes_read();
  source_.reset();
  return true;
}

/// Fills one slot, and a long one if that is not enough for a record. After a source's error what was read before
/// is cut and published all the same, so that what is lost does not depend on the slots.
bool Reader::fill_and_publish() {
  Slot* slot = take_with_carry(false);
  if (slot == nullptr) return false;
  for (;;) {
    read_until_full(*slot);
    if (source_error_ != nullptr && size_ == 0) std::rethrow_exception(source_error_);
    Cut const cut = cut_slot(*slot);
    bool const ends_line = is_shard_end_ && cut.rejects > 0;  // of which the last chunk held all but the end
    if (cut.whole > 0 || ends_line) return publish(*slot, cut);
    carry_ = {slot->data(), size_};
    if (source_error_ != nullptr) std::rethrow_exception(source_error_);
    if (is_shard_end_) {
      exchange_.give_back(slot);
      return true;
    }
    if (slot->is_long) throw Error(ExitCode::internal, "a record fits no slot and was not rejected");
    Slot* const longer = take_with_carry(true);
    exchange_.give_back(slot);
    if (longer == nullptr) return false;
    slot = longer;
  }
}

Cut Reader::cut_slot(Slot& slot) {
  TraceSpan const span(trace_, "cut", reader_track);
  return cutter_->cut(slot.data(), static_cast<std::uint32_t>(size_), is_shard_end_, slot.rejects);
}

/// The carry lies in a slot that was published; only this thread takes slots and writes to them, so it is
/// intact until it is copied here, even if that slot came back and is the one that is taken.
Slot* Reader::take_with_carry(bool is_long) {
  Slot* slot = exchange_.take(is_long);
  if (slot != nullptr && !is_long && carry_.size() >= slot->size_bytes()) {
    exchange_.give_back(slot);
    slot = exchange_.take(true);
  }
  if (slot == nullptr) return nullptr;
  if (!carry_.empty()) std::memmove(slot->data(), carry_.data(), carry_.size());
  size_ = carry_.size();
  return slot;
}

void Reader::read_until_full(Slot& slot) try {
  TraceSpan const span(trace_, "read", reader_track);
  std::size_t const piece_bytes = slot.is_long ? slot.size_bytes() : cutter_->piece_bytes();
  while (!is_shard_end_ && source_error_ == nullptr && size_ < slot.size_bytes()) {
    std::size_t const room = std::min(piece_bytes, slot.size_bytes() - size_);
    std::size_t const count = source_->read(slot.data() + size_, room);
    is_shard_end_ = count == 0;
    size_ += count;
    if (!slot.is_long) cutter_->arrive(slot.data(), static_cast<std::uint32_t>(size_));
    stored_bytes_.store(stored_before_ + source_->stored_bytes_read(), std::memory_order_relaxed);
  }
} catch (SourceError const&) {
  source_error_ = std::current_exception();
}

bool Reader::publish(Slot& slot, Cut const& cut) {
  std::size_t const consumed = std::min<std::size_t>(cut.whole, size_);
  slot.chunk.text = {slot.data(), cut.whole};
  slot.chunk.stamp = {shards_[shard_].number.value_or(shard_), offset_, sequence_++};
  slot.chunk.rejects = std::span<Reject const>(slot.rejects).first(cut.rejects);
  slot.chunk.follows_cr = follows_cr_;
  slot.chunk.has_added_line_end = cut.has_added_line_end;
  slot.chunk.on_device = cut.on_device;
  if (cut.whole > 0) follows_cr_ = slot.data()[cut.whole - 1] == '\r';
  offset_ += consumed;
  carry_ = {slot.data() + consumed, size_ - consumed};
  return exchange_.publish(&slot);
}

}  // namespace penstock
