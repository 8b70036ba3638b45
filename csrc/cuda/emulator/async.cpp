// What goes on by itself in the emulator until it is waited for: copies and products.

#include <utility>

#include "cuda/emulator/block.h"

namespace minifloat::emulator {
namespace {

GateState& state_of(std::uint64_t* gate) {
  static_assert(sizeof(GateState) == sizeof(*gate));
  return *reinterpret_cast<GateState*>(gate);
}

bool is_aligned(const void* at) { return reinterpret_cast<std::uintptr_t>(at) % 16 == 0; }

}  // namespace

void copy_async(void* to, const void* from, int bytes, int zeros) {
  const Copy copy{to, from, bytes, zeros};
  if (current_order().at_once) return copy.make();
  current_block().current().open_copies.push_back(copy);
}

void commit_copies() {
  Fiber& fiber = current_block().current();
  fiber.copy_groups.push_back(std::exchange(fiber.open_copies, {}));
}

void wait_copies(int pending) {
  auto& groups = current_block().current().copy_groups;
  for (; std::ssize(groups) > pending; groups.pop_front()) {
    for (const Copy& copy : groups.front()) copy.make();
  }
}

void init_gate(std::uint64_t* gate, int arrivals) {
  const auto count = static_cast<std::uint8_t>(arrivals);
  state_of(gate) = {0, count, count, 0};
}

void arrive_and_expect(std::uint64_t* gate, int bytes) {
  GateState& state = state_of(gate);
  if (state.missing == 0) fail("more arrive at a gate than it waits for");
  --state.missing;
  state.bytes += bytes;
  state.open_if_complete();
}

void wait_gate(std::uint64_t* gate, int parity) {
  const GateState& state = state_of(gate);
  current_block().wait([&state, parity] { return state.parity != parity; });
}

void copy_bulk(void* to, const void* from, int bytes, std::uint64_t* gate) {
  if (!is_aligned(to) || !is_aligned(from) || bytes % 16 != 0) {
    fail("a bulk copy is of whole blocks of 16 bytes");
  }
  const BulkCopy copy{{to, from, bytes, 0}, &state_of(gate)};
  if (current_order().at_once) return copy.make();
  current_block().bulk_copies().push_back(copy);
}

void fence_products() { current_block().current().has_fenced = true; }

void add_product(std::function<void()> product) {
  Fiber& fiber = current_block().current();
  if (!fiber.has_fenced) fail("no fence comes before a product");
  if (current_order().at_once) return product();
  fiber.open_products.push_back(std::move(product));
}

void commit_products() {
  Fiber& fiber = current_block().current();
  fiber.has_fenced = false;
  fiber.product_groups.push_back(std::exchange(fiber.open_products, {}));
}

void wait_products(int pending) {
  auto& groups = current_block().current().product_groups;
  for (; std::ssize(groups) > pending; groups.pop_front()) {
    for (const auto& product : groups.front()) product();
  }
}

}  // namespace minifloat::emulator
