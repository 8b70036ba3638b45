#include <algorithm>
#include <vector>

#include "cpu/search/blocks.h"
#include "cpu/search/queries.h"
#include "cpu/search/search.h"
#include "cpu/sets/set.h"
#include "cpu/threads.h"
#include "format/lanes.h"
#include "format/packing.h"

namespace minifloat::cpu {
namespace {

// Scores of rows with themselves: each product is made once, and goes to both of its places.
void self_scores(const Sides& sides, float* out, int threads) {
  const std::int64_t n = sides.b.count;
  const float* const norms = sides.b.norms;
  // Without norms, a score is the product alone.
  const std::vector<float> ones(n, 1.0f);
  Sides products = sides;
  products.a.norms = products.b.norms = ones.data();
  const Scoring scoring = scoring_of(products);
  const std::int64_t rows = rows_at_once(sides);
  for_each_query_block(products, scoring, 1, [&](const Queries& queries, std::int64_t begin) {
    parallel_for(n - begin, rows, threads, [&](std::int64_t from, std::int64_t end) {
      Scorer scorer(products, scoring, queries);
      for (std::int64_t j = begin + from; j < begin + end && keep_going(); j += rows) {
        const std::int64_t count = std::min(rows, begin + end - j);
        const auto use = [&](const Queries::Part& part, const float* block) {
          for (std::int64_t q = part.first; q < part.first + part.count; ++q) {
            for (std::int64_t r = std::max(j, q); r < j + count; ++r) {
              const float product = block[(r - j) * part.width + q - part.first];
              out[q * n + r] = within_one(product * norms[q] * norms[r]);
            }
          }
          for (std::int64_t r = j; r < j + count; ++r) {
            for (std::int64_t q = part.first; q < std::min(r, part.first + part.count); ++q) {
              const float product = block[(r - j) * part.width + q - part.first];
              out[r * n + q] = within_one(product * norms[r] * norms[q]);
            }
          }
        };
        scorer(j, count, use, j + count);
      }
    });
  });
}

}  // namespace

void all_scores(const Sides& sides, float* out, int threads) {
  if (sides.a.is_packed && sides.a.data == sides.b.data && sides.a.count == sides.b.count &&
      sides.a.norms == sides.b.norms) {
    return self_scores(sides, out, threads);
  }
  const Scoring scoring = scoring_of(sides);
  const std::int64_t rows = rows_at_once(sides);
  const Shares shares = shares_of(sides.b.count / rows, threads);
  for_each_query_block(sides, scoring, shares.queries, [&](const Queries& queries, std::int64_t) {
    parallel_for(sides.b.count, rows, shares.rows, [&](std::int64_t begin, std::int64_t end) {
      Scorer scorer(sides, scoring, queries);
      for (std::int64_t j = begin; j < end && keep_going(); j += rows) {
        const std::int64_t count = std::min(rows, end - j);
        scorer(j, count, [&](const Queries::Part& part, const float* scores) {
          for (int i = 0; i < part.count; ++i) {
            float* to = out + (part.first + i) * sides.b.count + j;
            for (std::int64_t r = 0; r < count; ++r) {
              to[r] = within_one(scores[r * part.width + i]);
            }
          }
        });
      }
    });
  });
}

void pair_scores(const PairScores& asked, float* out, int threads) {
  constexpr std::int64_t kGrain = 4096;
  const auto& [sides, pairs, count] = asked;
  const Scoring scoring = scoring_of(sides);
  const Kernels& kernels = current_isa().kernels[sides.format];
  const std::int64_t bytes = row_bytes(sides.dim, kFormats[sides.format].format.bits());
  const auto* const packed = static_cast<const std::uint8_t*>(sides.b.data);
  parallel_for(count, kGrain, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end && keep_going();) {
      // Trial lists come sorted by their first row: it is brought into its lane once.
      const std::int64_t row = pairs[2 * t];
      const Queries query(sides, scoring, true, row, 1);
      const QueryPanel& panel = query.parts().front().panel;
      for (; t < end && pairs[2 * t] == row; ++t) {
        const std::int64_t other = pairs[2 * t + 1];
        kernels.scan[panel.planes - 1](scoring, panel, packed + other * bytes,
                                       sides.b.norms + other, 1, out + t);
        out[t] = within_one(out[t]);
      }
    }
  });
}

}  // namespace minifloat::cpu
