#pragma once

// A GPU on the CPU, for tests. The threads of a block take turns, each until it must wait for
// others; what has not been ordered may be run in one order or the other.

#include <cstddef>
#include <cstdint>
#include <functional>

namespace minifloat::emulator {

// What a GPU leaves open: in which order threads and blocks take turns, and whether asynchronous
// copies are made when they are asked for or when they are waited for.
struct Order {
  bool backward;
  bool copies_early;
};
void set_order(const Order& order);

// Runs body once for each thread of each block. Throws where threads wait for one another.
void run(std::int64_t blocks, int threads, int shared_bytes, const std::function<void()>& body);

// Where the calling thread is.
struct Place {
  int thread;
  int threads;
  std::int64_t block;
  std::int64_t blocks;
};
const Place& place();

std::uint8_t* shared_memory();
void sync_block();
void sync_warp();

// Whether it holds for any thread of the block.
bool any_of_block(bool holds);

// Gives this lane's bytes to its warp and returns those of all lanes, `size` apart. They stay until
// the next call but one.
const std::byte* gather(const void* mine, std::size_t size);

void copy_async(void* to, const void* from, int bytes, int zeros);
void commit_copies();
void wait_copies(int pending);

}  // namespace minifloat::emulator
