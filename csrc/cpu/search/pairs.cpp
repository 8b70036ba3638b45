// Scores of pairs of rows.

#include "cpu/search/blocks.h"
#include "cpu/search/search.h"
#include "format/lanes.h"

namespace minifloat::cpu {
namespace {

struct One {
  float* out;

  bool wants(const Block&, const Queries::Part&) const { return true; }

  void keep(const Block&, const Queries::Part&, const float* score) const {
    *out = within_one(*score);
  }
};

}  // namespace

void pair_scores(const PairScores& asked, float* out, int threads) {
  constexpr std::int64_t kGrain = 4096;
  const std::int64_t* const pairs = asked.pairs;
  const Plan plan = plan_of(asked.sides, 1);
  parallel_for(asked.count, kGrain, threads, [&](std::int64_t begin, std::int64_t end) {
    Scorer scorer(plan);
    for (std::int64_t t = begin; t < end && keep_going();) {
      // Trial lists come sorted by their first row: it is brought into its lane once.
      const std::int64_t row = pairs[2 * t];
      const Queries query(plan, row, 1);
      for (; t < end && pairs[2 * t] == row; ++t) {
        One kept{out + t};
        scorer.score(Block{pairs[2 * t + 1], 1, ~0ull}, query, kept);
      }
    }
  });
}

}  // namespace minifloat::cpu
