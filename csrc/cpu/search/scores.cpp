// All scores of two sets of rows.

#include <algorithm>
#include <cstring>
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

using minifloat::within_one;

// Four scores, or what they are made of.
using Four = float [[gnu::vector_size(16)]];

template <class T>
T load(const float* from) {
  T values;
  std::memcpy(&values, from, sizeof(values));
  return values;
}

template <class T>
void store(float* to, T values) {
  std::memcpy(to, &values, sizeof(values));
}

Four within_one(Four scores) {
  const Four one = {1, 1, 1, 1};
  scores = scores > one ? one : scores;
  return scores < -one ? -one : scores;
}

// Writes a block's scores, which were made row by row, query by query: to(query)[row] is
// score(query, row, made), of one row or of four, side by side.
template <class To, class Score>
void write_by_query(const float* made, int width, std::int64_t rows, int queries, To to,
                    Score score) {
  const std::int64_t fours = width % 4 == 0 ? rows / 4 * 4 : 0;
  for (int q = 0; q < queries && fours > 0; q += 4) {
    for (std::int64_t r = 0; r < fours; r += 4) {
      const float* const from = made + r * width + q;
      const Four a = load<Four>(from), b = load<Four>(from + width);
      const Four c = load<Four>(from + 2 * width), d = load<Four>(from + 3 * width);
      const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      const Four by_query[] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                               __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                               __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                               __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
      for (int i = 0; i < std::min(4, queries - q); ++i) {
        store(to(q + i) + r, within_one(score(q + i, r, by_query[i])));
      }
    }
  }
  for (int q = 0; q < queries; ++q) {
    for (std::int64_t r = fours; r < rows; ++r) {
      to(q)[r] = within_one(score(q, r, made[r * width + q]));
    }
  }
}

struct All {
  float* out;
  std::int64_t rows;

  bool wants(const Block&, const Queries::Part&) const { return true; }

  void keep(const Block& block, const Queries::Part& part, const float* scores) const {
    float* const first = out + part.first * rows + block.first;
    write_by_query(
        scores, part.panel.width, block.count, part.count, [&](int q) { return first + q * rows; },
        [](int, std::int64_t, auto score) { return score; });
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
    // On the diagonal, those of earlier rows are made where these are the queries.
    const std::int64_t whole = std::clamp(begin - first + 1, std::int64_t{0}, last - first);
    write_by_query(
        products, width, block.count, static_cast<int>(whole),
        [&](int q) { return out + (first + q) * rows + begin; },
        [&](int q, std::int64_t r, auto product) {
          return product * norms[first + q] * load<decltype(product)>(norms + begin + r);
        });
    for (std::int64_t q = first + whole; q < last; ++q) {
      for (std::int64_t r = q; r < end; ++r) {
        const float product = products[(r - begin) * width + q - first];
        out[q * rows + r] = within_one(product * norms[q] * norms[r]);
      }
    }
    for (std::int64_t r = begin; r < end; ++r) {
      float* const to = out + r * rows;
      const float* const from = products + (r - begin) * width - first;
      const float norm = norms[r];
      for (std::int64_t q = first; q < std::min(r, last); ++q) {
        to[q] = within_one(from[q] * norm * norms[q]);
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
