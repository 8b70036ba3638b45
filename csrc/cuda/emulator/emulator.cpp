#include "cuda/emulator/emulator.h"

#include <stdexcept>

#include "cuda/emulator/block.h"

namespace minifloat::emulator {
namespace {

Order order{};
bool are_products_there = true;
int multiprocessor_count = 2;

}  // namespace

const Order& current_order() { return order; }

void set_order(const Order& wanted) { order = wanted; }
void set_warpgroup_products(bool are_there) { are_products_there = are_there; }
bool has_warpgroup_products() { return are_products_there; }
void set_multiprocessors(int count) { multiprocessor_count = count; }
int multiprocessors() { return multiprocessor_count; }

void run(std::int64_t blocks, int threads, int shared_bytes, const std::function<void()>& body) {
  if (threads % kWarp != 0) throw std::logic_error("a block has whole warps");
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t at = order.backward ? blocks - 1 - i : i;
    Block(Place{0, threads, at, blocks}, shared_bytes, body).run();
  }
}

}  // namespace minifloat::emulator
