#pragma once

// What compute capability 9.0 has beyond host.h; device.h includes this.

#include <bit>

#include "cuda/device/host.h"

namespace minifloat {

inline constexpr bool multiplies_by_warpgroup() { return true; }

inline void sync_warpgroup() { emulator::sync_warpgroup(); }
inline bool any_of_warpgroup(bool holds) { return emulator::any_of_warpgroup(holds); }

inline std::uint32_t ballot(bool holds) {
  const bool* const lanes = gather(holds);
  std::uint32_t bits = 0;
  for (int i = 0; i < kWarp; ++i) bits |= std::uint32_t{lanes[i]} << i;
  return bits;
}
inline int lowest_bit(std::uint32_t bits) { return std::countr_zero(bits); }

inline bool elect() { return thread_index() % kWarp == 0; }

inline void init_gate(Gate* gate, int arrivals) { emulator::init_gate(gate, arrivals); }
inline void fence_gates() {}
inline void arrive_and_expect(Gate* gate, int bytes) { emulator::arrive_and_expect(gate, bytes); }
inline void wait_gate(Gate* gate, int parity) { emulator::wait_gate(gate, parity); }
inline void copy_bulk(void* shared, const void* from, int bytes, Gate* gate) {
  emulator::copy_bulk(shared, from, bytes, gate);
}

// Where a GPU's own part of shared memory ends.
inline constexpr int kFirstShared = 1 << 10;

inline std::uint64_t matrix_at(const void* shared, int bytes_apart, int queries_apart) {
  const auto at =
      static_cast<int>(static_cast<const std::uint8_t*>(shared) - shared_memory()) + kFirstShared;
  const auto field = [](int bytes) { return static_cast<std::uint64_t>(bytes & 0x3ffff) >> 4; };
  return field(at) | field(bytes_apart) << 16 | field(queries_apart) << 32;
}

inline void fence_products() { emulator::fence_products(); }
inline void commit_products() { emulator::commit_products(); }
template <int kPending>
void wait_products() {
  emulator::wait_products(kPending);
}

// One column of a product's second factor, as a descriptor says.
struct Column {
  const std::uint8_t* halves[2];

  Column(std::uint64_t descriptor, int column) {
    const auto field = [&](int from) { return static_cast<int>(descriptor >> from & 0x3fff) << 4; };
    if (descriptor >> 62 != 0) emulator::fail("only matrices without a swizzle are understood");
    const std::uint8_t* const first = shared_memory() + field(0) - kFirstShared;
    for (int i = 0; i < 2; ++i) {
      halves[i] = first + i * field(16) + column / 8 * field(32) + column % 8 * 16;
    }
  }
};

// Elements are added up in the order of their places.
template <class Element, int kSums, class Sum, class Widen>
void multiply_rows(Sum (&sums)[kSums], const std::uint32_t* (&registers)[4],
                   std::uint64_t descriptor, bool adds_up, Widen widen) {
  constexpr int kEach = sizeof(std::uint32_t) / sizeof(Element);
  std::uint32_t mine[4];
  for (int i = 0; i < 4; ++i) mine[i] = *registers[i];
  const auto* const lanes = gather(mine);
  const int lane = thread_index() % kWarp;
  Sum rows[2][2][4 * kEach];
  for (int r = 0; r < 2; ++r) {
    for (int half = 0; half < 2; ++half) {
      for (int i = 0; i < 4 * kEach; ++i) {
        const std::uint32_t word = lanes[lane / 4 * 4 + i / kEach][half * 2 + r];
        rows[r][half][i] = widen(static_cast<Element>(word >> (32 / kEach * (i % kEach))));
      }
    }
  }
  for (int tile = 0; tile < kSums / 4; ++tile) {
    for (int c = 0; c < 2; ++c) {
      const Column column(descriptor, tile * 8 + lane % 4 * 2 + c);
      for (int r = 0; r < 2; ++r) {
        Sum& sum = sums[tile * 4 + r * 2 + c];
        if (!adds_up) sum = 0;
        for (int half = 0; half < 2; ++half) {
          const auto* const elements = reinterpret_cast<const Element*>(column.halves[half]);
          for (int i = 0; i < 4 * kEach; ++i) sum += rows[r][half][i] * widen(elements[i]);
        }
      }
    }
  }
}

template <class Element, int kSums, class Sum, class Widen>
void add_product(Sum (&sums)[kSums], const std::uint32_t* const (&registers)[4],
                 std::uint64_t descriptor, bool adds_up, Widen widen) {
  emulator::add_product([&sums, a0 = registers[0], a1 = registers[1], a2 = registers[2],
                         a3 = registers[3], descriptor, adds_up, widen] {
    const std::uint32_t* all[4] = {a0, a1, a2, a3};
    multiply_rows<Element>(sums, all, descriptor, adds_up, widen);
  });
}

template <int kSums>
void multiply_by_warpgroup(std::int32_t (&sums)[kSums], const std::uint32_t& a0,
                           const std::uint32_t& a1, const std::uint32_t& a2,
                           const std::uint32_t& a3, std::uint64_t descriptor, bool adds_up) {
  add_product<std::int8_t>(sums, {&a0, &a1, &a2, &a3}, descriptor, adds_up,
                           [](std::int8_t x) { return std::int32_t{x}; });
}
template <int kSums>
void multiply_by_warpgroup(float (&sums)[kSums], const std::uint32_t& a0, const std::uint32_t& a1,
                           const std::uint32_t& a2, const std::uint32_t& a3,
                           std::uint64_t descriptor, bool adds_up) {
  add_product<std::uint16_t>(sums, {&a0, &a1, &a2, &a3}, descriptor, adds_up, from_half);
}

inline bool has_warpgroup_products() { return emulator::has_warpgroup_products(); }

}  // namespace minifloat
