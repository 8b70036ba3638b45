#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

namespace minifloat {

// Work that one thread asked for, and that may be called off while it goes on: the thread itself
// asks now and then whether it is, and all others that help it see that.
class Call {
 public:
  // From here on it is what the calling thread works for.
  explicit Call(bool (*is_called_off)());
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool is_over() const { return over_.load(std::memory_order_relaxed); }

  // Asks, unless that was done a moment ago; by the thread that made it. The clock is looked at
  // every so many times, which is seldom where blocks are short.
  void ask() {
    if (--left_ <= 0) look();
  }
  void look();

 private:
  using Clock = std::chrono::steady_clock;

  bool (*is_called_off_)();
  std::atomic<bool> over_ = false;
  Clock::time_point asked_ = Clock::now(), looked_ = asked_;
  int passes_ = 1, left_ = 1;
  Call* before_;
};

// Whether the work that this thread is at is still wanted. Bodies that take long look between
// blocks, and return where it is not: what they would have written is not looked at.
bool keep_going();

// Calls body(begin, end) for pieces of [0, count) of at most `grain`, on up to `threads` threads
// of which the caller is one. Returns when all pieces are done, or none is wanted any more. The
// body must not throw.
void parallel_for(std::int64_t count, std::int64_t grain, int threads,
                  const std::function<void(std::int64_t, std::int64_t)>& body);

}  // namespace minifloat
