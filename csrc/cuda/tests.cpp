// What tests ask of the emulator, by the names of C.

#include <algorithm>
#include <vector>

#include <algorithm>
#include <iterator>

#include "cuda/codec/convert.h"
#include "cuda/device/choices.h"
#include "cuda/device/device.h"
#include "cuda/search/best.h"
#include "cuda/search/board.h"
#include "cuda/search/plan.h"

#define MINIFLOAT_EXPORT extern "C" [[gnu::visibility("default")]]

namespace minifloat {
namespace {

// Packed queries of a format, and rows of which nothing is said.
Sides packed_sides(int format, std::int64_t queries, std::int64_t dim) {
  Sides sides{};
  sides.format = format;
  sides.dim = dim;
  sides.a.is_packed = true;
  sides.a.count = queries;
  return sides;
}

}  // namespace

MINIFLOAT_EXPORT void minifloat_set_order(bool backward, bool at_once) {
  emulator::set_order({backward, at_once});
}

MINIFLOAT_EXPORT void minifloat_set_warpgroup_products(bool are_there) {
  emulator::set_warpgroup_products(are_there);
}

MINIFLOAT_EXPORT void minifloat_set_multiprocessors(int count) {
  emulator::set_multiprocessors(count);
}

// Bytes of a search's workspace, and of what so many of its queries take at once.
MINIFLOAT_EXPORT void minifloat_search_workspace(int format, std::int64_t queries,
                                                 std::int64_t rows, std::int64_t dim,
                                                 std::int64_t k, std::int64_t count,
                                                 std::int64_t* bytes) {
  Sides sides = packed_sides(format, queries, dim);
  sides.b.count = rows;
  bytes[0] = cuda::best_workspace(sides, k);
  bytes[1] = cuda::chunk_workspace(sides, count, k);
}

// How a search for packed queries goes: lists of each query, queries of a block, rows that a block
// takes at a time; capacity, crowd, what is left and the period of lists; then the ends of parts.
// Returns how many numbers these are.
MINIFLOAT_EXPORT int minifloat_course(int format, std::int64_t queries, std::int64_t rows,
                                      std::int64_t dim, std::int64_t k, std::int64_t* numbers) {
  Sides sides = packed_sides(format, queries, dim);
  sides.b.count = rows;
  const auto [lists, sought, block_rows, parts] = cuda::course_of(sides, queries, k);
  std::vector<std::int64_t> found{sought.lists, sought.block_queries, block_rows,  lists.capacity,
                                  lists.crowd,  lists.left,           lists.period};
  for (const auto& part : parts) found.push_back(part.end);
  std::copy(found.begin(), found.end(), numbers);
  return static_cast<int>(found.size());
}

// How warpgroups multiply: the tiles of a block of queries, the planes of these, the stages of the
// warps' rings, and blocks at once; zeros where they do not.
MINIFLOAT_EXPORT void minifloat_warpgroup_plan(int format, bool are_packed, std::int64_t queries,
                                               std::int64_t dim, std::uintptr_t rows, int capacity,
                                               int* plan) {
  Sides sides = packed_sides(format, queries, dim);
  sides.a.is_packed = are_packed;
  sides.b.data = reinterpret_cast<const void*>(rows);
  const cuda::Lists lists{capacity, 0, 0, 1, true};
  const cuda::WarpgroupPlan found = cuda::warpgroup_plan(
      sides, queries, [&](int block) { return cuda::board_bytes(block, lists); });
  const int all[] = {found.tiles, found.planes, found.stages, found.blocks};
  std::copy(std::begin(all), std::end(all), plan);
}

// Whether rows of a search stream to lanes.
MINIFLOAT_EXPORT bool minifloat_are_streamed(int format, std::int64_t queries, std::int64_t dim,
                                             std::uintptr_t rows) {
  Sides sides = packed_sides(format, queries, dim);
  sides.b.data = reinterpret_cast<const void*>(rows);
  return cuda::are_streamed(sides);
}

// What an integer sum below 2^23 must reach to be looked at.
MINIFLOAT_EXPORT float minifloat_cut(float bound, float factor, float norm) {
  using FirstLook = cuda::Cut<true>;
  return FirstLook::of(bound, factor) * FirstLook::of_row(norm, true);
}

// Codes by a processor's own conversion; false where no processor has one to this format.
MINIFLOAT_EXPORT bool minifloat_convert(int format, const float* values, std::int64_t count,
                                        std::uint8_t* codes) {
  bool is_there = false;
  choose_format(format, [&](auto f) {
    constexpr Format F = kFormatOf<f()>;
    if constexpr (converts(F)) {
      is_there = true;
      for (std::int64_t i = 0; i < count; ++i) {
        codes[i] = convert<F>(values[i]);
      }
    }
  });
  return is_there;
}

// Codes of numbers where a processor has no conversion.
MINIFLOAT_EXPORT void minifloat_round_numbers(int format, bool saturates, const float* values,
                                              std::int64_t count, std::uint8_t* codes) {
  choose_format(format, [&](auto f) {
    choose_overflow<kFormatOf<f()>>(saturates, [&](auto saturate) {
      for (std::int64_t i = 0; i < count; ++i) {
        codes[i] = static_cast<std::uint8_t>(round_number<kFormatOf<f()>, saturate()>(values[i]));
      }
    });
  });
}

}  // namespace minifloat
