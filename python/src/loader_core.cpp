#include "python/src/loader_core.hpp"

#include <unistd.h>

namespace penstock::python {
namespace {

constexpr std::chrono::milliseconds between_signal_checks{50};

[[noreturn]] void throw_over() {
  throw ConfigurationError("this iterator is over: its loader has begun another epoch since, or was placed elsewhere",
                           "One loader has one iteration at a time. Two at once need two loaders.");
}

[[noreturn]] void throw_closed() { throw ConfigurationError("the loader is closed"); }

}  // namespace

LoaderCore::Turn::Turn(LoaderCore& core) : core_(core) {
  if (core.user_.load() == std::this_thread::get_id())  // a signal's handler, or a finalizer
    throw ConfigurationError("the loader is used again while it waits in the same thread");
  while (!core.mutex_.try_lock_for(between_signal_checks)) check_signals();
  core.user_.store(std::this_thread::get_id());
}

LoaderCore::Turn::~Turn() {
  core_.user_.store({});
  core_.mutex_.unlock();
}

LoaderCore::~LoaderCore() {
  if (process_ != ::getpid()) {  // its threads are another process's: nobody could wait for them
    static_cast<void>(std::make_unique<std::shared_ptr<Loader>>(std::move(loader_)).release());
    return;
  }
  WithoutGil const others_run;
  loader_.reset();
}

void LoaderCore::open(LoaderOptions const& options, Object batch_class) {
  process_ = ::getpid();
  batch_class_ = std::move(batch_class);
  {
    WithoutGil const others_run;
    LoaderOptions interruptible = options;
    interruptible.on_wait = [this] {
      if (is_closing_) throw ConfigurationError("the loader was closed while a thread waited for it");
      check_signals();
    };
    loader_ = std::make_shared<Loader>(interruptible);
  }
  parts_ = parts_of(loader_->layout());
}

void LoaderCore::close() {
  if (process_ != ::getpid()) return;
  if (user_.load() != std::this_thread::get_id()) is_closing_ = true;
  WithoutGil const others_run;
  Turn const turn(*this);
  ++iteration_;
  end_loader();
}

void LoaderCore::end_loader() {
  std::shared_ptr<Loader> ended;  // outside of the lock, unless a look at it takes longer
  std::lock_guard const lock(loader_mutex_);
  ended.swap(loader_);
}

std::shared_ptr<Loader> LoaderCore::kept() {
  std::lock_guard const lock(loader_mutex_);
  if (loader_ == nullptr) throw_closed();
  return loader_;
}

void LoaderCore::close_if_idle() {
  if (process_ != ::getpid()) return;
  WithoutGil const others_run;
  if (!mutex_.try_lock()) return;
  end_loader();
  mutex_.unlock();
}

void LoaderCore::check_process() const {
  if (process_ == ::getpid()) return;
  throw ConfigurationError(
      "a loader does not go along when its process forks: its threads stay behind",
      "Make the loader in the process that uses it, or start processes with the method \"spawn\". A PyTorch DataLoader "
      "needs no workers for it: num_workers=0.");
}

Loader& LoaderCore::opened() {
  if (loader_ == nullptr) throw_closed();
  return *loader_;
}

std::uint64_t LoaderCore::begin_iteration() {
  return use([this](Loader& loader) {
    if (begun_) loader.set_epoch(*std::exchange(begun_, std::nullopt) + 1);
    return ++iteration_;
  });
}

bool LoaderCore::take(Loader& loader, SharedBatch& batch, std::uint64_t iteration) {
  if (iteration != iteration_) throw_over();
  if (iteration == ended_) return false;  // another thread has seen the end
  if (loader.next(batch)) {
    begun_ = batch.epoch;
    return true;
  }
  begun_.reset();
  ended_ = iteration;
  return false;
}

Object LoaderCore::next(std::uint64_t iteration) {
  BatchCore core;
  if (!use([&](Loader& loader) { return take(loader, core.batch, iteration); })) return {};
  core.parts = parts_;
  return make_batch(reinterpret_cast<PyTypeObject*>(batch_class_.get()), std::move(core));
}

}  // namespace penstock::python
