#pragma once

// The operators over memory of one device. Each puts its work into a stream and does not wait.

#include <cstdint>

#include "cuda/device/stream.h"
#include "frame.h"
#include "query.h"

namespace minifloat::cuda {

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

// Rows of values, so many values apart, of which each is in one piece.
struct ValueRows {
  int source;  // an index into kSources
  const void* values;
  std::int64_t stride;
  std::int64_t count;
  std::int64_t dim;
};

// Memory of the device for one launch.
struct Memory {
  std::uint8_t* data;
  std::int64_t bytes;
};

// Rows as elements of a format's lane, as large as products with its rows leave room, and their
// reciprocal norms, times lengths where there are any: NaN for a row that is not finite.
void to_lane(int format, const ValueRows& rows, const float* lengths, void* elements, float* norms,
             Stream stream);

// Rows in a frame, which is not padded here. The workspace has as many bytes, at least, as the
// first says.
std::int64_t project_workspace(const ValueRows& rows, const Frame& frame);
void project(const ValueRows& rows, const Frame& frame, const Memory& workspace,
             const Projected& out, Stream stream);

// out[t] is the score of pair t.
void pair_scores(const PairScores& asked, float* out, Stream stream);

// Called between chunks of queries, of which there may be many; it may throw.
using Between = void (*)();

// out[i * b.count + j] is the score of rows a[i] and b[j]. The workspace has as many bytes, at
// least, as the first says.
std::int64_t scores_workspace(const Sides& sides);
void scores(const Sides& sides, const Memory& workspace, float* out, Between between,
            Stream stream);

// Rows of b that a search takes: 32 bits number them.
inline constexpr std::int64_t kMostRows = std::int64_t{1} << 32;

// Scores and rows are (a.count, k); where fewer rows take part, the rest is row -1 with score NaN.
// Queries are taken in chunks of kMostQueries, and the workspace serves each of them in turn.
inline constexpr std::int64_t kMostQueries = 1 << 12;
std::int64_t best_workspace(const Sides& sides, std::int64_t k);
void best(const Best& asked, const Memory& workspace, float* scores, std::int64_t* rows,
          Between between, Stream stream);

// A list of scores that reach thresholds, in any order.
struct Hits {
  std::int64_t* keys;  // (room,), each a query's number times 2^32 and a row's
  float* scores;       // (room,)
  std::int64_t room;
  std::int64_t* total;  // of all that do, also of more than there is room for
};

// Writes as many hits as there is room for, and their number. The workspace has as many bytes, at
// least, as the first says.
std::int64_t above_workspace(const Sides& sides);
void above(const Above& asked, const Memory& workspace, const Hits& hits, Between between,
           Stream stream);

}  // namespace minifloat::cuda
