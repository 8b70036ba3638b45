#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/search/blocks.h"
#include "cpu/search/queries.h"
#include "cpu/search/search.h"
#include "cpu/sets/set.h"
#include "cpu/threads.h"
#include "format/lanes.h"

namespace minifloat::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

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
class Candidates {
 public:
  void offer(float score, std::int64_t row, std::int64_t k) {
    matches_.push_back({std::isnan(score) ? -kInfinity : within_one(score), row});
    if (std::ssize(matches_) < k + std::max(k, kSlack)) return;
    keep_best(matches_, k);
    bound_ = matches_[k - 1].score;
  }

  // Later rows with scores up to this one are not among the best.
  float bound() const { return bound_; }

  // Of so many matches or more, the score of the k-th best; else minus infinity.
  float kth(std::int64_t k) {
    if (std::ssize(matches_) < k) return -kInfinity;
    keep_best(matches_, k);
    return matches_[k - 1].score;
  }

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

std::vector<Block> blocks_of(const Best& asked, std::int64_t rows) {
  std::vector<Block> blocks;
  const auto add = [&](std::int64_t first, std::int64_t end) {
    for (; first < end && keep_going(); first += rows) {
      Block block{first, std::min(rows, end - first), ~0ull};
      if (const std::uint8_t* const mask = asked.selection.mask) {
        block.selected = 0;
        for (std::int64_t r = 0; r < block.count; ++r) {
          block.selected |= std::uint64_t{mask[first + r]} << r;
        }
      }
      if (block.selected) blocks.push_back(block);
    }
  };
  const std::int64_t* const ranges = asked.selection.ranges;
  if (!ranges) add(0, asked.sides.b.count);
  for (std::int64_t i = 0; ranges && i < asked.selection.range_count; ++i) {
    add(ranges[2 * i], ranges[2 * i + 1]);
  }
  return blocks;
}

// Some blocks, far apart: few at first, then as many again between them, and so on. Their best
// matches bound those of all: else of rows in ascending order of their scores, each better than all
// before, every one would be kept for a while. `kept` is about how many are then, in vain.
std::vector<Block> samples_of(const std::vector<Block>& blocks, std::int64_t k, std::int64_t kept) {
  constexpr std::size_t kFew = 8, kLeastApart = 16;
  std::vector<Block> samples;
  if (blocks.size() < kFew * kLeastApart) return samples;
  const std::size_t apart = std::max<std::size_t>(kept / k, kLeastApart);
  const std::size_t every = std::bit_floor(std::min(apart, blocks.size() / kFew));
  for (std::size_t step = std::bit_floor(blocks.size()); step >= every; step /= 2) {
    // Those between are the odd multiples.
    for (std::size_t i = step; i <= blocks.size(); i += 2 * step) samples.push_back(blocks[i - 1]);
  }
  return samples;
}

// Offers a block's selected rows to the best of each query. `bounds` has each query's bound.
void offer_all(const Queries::Part& part, const float* scores, const Block& block, std::int64_t k,
               Candidates* best, float* bounds) {
  const auto find_above = current_isa().find_above;
  const auto offer = [&](int query, std::int64_t r, float score) {
    best[part.first + query].offer(score, block.first + r, k);
    float& bound = bounds[part.first + query];
    bound = std::max(bound, best[part.first + query].bound());
  };
  if (part.is_scan) {
    std::array<float, kRows> same;
    same.fill(bounds[part.first]);
    std::uint64_t found;
    find_above(scores, 1, kRows, same.data(), static_cast<int>(block.count), &found);
    for (found &= block.selected; found; found &= found - 1) {
      const int r = std::countr_zero(found);
      offer(0, r, scores[r]);
    }
    return;
  }
  std::array<std::uint64_t, kRows> found;
  find_above(scores, block.count, part.width, bounds + part.first, part.count, found.data());
  for (std::int64_t r = 0; r < block.count; ++r) {
    if (!(block.selected >> r & 1)) continue;
    for (std::uint64_t bits = found[r]; bits; bits &= bits - 1) {
      const int query = std::countr_zero(bits);
      offer(query, r, scores[r * part.width + query]);
    }
  }
}

}  // namespace

void best(const Best& asked, float* scores, std::int64_t* rows, int threads) {
  const Sides& sides = asked.sides;
  const std::int64_t k = asked.k;
  const Scoring scoring = scoring_of(sides);
  const std::vector<Block> blocks = blocks_of(asked, rows_at_once(sides));
  // What is sampled is scored twice, which weighs more where rows are not multiplied often.
  const std::vector<Block> samples = samples_of(blocks, k, scans(sides) ? 2560 : 1280);
  const std::int64_t queries = sides.a.count, count = blocks.size();
  const Shares shares = shares_of(count, threads);
  // A thread takes so many blocks at a time, which ascend: equal scores go to the lower row.
  const std::int64_t taken = std::clamp<std::int64_t>(count / (8 * shares.rows), 1, 16);

  // Each thread keeps its own answers, which are then put together.
  std::vector<std::vector<Candidates>> found(shares.rows, std::vector<Candidates>(queries));
  for_each_query_block(sides, scoring, shares.queries, [&](const Queries& some, std::int64_t) {
    std::atomic<std::int64_t> next_sample = 0, next = 0;
    parallel_for(shares.rows, 1, shares.rows, [&](std::int64_t share, std::int64_t) {
      Scorer scorer(sides, scoring, some);
      std::vector<float> bounds(queries, -kInfinity);
      const auto offer_block = [&](const Block& block, std::vector<Candidates>& best) {
        scorer(block.first, block.count, [&](const Queries::Part& of, const float* row) {
          offer_all(of, row, block, k, best.data(), bounds.data());
        });
      };
      if (!samples.empty()) {
        std::vector<Candidates> sampled(queries);
        for (std::int64_t i;
             (i = next_sample.fetch_add(1)) < std::ssize(samples) && keep_going();) {
          offer_block(samples[i], sampled);
        }
        for (std::int64_t q = 0; q < queries; ++q) {
          // Of equal scores the lower row is yet to come; those of -1 may have been below it.
          const float kth = sampled[q].kth(k);
          bounds[q] = kth > -1 ? std::nextafter(kth, -kInfinity) : -kInfinity;
        }
      }
      for (std::int64_t first; (first = next.fetch_add(taken)) < count && keep_going();) {
        for (std::int64_t i = first; i < std::min(first + taken, count); ++i) {
          offer_block(blocks[i], found[share]);
        }
      }
    });
  });

  parallel_for(queries, kRows, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Match> matches;
    // There are as many as are wanted only where all blocks were gone through.
    for (std::int64_t q = begin; q < end && keep_going(); ++q) {
      matches.clear();
      for (const auto& share : found) {
        matches.insert(matches.end(), share[q].matches().begin(), share[q].matches().end());
      }
      keep_best(matches, k);
      std::sort(matches.begin(), matches.end(), before);
      for (std::int64_t i = 0; i < k; ++i) {
        const float score = matches[i].score;
        scores[q * k + i] = score == -kInfinity ? std::numeric_limits<float>::quiet_NaN() : score;
        rows[q * k + i] = matches[i].row;
      }
    }
  });
}

}  // namespace minifloat::cpu
