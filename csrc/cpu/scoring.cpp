#include "scoring.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "../packing.h"
#include "isa.h"
#include "parallel.h"
#include "queries.h"

namespace minifloat {
namespace {

// At most so many rows are scored at once: the bits of a word tell which take part.
constexpr std::int64_t kRows = 64;

// With panels, fewer: in their lane they stay in the cache, and tiles of all heights fill them.
constexpr std::int64_t kPanelRows = 48;

std::int64_t rows_at_once(const Sides& sides) { return scans(sides) ? kRows : kPanelRows; }

// Queries whose layout is in memory at once.
constexpr std::int64_t kQueries = 4096;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

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
    const float* norms = sides_.b.reciprocal_norms + first;
    if (!queries_.parts().empty() && !queries_.parts().front().is_scan) {
      const std::int64_t padded = (sides_.dim + isa_.step - 1) / isa_.step * isa_.step;
      if (lane_.empty()) lane_ = lines_for<std::uint8_t>(kRows * padded * kernels_.row_size);
      kernels_.rows_to_lane(packed, count, sides_.dim, lane_.data());
    }
    for (const Queries::Part& part : queries_.parts()) {
      if (part.first >= limit) break;
      scores_.resize(kRows * part.width);
      const Scores kernel =
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

Shares shares_of(std::int64_t row_blocks, int threads) {
  return row_blocks < threads ? Shares{threads, 1} : Shares{1, threads};
}

// Calls use(queries, first) for blocks of a's rows.
template <class Use>
void for_each_query_block(const Sides& sides, const Scoring& scoring, int threads, Use use) {
  const std::int64_t even = (sides.a.count + threads - 1) / threads;
  const std::int64_t grain = std::clamp<std::int64_t>((even + 63) / 64 * 64, 1, kQueries);
  parallel_for(sides.a.count, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += grain) {
      use(Queries(sides, scoring, scans(sides), first, std::min(grain, end - first)), first);
    }
  });
}

struct Match {
  float score;  // minus infinity for NaN
  std::int64_t row;
};

// Whether x comes before y in an answer.
bool before(const Match& x, const Match& y) {
  return x.score != y.score ? x.score > y.score : x.row < y.row;
}

// Leaves the k best of at least as many.
void keep_best(std::vector<Match>& matches, std::int64_t k) {
  std::nth_element(matches.begin(), matches.begin() + (k - 1), matches.end(), before);
  matches.resize(k);
}

// The k best of the matches that were offered, and some more: as many again are gathered before
// they are parted, which takes each a few steps whatever k is.
class Best {
 public:
  void offer(float score, std::int64_t row, std::int64_t k) {
    matches_.push_back({std::isnan(score) ? -kInfinity : score, row});
    if (std::ssize(matches_) < k + std::max(k, kSlack)) return;
    keep_best(matches_, k);
    bound_ = matches_[k - 1].score;
  }

  // Later rows with scores up to this one are not among the best.
  float bound() const { return bound_; }

  const std::vector<Match>& matches() const { return matches_; }

 private:
  static constexpr std::int64_t kSlack = 16;

