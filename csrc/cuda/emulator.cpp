#include "emulator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "stacks.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace minifloat::emulator {
namespace {

constexpr int kWarpThreads = 32;
constexpr std::size_t kStackBytes = 256 << 10;
constexpr std::size_t kMostGathered = 64;

// Threads wait here until all of them are there.
struct Barrier {
  int expected = 0;
  int arrived = 0;
  std::int64_t phase = 0;
};

struct Copy {
  void* to;
  const void* from;
  int bytes;
  int zeros;

  void make() const {
    std::memcpy(to, from, bytes);
    std::memset(static_cast<char*>(to) + bytes, 0, zeros);
  }
};

struct Warp {
  Barrier barrier;
  std::array<std::array<std::byte, kWarpThreads * kMostGathered>, 2> gathered;
};

struct Fiber {
  Place place;
  void* stack_end = nullptr;
  char* stack = nullptr;
  bool done = false;
  const Barrier* waits_for = nullptr;
  std::int64_t phase = 0;
  int gathers = 0;
  std::vector<Copy> open_copies;
  std::deque<std::vector<Copy>> groups;

  bool ready() const { return !done && (!waits_for || waits_for->phase != phase); }
};

Order current_order{};

// A thread's stack, which its successors in later blocks use again.
char* stack_of(int thread) {
  thread_local std::vector<std::unique_ptr<char[]>> stacks;
  while (std::ssize(stacks) <= thread) stacks.emplace_back(new char[kStackBytes]);
  return stacks[thread].get();
}

// Exactly as long as was asked for, so that a sanitizer sees what goes beyond it.
struct Free {
  static constexpr std::align_val_t kAlignment{128};
  void operator()(std::uint8_t* memory) const { operator delete[](memory, kAlignment); }
};

class Block {
 public:
  Block(const Place& place, int shared_bytes, const std::function<void()>& body);
  void run();

  Fiber& current() { return *current_; }
  Warp& warp() { return warps_[current_->place.thread / kWarpThreads]; }
  std::uint8_t* shared() { return memory_.get(); }
  Barrier& barrier() { return barrier_; }
  std::array<bool, 2>& holds() { return holds_; }

  void wait(Barrier& barrier) {
    const std::int64_t phase = barrier.phase;
    if (++barrier.arrived == barrier.expected) {
      barrier.arrived = 0;
      ++barrier.phase;
      return;
    }
    current_->waits_for = &barrier;
    current_->phase = phase;
    leave();
  }

  // Goes back to where the block's threads are given their turns.
  void leave();

 private:
  static void begin();
  void resume(Fiber& fiber);

  const std::function<void()>& body_;
  std::vector<Fiber> fibers_;
  std::vector<Warp> warps_;
  std::unique_ptr<std::uint8_t[], Free> memory_;
  Barrier barrier_;
  std::array<bool, 2> holds_{};
  Fiber* current_ = nullptr;
  void* scheduler_ = nullptr;
};

thread_local Block* current_block = nullptr;

#ifdef __SANITIZE_ADDRESS__
thread_local const void* scheduler_stack = nullptr;
thread_local std::size_t scheduler_size = 0;
#endif

Block::Block(const Place& place, int shared_bytes, const std::function<void()>& body)
    : body_(body),
      fibers_(place.threads),
      warps_(place.threads / kWarpThreads),
      memory_(new (Free::kAlignment) std::uint8_t[shared_bytes]) {
  // What nobody has written is a NaN.
  std::memset(memory_.get(), 0xff, shared_bytes);
  barrier_.expected = place.threads;
  for (Warp& warp : warps_) warp.barrier.expected = kWarpThreads;
  for (int t = 0; t < place.threads; ++t) {
    fibers_[t].place = place;
    fibers_[t].place.thread = t;
    fibers_[t].stack = stack_of(t);
    // What a switch takes off the stack: six registers and the address to go on at. At a function's
    // start the stack is 8 bytes off a multiple of 16.
    auto* top = reinterpret_cast<void**>(
        reinterpret_cast<std::uintptr_t>(fibers_[t].stack + kStackBytes) / 16 * 16);
    top[-2] = reinterpret_cast<void*>(&Block::begin);
    std::fill(top - 8, top - 2, nullptr);
    fibers_[t].stack_end = top - 8;
  }
}

void Block::begin() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_size);
#endif
  Block& block = *current_block;
  block.body_();
  block.current_->done = true;
  block.leave();
}

