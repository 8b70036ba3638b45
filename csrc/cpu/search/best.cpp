// The best scores of each query.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/search/blocks.h"
#include "cpu/search/search.h"
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

// The candidates of some queries, of rows that one thread has gone through.
class Found {
 public:
  Found(const Plan& plan, const Queries& queries, std::int64_t k)
      : find_above_(plan.isa.find_above),
        k_(k),
        first_(queries.first()),
        candidates_(queries.count()),
        bounds_(queries.count(), -kInfinity) {}

  // Leaves out, from now on, what is not among the best because of what a sample has found.
  void start_above(Found& sample) {
    for (std::size_t q = 0; q < bounds_.size(); ++q) {
      // Of equal scores the lower row is yet to come; those of -1 may have been below it.
      const float kth = sample.candidates_[q].kth(k_);
      bounds_[q] = kth > -1 ? std::nextafter(kth, -kInfinity) : -kInfinity;
    }
  }

  bool wants(const Block&, const Queries::Part&) const { return true; }

  void keep(const Block& block, const Queries::Part& part, const float* scores) {
    Candidates* const candidates = candidates_.data() + (part.first - first_);
    float* const bounds = bounds_.data() + (part.first - first_);
    const auto offer = [&](int query, std::int64_t r, float score) {
      candidates[query].offer(score, block.first + r, k_);
      bounds[query] = std::max(bounds[query], candidates[query].bound());
    };
    if (part.panel.width == 1) {
      // Rows are compared side by side where queries are not.
      std::array<float, kMostBlockRows> same;
      same.fill(bounds[0]);
      std::uint64_t found;
      find_above_(scores, 1, same.size(), same.data(), static_cast<int>(block.count), &found);
      for (found &= block.selected; found; found &= found - 1) {
        const int r = std::countr_zero(found);
        offer(0, r, scores[r]);
      }
      return;
    }
    std::array<std::uint64_t, kMostBlockRows> found;
    find_above_(scores, block.count, part.panel.width, bounds, part.count, found.data());
    for (std::int64_t r = 0; r < block.count; ++r) {
      if (!(block.selected >> r & 1)) continue;
      for (std::uint64_t bits = found[r]; bits; bits &= bits - 1) {
        const int query = std::countr_zero(bits);
        offer(query, r, scores[r * part.panel.width + query]);
      }
    }
  }

  const std::vector<Match>& matches(std::int64_t query) const {
    return candidates_[query].matches();
  }

 private:
  decltype(Isa::find_above) find_above_;
  std::int64_t k_, first_;
  std::vector<Candidates> candidates_;
  std::vector<float> bounds_;
};

// Some blocks, far apart: few at first, then as many again between them, and so on. Their best
// matches bound those of all: else of rows in ascending order of their scores, each better than all
// before, every one would be kept for a while. `kept` is about how many are then, in vain.
Blocks samples_of(const Blocks& blocks, std::int64_t k, std::int64_t kept) {
  constexpr std::uint64_t kFew = 8, kLeastApart = 16;
  const std::uint64_t count = blocks.count();
  std::vector<Block> samples;
  if (count < kFew * kLeastApart) return Blocks(samples);
  const std::uint64_t apart = std::max<std::uint64_t>(kept / k, kLeastApart);
  const std::uint64_t every = std::bit_floor(std::min(apart, count / kFew));
  for (std::uint64_t step = std::bit_floor(count); step >= every; step /= 2) {
    // Those between are the odd multiples.
    for (std::uint64_t i = step; i <= count; i += 2 * step) samples.push_back(blocks[i - 1]);
  }
  return Blocks(std::move(samples));
}

// Writes the best of what all threads have found for some queries.
void write(const std::vector<Found>& found, const Queries& queries, std::int64_t k, float* scores,
           std::int64_t* rows) {
  parallel_for(queries.count(), 64, std::ssize(found), [&](std::int64_t begin, std::int64_t end) {
    std::vector<Match> matches;
    // There are as many as are wanted only where all blocks were gone through.
    for (std::int64_t q = begin; q < end && keep_going(); ++q) {
      matches.clear();
      for (const Found& some : found) {
        matches.insert(matches.end(), some.matches(q).begin(), some.matches(q).end());
      }
      keep_best(matches, k);
      std::sort(matches.begin(), matches.end(), before);
      for (std::int64_t i = 0; i < k; ++i) {
        const float score = matches[i].score;
        const std::int64_t to = (queries.first() + q) * k + i;
        scores[to] = score == -kInfinity ? std::numeric_limits<float>::quiet_NaN() : score;
        rows[to] = matches[i].row;
      }
    }
  });
}

}  // namespace

void best(const Best& asked, float* scores, std::int64_t* rows, int threads) {
  const std::int64_t k = asked.k;
  const Plan plan = plan_of(asked.sides, asked.sides.a.count);
  const Blocks blocks = blocks_of(plan, asked.selection);
  // What is sampled is scored twice, which weighs more where rows are not multiplied often.
  const Blocks samples = samples_of(blocks, k, plan.way.takes_packed ? 2560 : 1280);
  const Shares shares = shares_of(plan, blocks.count(), threads);
  for_each_query_block(plan, shares, [&](const Queries& queries) {
    // Each thread keeps its own answers, which are then put together.
    std::vector<Found> found(shares.row_threads, Found(plan, queries, k));
    Pass sampling{samples, 1}, whole{blocks, shares.row_blocks};
    parallel_for(shares.row_threads, 1, shares.row_threads, [&](std::int64_t i, std::int64_t) {
      Scorer scorer(plan);
      if (samples.count() > 0) {
        Found sample(plan, queries, k);
        scorer.go_through(sampling, queries, sample);
        found[i].start_above(sample);
      }
      scorer.go_through(whole, queries, found[i]);
    });
    write(found, queries, k, scores, rows);
  });
}

}  // namespace minifloat::cpu
