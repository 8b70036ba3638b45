#pragma once

// What every instruction set provides: one Kernels for each format.

#include <array>
#include <cstdint>

namespace minifloat {

// What values come as, in the order of Kernels::encode.
enum class Source : std::uint8_t { kFloat16, kBfloat16, kFloat32, kFloat64 };
inline constexpr int kSources = 4;

using Encode = void (*)(const void* values, std::int64_t count, std::uint8_t* out);
using EncodeBy = std::array<std::array<Encode, 2>, kSources>;  // by Source, by Overflow

// Rows in their lane, and the reciprocals of their norms.
struct LaneRows {
  const void* elements;  // (count, dim)
  const float* reciprocal_norms;
  std::int64_t count;
};

// How the product of two rows becomes a cosine.
struct Scoring {
  std::int64_t dim;
  std::int64_t exact_dim;  // so many products add up exactly in an int32
  float unit;              // the value of one step of the sum of products
};

struct Kernels {
  // Flat runs of values and codes; a packed run starts at a whole byte.
  EncodeBy encode;
  EncodeBy encode_pack;
  void (*decode)(const std::uint8_t* codes, std::int64_t count, float* out);
  void (*pack)(const std::uint8_t* codes, std::int64_t count, std::uint8_t* out);
  void (*unpack)(const std::uint8_t* packed, std::int64_t count, std::uint8_t* out);

  // One packed row.
  float (*reciprocal_norm)(const std::uint8_t* packed, std::int64_t dim);
  void (*to_elements)(const std::uint8_t* packed, std::int64_t dim, void* elements);

  // out[i * out_stride + j] is the cosine of row i of a and row j of b.
  void (*scores)(const Scoring& scoring, const LaneRows& a, const LaneRows& b, float* out,
                 std::int64_t out_stride);
};

struct Isa {
  const char* name;
  bool (*supported)();
  const Kernels* kernels;  // by index into kFormats
};

}  // namespace minifloat
