/// Work that its caller waits for and can end.
#pragma once

#include <functional>

namespace penstock {

/// Runs `work` on a thread of its own, under a WorkStop of its own, and returns when it has ended; throws what it
/// throws. Meanwhile calls `on_wait`, which may be empty, some twenty times a second on the calling thread: if it
/// throws, the work is interrupted and waited for, and that exception goes on. So it is if the calling thread itself is
/// interrupted. Throws DeviceError if no thread can be started.
void run_stoppable(std::function<void()> const& work, std::function<void()> const& on_wait);

}  // namespace penstock
