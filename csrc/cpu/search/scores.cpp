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
using Four [[gnu::vector_size(16)]] = float;

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
template <bool kHasAxes>
struct Mirrored {
  float* out;
  std::int64_t rows;
  const float* norms;
  std::int64_t axes;
  const float* coordinates;  // by axis, by row

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
        [&](int q, std::int64_t r, auto product) { return score(product, first + q, begin + r); });
    for (std::int64_t q = first + whole; q < last; ++q) {
      for (std::int64_t r = q; r < end; ++r) {
        out[q * rows + r] = within_one(score(products[(r - begin) * width + q - first], q, r));
      }
    }
    for (std::int64_t r = begin; r < end; ++r) {
      float* const to = out + r * rows;
      const float* const from = products + (r - begin) * width - first;
      for (std::int64_t q = first; q < std::min(r, last); ++q) {
        to[q] = within_one(score(from[q], r, q));
      }
    }
  }

 private:
  // That of a query and a row, or of a query and four rows from one on.
  template <class T>
  T score(T product, std::int64_t query, std::int64_t row) const {
    T found = product * norms[query] * load<T>(norms + row);
    if constexpr (kHasAxes) {
      for (std::int64_t axis = 0; axis < axes; ++axis) {
        const float* const along = coordinates + axis * rows;
        found = found + along[query] * load<T>(along + row);
      }
    }
    return found;
  }
};

// Each product is made once.
void self_scores(const Sides& sides, float* out, int threads) {
  const std::int64_t count = sides.b.count, axes = sides.b.axes;
  // Without norms and coordinates, a score is the product alone.
  const std::vector<float> ones(count, 1.0f);
  Sides products = sides;
  products.a.norms = products.b.norms = ones.data();
  products.a.axes = products.b.axes = 0;
  const Plan plan = plan_of(products, count);
  const Blocks blocks(count, plan.way.most_rows);
  // All threads share the rows, for the blocks of queries take unequal times.
  Shares shares = shares_of(plan, blocks.count(), 1);
  shares.row_threads = threads;
  const auto make = [&](const auto& kept) {
    make_scores(plan, shares, blocks, [&](const Queries&) { return kept; });
  };
  if (axes == 0) return make(InPlace<Mirrored<false>>{{out, count, sides.b.norms, 0, nullptr}});
  std::vector<float> by_axis(axes * count);
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t axis = 0; axis < axes; ++axis) {
      by_axis[axis * count + r] = sides.b.coordinates[r * axes + axis];
    }
  }
  make(InPlace<Mirrored<true>>{{out, count, sides.b.norms, axes, by_axis.data()}});
}

}  // namespace

void all_scores(const Sides& sides, float* out, int threads) {
  if (sides.a.is_packed && sides.a.data == sides.b.data && sides.a.count == sides.b.count &&
      sides.a.norms == sides.b.norms && sides.a.coordinates == sides.b.coordinates) {
    return self_scores(sides, out, threads);
  }
  const Plan plan = plan_of(sides, sides.a.count);
  const Blocks blocks(sides.b.count, plan.way.most_rows);
  const InPlace<All> kept{{out, sides.b.count}};
  const Shares shares = shares_of(plan, blocks.count(), threads);
  make_scores(plan, shares, blocks, [&](const Queries&) { return kept; });
}

}  // namespace minifloat::cpu
