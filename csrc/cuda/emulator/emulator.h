#pragma once

// A GPU on the CPU, for tests. The threads of a block take turns, each until it must wait for
// others; what has not been ordered may be run in one order or the other.

#include <cstddef>
#include <cstdint>
#include <functional>

namespace minifloat::emulator {

// What a GPU leaves open: in which order threads and blocks take turns, and whether asynchronous
// copies and products are made when they are asked for or when they are waited for.
struct Order {
  bool backward;
  bool at_once;
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

// Ends the block with an error; the calling thread does not go on.
void fail(const char* error);

// Whether the GPU is one whose warpgroups multiply matrices; it is until something else is said.
void set_warpgroup_products(bool are_there);
bool has_warpgroup_products();

// How many multiprocessors the GPU has; few until something else is said, for one block runs after
// the other.
void set_multiprocessors(int count);
int multiprocessors();

std::uint8_t* shared_memory();
void sync_block();
void sync_warpgroup();
bool any_of_warpgroup(bool holds);
void sync_warp();

// Gives this lane's bytes to its warp and returns those of all lanes, `size` apart. They stay until
// the next call but one.
const std::byte* gather(const void* mine, std::size_t size);

void copy_async(void* to, const void* from, int bytes, int zeros);
void commit_copies();
void wait_copies(int pending);

// Gates are 8 bytes of shared memory. Bulk copies are made when no thread can go on without, unless
// at once.
void init_gate(std::uint64_t* gate, int arrivals);
void arrive_and_expect(std::uint64_t* gate, int bytes);
void wait_gate(std::uint64_t* gate, int parity);
void copy_bulk(void* to, const void* from, int bytes, std::uint64_t* gate);

// A product is this thread's part of one, which all threads of its warp take part in.
void fence_products();
void add_product(std::function<void()> product);
void commit_products();
void wait_products(int pending);

}  // namespace minifloat::emulator