  std::vector<Match> matches_;
  float bound_ = -kInfinity;
};

// Up to kRows consecutive rows; bit i tells whether row first + i takes part in a search.
struct Block {
  std::int64_t first;
  std::int64_t count;
  std::uint64_t selected;
};

std::vector<Block> blocks_of(const Selection& selection, std::int64_t rows) {
  std::vector<Block> blocks;
  for (std::int64_t i = 0; i < selection.range_count; ++i) {
    const std::int64_t end = selection.ranges[2 * i + 1];
    for (std::int64_t first = selection.ranges[2 * i]; first < end; first += rows) {
      Block block{first, std::min(rows, end - first), ~0ull};
      if (selection.mask) {
        block.selected = 0;
        for (std::int64_t r = 0; r < block.count; ++r) {
          block.selected |= static_cast<std::uint64_t>(selection.mask[first + r]) << r;
        }
      }
      if (block.selected) blocks.push_back(block);
    }
  }
  return blocks;
}

// Offers a block's selected rows to the best of each query. `bounds` has each query's bound.
void offer_all(const Queries::Part& part, const float* scores, const Block& block, std::int64_t k,
               Best* best, float* bounds) {
  const auto above = current_isa().above;
  const auto offer = [&](int query, std::int64_t r, float score) {
    best[part.first + query].offer(score, block.first + r, k);
    bounds[part.first + query] = best[part.first + query].bound();
  };
  if (part.is_scan) {
    std::array<float, kRows> same;
    same.fill(bounds[part.first]);
    std::uint64_t found;
    above(scores, 1, kRows, same.data(), static_cast<int>(block.count), &found);
    for (found &= block.selected; found; found &= found - 1) {
      const int r = std::countr_zero(found);
      offer(0, r, scores[r]);
    }
    return;
  }
  std::array<std::uint64_t, kRows> found;
  above(scores, block.count, part.width, bounds + part.first, part.count, found.data());
  for (std::int64_t r = 0; r < block.count; ++r) {
    if (!(block.selected >> r & 1)) continue;
    for (std::uint64_t bits = found[r]; bits; bits &= bits - 1) {
      const int query = std::countr_zero(bits);
      offer(query, r, scores[r * part.width + query]);
    }
  }
}

// Scores of rows with themselves: each product is made once, and goes to both of its places.
void self_scores(const Sides& sides, float* out, int threads) {
  const std::int64_t n = sides.b.count;
  const float* const norms = sides.b.reciprocal_norms;
  // Without norms, a score is the product alone.
  const std::vector<float> ones(n, 1.0f);
  Sides products = sides;
  products.a.reciprocal_norms = products.b.reciprocal_norms = ones.data();
  const Scoring scoring = scoring_of(products);
  const std::int64_t rows = rows_at_once(sides);
  for_each_query_block(products, scoring, 1, [&](const Queries& queries, std::int64_t begin) {
    parallel_for(n - begin, rows, threads, [&](std::int64_t from, std::int64_t end) {
      Scorer scorer(products, scoring, queries);
      for (std::int64_t j = begin + from; j < begin + end; j += rows) {
        const std::int64_t count = std::min(rows, begin + end - j);
        const auto use = [&](const Queries::Part& part, const float* block) {
          for (std::int64_t q = part.first; q < part.first + part.count; ++q) {
            for (std::int64_t r = std::max(j, q); r < j + count; ++r) {
              const float product = block[(r - j) * part.width + q - part.first];
              out[q * n + r] = product * norms[q] * norms[r];
            }
          }
          for (std::int64_t r = j; r < j + count; ++r) {
            for (std::int64_t q = part.first; q < std::min(r, part.first + part.count); ++q) {
              const float product = block[(r - j) * part.width + q - part.first];
              out[r * n + q] = product * norms[r] * norms[q];
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
  if (sides.a.packed && sides.a.data == sides.b.data && sides.a.count == sides.b.count &&
      sides.a.reciprocal_norms == sides.b.reciprocal_norms) {
    return self_scores(sides, out, threads);
  }
  const Scoring scoring = scoring_of(sides);
  const std::int64_t rows = rows_at_once(sides);
  const Shares shares = shares_of(sides.b.count / rows, threads);
  for_each_query_block(sides, scoring, shares.queries, [&](const Queries& queries, std::int64_t) {
    parallel_for(sides.b.count, rows, shares.rows, [&](std::int64_t begin, std::int64_t end) {
      Scorer scorer(sides, scoring, queries);
      for (std::int64_t j = begin; j < end; j += rows) {
        const std::int64_t count = std::min(rows, end - j);
        scorer(j, count, [&](const Queries::Part& part, const float* scores) {
          for (int i = 0; i < part.count; ++i) {
            float* to = out + (part.first + i) * sides.b.count + j;
            for (std::int64_t r = 0; r < count; ++r) to[r] = scores[r * part.width + i];
          }
        });
      }
    });
  });
}

void pair_scores(const Sides& sides, const std::int64_t* pairs, std::int64_t count, float* out,
                 int threads) {
  constexpr std::int64_t kGrain = 4096;
  const Scoring scoring = scoring_of(sides);
  const Kernels& kernels = current_isa().kernels[sides.format];
  const std::int64_t bytes = row_bytes(sides.dim, kFormats[sides.format].format.bits());
  const auto* const packed = static_cast<const std::uint8_t*>(sides.b.data);
  parallel_for(count, kGrain, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end;) {
      // Trial lists come sorted by their first row: it is brought into its lane once.
      const std::int64_t row = pairs[2 * t];
      const Queries query(sides, scoring, true, row, 1);
      const QueryPanel& panel = query.parts().front().panel;
      for (; t < end && pairs[2 * t] == row; ++t) {
        const std::int64_t other = pairs[2 * t + 1];
        kernels.scan[panel.planes - 1](scoring, panel, packed + other * bytes,
                                       sides.b.reciprocal_norms + other, 1, out + t);
      }
    }
  });
}

void search(const Sides& sides, const Selection& selection, std::int64_t k, float* scores,
            std::int64_t* indices, int threads) {
  const Scoring scoring = scoring_of(sides);
  const std::vector<Block> blocks = blocks_of(selection, rows_at_once(sides));
  const std::int64_t queries = sides.a.count, count = blocks.size();
  const Shares shares = shares_of(count, threads);
  // A thread takes so many blocks at a time, which ascend: equal scores go to the lower row.
  const std::int64_t taken = std::clamp<std::int64_t>(count / (8 * shares.rows), 1, 16);

  // Each thread keeps its own answers, which are then put together.
  std::vector<std::vector<Best>> found(shares.rows, std::vector<Best>(queries));
  for_each_query_block(sides, scoring, shares.queries, [&](const Queries& some, std::int64_t) {
    std::atomic<std::int64_t> next = 0;
    parallel_for(shares.rows, 1, shares.rows, [&](std::int64_t share, std::int64_t last_share) {
      Scorer scorer(sides, scoring, some);
      for (; share < last_share; ++share) {
        std::vector<float> bounds(queries, -kInfinity);
        for (std::int64_t first; (first = next.fetch_add(taken)) < count;) {
          for (std::int64_t i = first; i < std::min(first + taken, count); ++i) {
            scorer(blocks[i].first, blocks[i].count,
                   [&](const Queries::Part& of, const float* row) {
                     offer_all(of, row, blocks[i], k, found[share].data(), bounds.data());
                   });
          }
        }
      }
    });
  });

  parallel_for(queries, kRows, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Match> matches;
    for (std::int64_t q = begin; q < end; ++q) {
      matches.clear();
      for (const auto& share : found) {
        matches.insert(matches.end(), share[q].matches().begin(), share[q].matches().end());
      }
      keep_best(matches, k);
      std::sort(matches.begin(), matches.end(), before);
      for (std::int64_t i = 0; i < k; ++i) {
        const float score = matches[i].score;
        scores[q * k + i] = score == -kInfinity ? std::numeric_limits<float>::quiet_NaN() : score;
        indices[q * k + i] = matches[i].row;
      }
    }
  });
}

}  // namespace minifloat
