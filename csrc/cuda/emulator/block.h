#pragma once

// A block of threads in the emulator: each a stack of its own, and what they wait for.

#include <array>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <vector>

#include "cuda/emulator/emulator.h"
#include "cuda/warps.h"

namespace minifloat::emulator {

// Bytes that a lane may give to its warp at once.
inline constexpr std::size_t kMostGathered = 64;

// Warpgroups of a block that can wait by themselves.
inline constexpr int kWarpgroupBarriers = 2;

// Threads wait here until all of them are there.
struct Barrier {
  int expected = 0;
  int arrived = 0;
  std::int64_t phase = 0;
  bool any = false;     // of those that are there
  bool result = false;  // of the phase before
};

// What a gate is in shared memory.
struct GateState {
  std::uint8_t parity;  // of the phase that is not over
  std::uint8_t arrivals;
  std::uint8_t missing;
  std::int32_t bytes;

  void open_if_complete() {
    if (missing > 0 || bytes != 0) return;
    parity ^= 1;
    missing = arrivals;
  }
};

struct Copy {
  void* to;
  const void* from;
  int bytes;
  int zeros;

  void make() const {
    // A GPU's memory checker takes a part for the whole: AddressSanitizer is to see the same.
    if (bytes > 0) std::memcpy(to, from, bytes + zeros);
    std::memset(static_cast<char*>(to) + bytes, 0, zeros);
  }
};

struct BulkCopy {
  Copy copy;
  GateState* gate;

  void make() const {
    copy.make();
    gate->bytes -= copy.bytes;
    gate->open_if_complete();
  }
};

struct Warp {
  Barrier barrier;
  std::array<std::array<std::byte, kWarp * kMostGathered>, 2> gathered;
};

struct Fiber {
  using Product = std::function<void()>;

  Place place;
  void* stack_end = nullptr;
  char* stack = nullptr;
  bool done = false;
  std::function<bool()> may_go_on;
  int gathers = 0;
  std::vector<Copy> open_copies;
  std::deque<std::vector<Copy>> copy_groups;
  bool has_fenced = false;
  std::vector<Product> open_products;
  std::deque<std::vector<Product>> product_groups;

  bool ready() const { return !done && (!may_go_on || may_go_on()); }
};

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
  Warp& warp() { return warps_[current_->place.thread / kWarp]; }
  std::uint8_t* shared() { return memory_.get(); }
  Barrier& barrier() { return barrier_; }
  Barrier& warpgroup_barrier();
  std::vector<BulkCopy>& bulk_copies() { return bulk_copies_; }

  // Returns whether it holds for any thread.
  bool wait(Barrier& barrier, bool holds = false);
  void wait(std::function<bool()> may_go_on);

  // Ends the block with an error; the thread does not go on.
  void fail(const char* error);

 private:
  static void begin();
  // Goes back to where the block's threads are given their turns.
  void leave();
  void resume(Fiber& fiber);
  void make_a_bulk_copy();

  const std::function<void()>& body_;
  std::vector<Fiber> fibers_;
  std::vector<Warp> warps_;
  std::vector<Barrier> warpgroup_barriers_;
  std::unique_ptr<std::uint8_t[], Free> memory_;
  Barrier barrier_;
  std::vector<BulkCopy> bulk_copies_;
  const char* error_ = nullptr;
  Fiber* current_ = nullptr;
  void* scheduler_ = nullptr;
};

// The one whose threads are running, and the order that was asked for.
Block& current_block();
const Order& current_order();

}  // namespace minifloat::emulator
