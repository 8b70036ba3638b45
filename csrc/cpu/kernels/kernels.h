#pragma once

// What every instruction set provides.

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "format/source.h"
#include "frame.h"
#include "query.h"

namespace minifloat {

using Encode = void (*)(const void* values, std::int64_t count, std::uint8_t* out);
using EncodeBy = std::array<std::array<Encode, 2>, kSourceCount>;  // by source, by Overflow

// Rows of values, so many bytes apart.
struct ValueRows {
  const std::uint8_t* values;
  std::int64_t stride;
  std::int64_t count;
  std::int64_t dim;
};

// Packs rows, each scaled first if that is asked for, and writes the reciprocal norms of what their
// codes stand for; returns how many rows are finite before one that is not.
using Quantize = std::int64_t (*)(const ValueRows& rows, bool scales, std::uint8_t* out,
                                  float* norms);
using QuantizeBy = std::array<std::array<Quantize, 2>, kSourceCount>;  // by source, by Overflow

// By what rows are multiplied before they are rounded, and products with their codes afterwards.
enum class Scale { kNone, kAmax, kCosine };
enum class Estimator { kNorm, kUnbiased };

// Floats for a row and two bytes of each of its values, in whole steps.
constexpr std::int64_t fit_scratch(std::int64_t dim) { return dim + dim / 2 + 64; }

// And for values, errors, what codes stand for, and codes of rows side by side.
constexpr std::int64_t feedback_scratch(std::int64_t places) {
  return places * kFedRows * 4 + fit_scratch(places);
}

// Packed rows, and a number for each.
struct Quantized {
  std::uint8_t* codes;
  float* norms;
};

// How rows become codes.
struct Fitting {
  Scale scale;
  Estimator estimator;
  Feedback feedback;  // of codes that take up errors
};

// As Quantize, of float32, in all ways; scratch is as many floats as above.
using Fit = std::int64_t (*)(const ValueRows& rows, const Fitting& how, const Quantized& to,
                             float* scratch);

// Brings rows into a frame; scratch has room for one, padded.
using Project = void (*)(const ValueRows& rows, const Frame& frame, const Projected& out,
                         float* scratch);

// Elements of a lane, int16 or float, and the reciprocal norm of each row of them.
struct InLane {
  void* elements;
  float* norms;
};

// Makes rows elements, each multiplied first so that its largest magnitude becomes the limit; a
// zero row stays so, with norm 0. Returns how many rows are finite before one that is not.
using ToLane = std::int64_t (*)(const ValueRows& rows, float limit, const InLane& to);
// By source, by whether elements are floats.
using ToLaneBy = std::array<std::array<ToLane, 2>, kSourceCount>;

// How long the rows are.
struct Scoring {
  std::int64_t dim;
  std::int64_t chunk;  // so many products add up exactly in an int32; a multiple of every step
  std::int64_t axes;   // coordinates of each row and query, beside its elements
};

// Some queries side by side, in the layout of a lane.
struct QueryPanel {
  int planes;                  // parts that a query's elements are split into, high part first
  int width;                   // places for queries; there are zeros after the last query
  const void* elements;        // by plane, by group of bytes, by query
  const std::int32_t* starts;  // by chunk, by plane, by query: minus what the lane's offset adds
  const float* factors;        // by query: the reciprocal norm of one step of the product
  const float* coordinates;    // by axis, by query
};

// How a lane has rows and queries, each of whole steps.
struct Layout {
  int step;         // codes
  int group;        // bytes of a query that lie together, in multiples of four
  int row_size;     // bytes of one element of a row
  int query_size;   // bytes of one element of a query
  int code_planes;  // of a query that is codes
  int planes;       // and of one that is floats: as many as hold it
  // One plane holds one of floats as well whose elements are integers up to this magnitude, or, in
  // the float lane, are all bfloat16. 0 where that makes no difference.
  std::int64_t one_plane;
  float row_unit;  // the value of 1 in a row
  void (*rows_to_lane)(const std::uint8_t* packed, std::int64_t rows, std::int64_t dim, void* out);
  // One query, by plane, with its starts.
  void (*query_to_lane)(const Scoring& scoring, const void* elements, int planes, void* out,
                        std::int32_t* starts);
};

// Scores of consecutive rows, which are as a way takes them; `out` is by row, by query.
using ScoreKernel = void (*)(const Scoring& scoring, const QueryPanel& panel, const Rows& rows,
                             float* out);

// Of products whose sums are exact as long as those of a chunk are.
inline constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max() / 2;

// Rows of a call, which have a bit of a word each.
inline constexpr int kMostBlockRows = 64;

// One way to make scores.
struct Way {
  Layout layout;
  bool takes_packed;  // rows as they are packed, else in the lane
  int width;          // queries of the narrowest panel
  int most_rows;      // of a call, no more than kMostBlockRows
  ScoreKernel score;
  // Of a row and a panel, of which each is twice as wide as the one before, in the time of a scan
  // of the row for one query.
  std::array<float, 3> costs;
  // What a thread calls before and after it makes scores; null where there is nothing to do.
  void (*enter)() = nullptr;
  void (*leave)() = nullptr;
};

// For one format.
struct Kernels {
  // Flat runs of values and codes; a packed run starts at a whole byte.
  EncodeBy encode;
  EncodeBy encode_pack;
  void (*decode)(const std::uint8_t* codes, std::int64_t count, float* out);
  void (*pack)(const std::uint8_t* codes, std::int64_t count, std::uint8_t* out);
  void (*unpack)(const std::uint8_t* packed, std::int64_t count, std::uint8_t* out);

  QuantizeBy quantize;
  std::array<Fit, 2> fit;  // by Overflow
  Fit fit_fed_back;        // of at most kFedRows rows, which are finite

  // One packed row.
  float (*reciprocal_norm)(const std::uint8_t* packed, std::int64_t dim);
  void (*row_to_elements)(const std::uint8_t* packed, std::int64_t dim, void* elements);

  // Ways to score rows, of which that with the least cost is taken, of equal ones the first.
  std::span<const Way> ways;
};

// About so many products of elements in registers, as a bound for the kernels; returns how many.
// Elements are kMultiplied bytes.
using Multiply = std::int64_t (*)(std::int64_t products, const std::uint8_t* elements, float* sink);
inline constexpr int kMultiplied = 2048;

// An instruction set.
struct Isa {
  const char* name;
  const Kernels* kernels;    // by index into kFormats
  const Multiply* multiply;  // likewise
  // Bit i of found[r] tells whether scores[r * width + i] is above bounds[i], or NaN; count is at
  // most 64 and not above width.
  void (*find_above)(const float* scores, std::int64_t rows, int width, const float* bounds,
                     int count, std::uint64_t* found);
  std::array<Project, kSourceCount> project;  // by source
  ToLaneBy to_lane;
};

}  // namespace minifloat
