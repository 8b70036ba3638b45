// All scores of two sets of rows.

#include <algorithm>
#include <vector>

#include "cpu/search/blocks.h"
#include "cpu/search/search.h"
#include "format/lanes.h"

namespace minifloat::cpu {
namespace {

// Each score has a place of its own, whichever thread makes it.
template <class Kept>
struct InPlace {
  Kept kept;

  Kept& on_thread(std::int64_t, const Scorer&) { return kept; }
  void finish() const {}
};

struct All {
  float* out;
  std::int64_t rows;

  bool wants(const Block&, const Queries::Part&) const { return true; }

  void keep(const Block& block, const Queries::Part& part, const float* scores) const {
    const std::int64_t count = block.count;
    const int width = part.panel.width;
    for (int i = 0; i < part.count; ++i) {
      float* const to = out + (part.first + i) * rows + block.first;
      for (std::int64_t r = 0; r < count; ++r) to[r] = within_one(scores[r * width + i]);
    }
  }
};

// Products of rows with themselves, whose scores are in two places each.
struct Mirrored {
  float* out;
  std::int64_t rows;
  const float* norms;

  // Products with later queries are made where these are the rows.
  bool wants(const Block& block, const Queries::Part& part) const {
    return part.first < block.first + block.count;
  }

  void keep(const Block& block, const Queries::Part& part, const float* products) const {
    const std::int64_t begin = block.first, end = begin + block.count;
    const std::int64_t first = part.first, last = first + part.count;
    const int width = part.panel.width;
    for (std::int64_t q = first; q < last; ++q) {
      float* const to = out + q * rows;
      const float norm = norms[q];
      for (std::int64_t r = std::max(begin, q); r < end; ++r) {
        to[r] = within_one(products[(r - begin) * width + q - first] * norm * norms[r]);
      }
    }
    for (std::int64_t r = begin; r < end; ++r) {
      float* const to = out + r * rows;
      const float norm = norms[r];
      for (std::int64_t q = first; q < std::min(r, last); ++q) {
        to[q] = within_one(products[(r - begin) * width + q - first] * norm * norms[q]);
      }
    }
  }
};

// Each product is made once.
void self_scores(const Sides& sides, float* out, int threads) {
  // Without norms, a score is the product alone.
  const std::vector<float> ones(sides.b.count, 1.0f);
  Sides products = sides;
  products.a.norms = products.b.norms = ones.data();
  const Plan plan = plan_of(products, products.a.count);
  const Blocks blocks(products.b.count, plan.way.most_rows);
  const InPlace<Mirrored> kept{{out, sides.b.count, sides.b.norms}};
  // All threads share the rows, for the blocks of queries take unequal times.
  Shares shares = shares_of(plan, blocks.count(), 1);
  shares.row_threads = threads;
  make_scores(plan, shares, blocks, [&](const Queries&) { return kept; });
}

}  // namespace

void all_scores(const Sides& sides, float* out, int threads) {
  if (sides.a.is_packed && sides.a.data == sides.b.data && sides.a.count == sides.b.count &&
      sides.a.norms == sides.b.norms) {
    return self_scores(sides, out, threads);
  }
  const Plan plan = plan_of(sides, sides.a.count);
  const Blocks blocks(sides.b.count, plan.way.most_rows);
  const InPlace<All> kept{{out, sides.b.count}};
  const Shares shares = shares_of(plan, blocks.count(), threads);
  make_scores(plan, shares, blocks, [&](const Queries&) { return kept; });
}

}  // namespace minifloat::cpu
