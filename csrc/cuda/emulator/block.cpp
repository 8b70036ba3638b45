#include "cuda/emulator/block.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cuda/emulator/stacks.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace minifloat::emulator {
namespace {

constexpr std::size_t kStackBytes = 256 << 10;

thread_local Block* running = nullptr;

// A thread's stack, which its successors in later blocks use again.
char* stack_of(int thread) {
  thread_local std::vector<std::unique_ptr<char[]>> stacks;
  while (std::ssize(stacks) <= thread) stacks.emplace_back(new char[kStackBytes]);
  return stacks[thread].get();
}

#ifdef __SANITIZE_ADDRESS__
thread_local const void* scheduler_stack = nullptr;
thread_local std::size_t scheduler_size = 0;
#endif

}  // namespace

Block& current_block() { return *running; }

Block::Block(const Place& place, int shared_bytes, const std::function<void()>& body)
    : body_(body),
      fibers_(place.threads),
      warps_(place.threads / kWarp),
      warpgroup_barriers_((place.threads + kWarpgroup - 1) / kWarpgroup),
      memory_(new (Free::kAlignment) std::uint8_t[shared_bytes]) {
  // What nobody has written is a NaN.
  std::memset(memory_.get(), 0xff, shared_bytes);
  barrier_.expected = place.threads;
  for (Warp& warp : warps_) warp.barrier.expected = kWarp;
  for (Barrier& barrier : warpgroup_barriers_) barrier.expected = kWarpgroup;
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
  Block& block = *running;
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
  fiber.may_go_on = nullptr;
#ifdef __SANITIZE_ADDRESS__
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, fiber.stack, kStackBytes);
#endif
  minifloat_switch_stack(&scheduler_, fiber.stack_end);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

Barrier& Block::warpgroup_barrier() {
  const int group = current_->place.thread / kWarpgroup;
  if (group >= kWarpgroupBarriers) fail("only the first warpgroups have barriers of their own");
  return warpgroup_barriers_[group];
}

bool Block::wait(Barrier& barrier, bool holds) {
  const std::int64_t phase = barrier.phase;
  barrier.any |= holds;
  if (++barrier.arrived == barrier.expected) {
    barrier.arrived = 0;
    barrier.result = std::exchange(barrier.any, false);
    ++barrier.phase;
  } else {
    wait([&barrier, phase] { return barrier.phase != phase; });
  }
  return barrier.result;
}

void Block::wait(std::function<bool()> may_go_on) {
  if (may_go_on()) return;
  current_->may_go_on = std::move(may_go_on);
  leave();
}

void Block::fail(const char* error) {
  error_ = error;
  wait([] { return false; });
}

// The oldest or the newest, for they may overtake each other.
void Block::make_a_bulk_copy() {
  const auto which = current_order().backward ? bulk_copies_.end() - 1 : bulk_copies_.begin();
  const BulkCopy copy = *which;
  bulk_copies_.erase(which);
  copy.make();
}

void Block::run() {
  running = this;
  const auto count = static_cast<std::ptrdiff_t>(fibers_.size());
  for (std::ptrdiff_t left = count; left > 0;) {
    bool moved = false;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      Fiber& fiber = fibers_[current_order().backward ? count - 1 - i : i];
      if (!fiber.ready()) continue;
      moved = true;
      resume(fiber);
      if (error_) throw std::logic_error(error_);
      left -= fiber.done;
    }
    if (moved) continue;
    if (bulk_copies_.empty()) throw std::logic_error("threads of a block wait for one another");
    // As late as may be: when nobody can do anything else.
    make_a_bulk_copy();
  }
  if (!bulk_copies_.empty()) throw std::logic_error("a copy goes on when its block has ended");
}

void fail(const char* error) { running->fail(error); }
const Place& place() { return running->current().place; }
std::uint8_t* shared_memory() { return running->shared(); }
void sync_block() { running->wait(running->barrier()); }
void sync_warpgroup() { running->wait(running->warpgroup_barrier()); }
bool any_of_warpgroup(bool holds) { return running->wait(running->warpgroup_barrier(), holds); }
void sync_warp() { running->wait(running->warp().barrier); }

const std::byte* gather(const void* mine, std::size_t size) {
  Block& block = *running;
  if (size > kMostGathered) block.fail("a lane gives too many bytes");
  Fiber& fiber = block.current();
  Warp& warp = block.warp();
  std::byte* const all = warp.gathered[fiber.gathers++ % 2].data();
  std::memcpy(all + fiber.place.thread % kWarp * size, mine, size);
  block.wait(warp.barrier);
  return all;
}

}  // namespace minifloat::emulator
