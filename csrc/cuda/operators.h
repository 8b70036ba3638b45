#pragma once

// The operators over memory of one device. Each puts its work into a stream and does not wait.

#include <cstdint>

#include "cuda/device/stream.h"

namespace minifloat::cuda {

// What values come as, in the order of the Python side's SOURCES.
inline constexpr int kSources = 4;

void encode(int format, int source, bool saturates, const void* values, std::int64_t count,
            std::uint8_t* codes, Stream stream);
void decode(int format, const std::uint8_t* codes, std::int64_t count, float* values,
            Stream stream);

// Rows of codes, or of values that are encoded first, and dense rows of them.
void pack(int format, const std::uint8_t* codes, std::int64_t rows, std::int64_t dim,
          std::uint8_t* packed, Stream stream);
void unpack(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
            std::uint8_t* codes, Stream stream);
void encode_pack(int format, int source, bool saturates, const void* values, std::int64_t rows,
                 std::int64_t dim, std::uint8_t* packed, Stream stream);

// 1 / norm of each decoded row.
void reciprocal_norms(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
                      float* norms, Stream stream);

// Two sets of rows of one format and dim; b is packed, a is packed or in its lane.
struct Sides {
  int format;
  std::int64_t dim;
  const void* a;
  bool a_packed;
  const float* a_norms;
  std::int64_t a_count;
  const std::uint8_t* b;
  const float* b_norms;
  std::int64_t b_count;
};

// out[t] is the cosine of rows a[pairs[2 * t]] and b[pairs[2 * t + 1]].
void pair_scores(const Sides& sides, const std::int64_t* pairs, std::int64_t count, float* out,
                 Stream stream);

// Called between chunks of queries, of which there may be many; it may throw.
using Between = void (*)();

// Memory of the device for one launch.
struct Memory {
  std::uint8_t* data;
  std::int64_t bytes;
};

// out[i * b_count + j] is the cosine of rows a[i] and b[j]. The workspace has as many bytes, at
// least, as the first says.
std::int64_t scores_workspace(const Sides& sides);
void scores(const Sides& sides, const Memory& workspace, float* out, Between between,
            Stream stream);

// Rows of b that take part in a search: those of some ranges for which the mask holds, if there
// are such.
struct Selection {
  const std::uint8_t* mask;    // (b_count,)
  const std::int64_t* ranges;  // (range_count, 2): the first row and the one after the last
  std::int64_t range_count;    // below 0 where there are no ranges
};

// Rows of b that a search takes: 32 bits number them.
inline constexpr std::int64_t kMostRows = std::int64_t{1} << 32;

// The k best selected rows of b for each row of a, best first, ties to the lower row, NaN last;
// where there are none, row -1 with score NaN. Queries are taken in chunks of kMostQueries, and the
// workspace serves each of them in turn.
inline constexpr std::int64_t kMostQueries = 1 << 12;
std::int64_t search_workspace(const Sides& sides, std::int64_t k);
void search(const Sides& sides, const Selection& selection, std::int64_t k, const Memory& workspace,
            float* scores, std::int64_t* rows, Between between, Stream stream);

}  // namespace minifloat::cuda
