// The rows whose scores reach a threshold.

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/search/blocks.h"
#include "cpu/search/bounds.h"
#include "cpu/search/search.h"
#include "format/lanes.h"

namespace minifloat::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What a score is above, before it is brought to -1 to 1, if it then is no less than a threshold.
float below(float threshold) {
  if (threshold > 1) return kInfinity;
  return threshold > -1 ? std::nextafter(threshold, -kInfinity) : -kInfinity;
}

// Rows that one thread has gone through, for a block of queries.
class Kept {
 public:
  Kept(const Isa& isa, const Queries& queries, const Above& asked, std::atomic<std::int64_t>& total)
      : isa_(isa),
        first_(queries.first()),
        limit_(asked.limit),
        total_(total),
        hits_(queries.count()) {
    for (std::int64_t q = 0; q < queries.count(); ++q) {
      bounds_.push_back(below(asked.thresholds[first_ + q]));
    }
  }

  // Too many are as good as none.
  bool wants(const Block&, const Queries::Part&) const {
    return total_.load(std::memory_order_relaxed) <= limit_;
  }

  void keep(const Block& block, const Queries::Part& part, const float* scores) {
    std::vector<Hit>* const hits = hits_.data() + (part.first - first_);
    const float* const bounds = bounds_.data() + (part.first - first_);
    std::int64_t found = 0;
    for_each_above(isa_, block, part, scores, bounds, [&](int i, std::int64_t row, float score) {
      // NaN passes for more than any bound, and what no score reaches is infinity.
      if (std::isnan(score) || bounds[i] == kInfinity) return;
      hits[i].push_back({row, within_one(score)});
      ++found;
    });
    if (found > 0) total_.fetch_add(found, std::memory_order_relaxed);
  }

  std::vector<Hit>& hits(std::int64_t query) { return hits_[query]; }

 private:
  const Isa& isa_;
  const std::int64_t first_, limit_;
  std::atomic<std::int64_t>& total_;
  std::vector<std::vector<Hit>> hits_;
  std::vector<float> bounds_;
};

// Those of a block of queries: each thread keeps its own, which are then put in order.
class KeptOf {
 public:
  KeptOf(const Isa& isa, const Queries& queries, const Above& asked, int threads,
         std::atomic<std::int64_t>& total, std::vector<std::vector<Hit>>& hits)
      : queries_(queries), hits_(hits) {
    for (int i = 0; i < threads; ++i) kept_.emplace_back(isa, queries, asked, total);
  }

  Kept& on_thread(std::int64_t i, const Scorer&) { return kept_[i]; }

  void finish() {
    for (std::int64_t q = 0; q < queries_.count() && keep_going(); ++q) {
      std::vector<Hit>& all = hits_[queries_.first() + q];
      all = std::move(kept_[0].hits(q));
      for (std::size_t i = 1; i < kept_.size(); ++i) {
        std::vector<Hit>& more = kept_[i].hits(q);
        all.insert(all.end(), more.begin(), more.end());
        std::vector<Hit>().swap(more);
      }
      // Each thread has gone through its blocks in ascending order.
      if (kept_.size() > 1) std::ranges::sort(all, {}, &Hit::row);
    }
  }

 private:
  const Queries& queries_;
  std::vector<std::vector<Hit>>& hits_;
  std::vector<Kept> kept_;
};

}  // namespace

Hits above(const Above& asked, int threads) {
  const Plan plan = plan_of(asked.sides, asked.sides.a.count);
  const Blocks blocks = blocks_of(plan, asked.selection);
  const Shares shares = shares_of(plan, blocks.count(), threads);
  Hits found{std::vector<std::vector<Hit>>(asked.sides.a.count), 0};
  std::atomic<std::int64_t> total = 0;
  make_scores(plan, shares, blocks, [&](const Queries& queries) {
    return KeptOf(plan.isa, queries, asked, shares.row_threads, total, found.of);
  });
  found.total = total;
  return found;
}

void write(Hits& hits, std::int64_t* offsets, std::int64_t* rows, float* scores) {
  std::int64_t at = 0;
  offsets[0] = 0;
  for (std::vector<Hit>& of_query : hits.of) {
    for (const Hit& hit : of_query) {
      rows[at] = hit.row;
      scores[at++] = hit.score;
    }
    std::vector<Hit>().swap(of_query);
    *++offsets = at;
  }
}

}  // namespace minifloat::cpu
