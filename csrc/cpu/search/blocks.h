#pragma once

// Blocks of scores: what scores and search are made of.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu/search/queries.h"
#include "cpu/sets/set.h"
#include "cpu/threads.h"
#include "format/packing.h"

namespace minifloat::cpu {

// At most so many rows are scored at once: the bits of a word tell which take part.
inline constexpr std::int64_t kRows = 64;

// With panels, fewer: in their lane they stay in the cache, and tiles of all heights fill them.
inline constexpr std::int64_t kPanelRows = 48;

inline std::int64_t rows_at_once(const Sides& sides) { return scans(sides) ? kRows : kPanelRows; }

// Queries whose layout is in memory at once.
inline constexpr std::int64_t kQueries = 4096;

// Scores blocks of consecutive rows of b; each thread has its own.
class Scorer {
 public:
  Scorer(const Sides& sides, const Scoring& scoring, const Queries& queries)
      : sides_(sides),
        scoring_(scoring),
        queries_(queries),
        isa_(current_isa()),
        kernels_(isa_.kernels[sides.format]),
        bytes_(row_bytes(sides.dim, kFormats[sides.format].format.bits())) {}

  // Calls use(part, scores) for each part of the queries that begins before a limit: scores of
  // rows [first, first + count), by row, by query.
  template <class Use>
  void operator()(std::int64_t first, std::int64_t count, Use use,
                  std::int64_t limit = std::numeric_limits<std::int64_t>::max()) {
    const auto* packed = static_cast<const std::uint8_t*>(sides_.b.data) + first * bytes_;
    const float* norms = sides_.b.norms + first;
    if (!queries_.parts().empty() && !queries_.parts().front().is_scan) {
      const std::int64_t padded = (sides_.dim + isa_.step - 1) / isa_.step * isa_.step;
      if (lane_.empty()) lane_ = lines_for<std::uint8_t>(kRows * padded * kernels_.row_size);
      kernels_.rows_to_lane(packed, count, sides_.dim, lane_.data());
    }
    for (const Queries::Part& part : queries_.parts()) {
      if (part.first >= limit || !keep_going()) break;
      scores_.resize(kRows * part.width);
      const ScoreKernel kernel =
          part.is_scan
              ? kernels_.scan[part.panel.planes - 1]
              : kernels_.panel[std::countr_zero(static_cast<unsigned>(part.width / isa_.width))];
      const void* rows = part.is_scan ? static_cast<const void*>(packed) : lane_.data();
      kernel(scoring_, part.panel, rows, norms, count, scores_.data());
      use(part, scores_.data());
    }
  }

 private:
  const Sides& sides_;
  const Scoring& scoring_;
  const Queries& queries_;
  const Isa& isa_;
  const Kernels& kernels_;
  const std::int64_t bytes_;
  std::vector<Line> lane_;
  std::vector<float> scores_;
};

// How many threads share the blocks of queries, and how many the rows that go by each.
struct Shares {
  int queries;
  int rows;
};

inline Shares shares_of(std::int64_t row_blocks, int threads) {
  return row_blocks < threads ? Shares{threads, 1} : Shares{1, threads};
}

// Calls use(queries, first) for blocks of a's rows.
template <class Use>
void for_each_query_block(const Sides& sides, const Scoring& scoring, int threads, Use use) {
  const std::int64_t even = (sides.a.count + threads - 1) / threads;
  const std::int64_t grain = std::clamp<std::int64_t>((even + 63) / 64 * 64, 1, kQueries);
  parallel_for(sides.a.count, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end && keep_going(); first += grain) {
      use(Queries(sides, scoring, scans(sides), first, std::min(grain, end - first)), first);
    }
  });
}

}  // namespace minifloat::cpu