void Block::leave() {
  Fiber& fiber = *current_;
#ifdef __SANITIZE_ADDRESS__
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(fiber.done ? nullptr : &fake, scheduler_stack, scheduler_size);
#endif
  minifloat_switch_stack(&fiber.stack_end, scheduler_);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake, &scheduler_stack, &scheduler_size);
#endif
}

void Block::resume(Fiber& fiber) {
  current_ = &fiber;
  fiber.waits_for = nullptr;
#ifdef __SANITIZE_ADDRESS__
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, fiber.stack, kStackBytes);
#endif
  minifloat_switch_stack(&scheduler_, fiber.stack_end);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void Block::run() {
  current_block = this;
  const auto count = static_cast<std::ptrdiff_t>(fibers_.size());
  for (std::ptrdiff_t left = count; left > 0;) {
    bool moved = false;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      Fiber& fiber = fibers_[current_order.backward ? count - 1 - i : i];
      if (!fiber.ready()) continue;
      moved = true;
      resume(fiber);
      left -= fiber.done;
    }
    if (!moved) throw std::logic_error("threads of a block wait for one another");
  }
}

}  // namespace

void set_order(const Order& order) { current_order = order; }

void run(std::int64_t blocks, int threads, int shared_bytes, const std::function<void()>& body) {
  if (threads % kWarpThreads != 0) throw std::logic_error("a block has whole warps");
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t at = current_order.backward ? blocks - 1 - i : i;
    Block(Place{0, threads, at, blocks}, shared_bytes, body).run();
  }
}

const Place& place() { return current_block->current().place; }
std::uint8_t* shared_memory() { return current_block->shared(); }
void sync_block() { current_block->wait(current_block->barrier()); }
void sync_warp() { current_block->wait(current_block->warp().barrier); }

bool any_of_block(bool holds) {
  // Two flags, for some are at the next call already when others look at this one's.
  Barrier& barrier = current_block->barrier();
  const int now = static_cast<int>(barrier.phase / 2 % 2);
  std::array<bool, 2>& flags = current_block->holds();
  flags[now] = flags[now] || holds;
  current_block->wait(barrier);
  const bool any = flags[now];
  current_block->wait(barrier);
  flags[now] = false;
  return any;
}

const std::byte* gather(const void* mine, std::size_t size) {
  if (size > kMostGathered) throw std::logic_error("a lane gives too many bytes");
  Fiber& fiber = current_block->current();
  Warp& warp = current_block->warp();
  std::byte* const all = warp.gathered[fiber.gathers++ % 2].data();
  std::memcpy(all + fiber.place.thread % kWarpThreads * size, mine, size);
  current_block->wait(warp.barrier);
  return all;
}

void copy_async(void* to, const void* from, int bytes, int zeros) {
  const Copy copy{to, from, bytes, zeros};
  if (current_order.copies_early) return copy.make();
  current_block->current().open_copies.push_back(copy);
}

void commit_copies() {
  Fiber& fiber = current_block->current();
  fiber.groups.push_back(std::exchange(fiber.open_copies, {}));
}

void wait_copies(int pending) {
  auto& groups = current_block->current().groups;
  for (; std::ssize(groups) > pending; groups.pop_front()) {
    for (const Copy& copy : groups.front()) copy.make();
  }
}

}  // namespace minifloat::emulator
