// The best scores of each query.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/search/blocks.h"
#include "cpu/search/bounds.h"
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

// The candidates of a block of queries, of rows that one thread has gone through.
class Found {
 public:
  Found(const Isa& isa, const Queries& queries, std::int64_t k)
      : isa_(isa),
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
    for_each_above(isa_, block, part, scores, bounds, [&](int i, std::int64_t row, float score) {
      candidates[i].offer(score, row, k_);
      bounds[i] = std::max(bounds[i], candidates[i].bound());
    });
  }

  const std::vector<Match>& matches(std::int64_t query) const {
    return candidates_[query].matches();
  }

 private:
  const Isa& isa_;
  const std::int64_t k_, first_;
  std::vector<Candidates> candidates_;
  std::vector<float> bounds_;
};

// Some blocks, far apart: few at first, then as many again between them, and so on. Their best
// matches bound those of all: else of rows in ascending order of their scores, each better than all
// before, every one would be kept for a while. `kept` is about how many are then, in vain, where k
// is 1: what is sampled takes as long as what is kept where both grow with the root of k.
Blocks samples_of(const Blocks& blocks, std::int64_t k, double kept) {
  constexpr std::uint64_t kFew = 8, kLeastApart = 16;
  const std::uint64_t count = blocks.count();
  std::vector<Block> samples;
  if (count < kFew * kLeastApart) return Blocks(samples);
  const auto least = static_cast<std::uint64_t>(kept / std::sqrt(static_cast<double>(k)));
  const std::uint64_t apart = std::max(least, kLeastApart);
  const std::uint64_t every = std::bit_floor(std::min(apart, count / kFew));
  for (std::uint64_t step = std::bit_floor(count); step >= every; step /= 2) {
    // Those between are the odd multiples.
    for (std::uint64_t i = step; i <= count; i += 2 * step) samples.push_back(blocks[i - 1]);
  }
  return Blocks(std::move(samples));
}

struct Answers {
  float* scores;       // (a.count, k)
  std::int64_t* rows;  // likewise
};

// The best of a block of queries: each thread keeps its own, which are then put together.
class BestOf {
 public:
  BestOf(const Isa& isa, const Queries& queries, std::int64_t k, const Blocks& samples, int threads,
         Answers answers)
      : isa_(isa), queries_(queries), k_(k), answers_(answers), sampling_{samples, 1} {
    for (int i = 0; i < threads; ++i) found_.emplace_back(isa, queries, k);
  }

  Found& on_thread(std::int64_t i, Scorer& scorer) {
    if (sampling_.blocks.count() > 0) {
      Found sample(isa_, queries_, k_);
      scorer.go_through(sampling_, queries_, sample);
      found_[i].start_above(sample);
    }
    return found_[i];
  }

  void finish() const {
    const int threads = static_cast<int>(found_.size());
    parallel_for(queries_.count(), 64, threads, [&](std::int64_t begin, std::int64_t end) {
      std::vector<Match> matches;
      // There are as many as are wanted only where all blocks were gone through.
      for (std::int64_t q = begin; q < end && keep_going(); ++q) {
        matches.clear();
        for (const Found& found : found_) {
          matches.insert(matches.end(), found.matches(q).begin(), found.matches(q).end());
        }
        keep_best(matches, k_);
        std::sort(matches.begin(), matches.end(), before);
        write(matches, (queries_.first() + q) * k_);
      }
    });
  }

 private:
  void write(const std::vector<Match>& matches, std::int64_t first) const {
    for (std::int64_t i = 0; i < k_; ++i) {
      const float score = matches[i].score;
      const bool is_number = score != -kInfinity;
      answers_.scores[first + i] = is_number ? score : std::numeric_limits<float>::quiet_NaN();
      answers_.rows[first + i] = matches[i].row;
    }
  }

  const Isa& isa_;
  const Queries& queries_;
  const std::int64_t k_;
  const Answers answers_;
  Pass sampling_;
  std::vector<Found> found_;
};

}  // namespace

void best(const Best& asked, float* scores, std::int64_t* rows, int threads) {
  const std::int64_t k = asked.k;
  const Plan plan = plan_of(asked.sides, asked.sides.a.count);
  const Blocks blocks = blocks_of(plan, asked.selection);
  // What is sampled is scored twice, which weighs more where rows are not multiplied often.
  const Blocks samples = samples_of(blocks, k, plan.way.takes_packed ? 810 : 405);
  const Shares shares = shares_of(plan, blocks.count(), threads);
  make_scores(plan, shares, blocks, [&](const Queries& queries) {
    return BestOf(plan.isa, queries, k, samples, shares.row_threads, {scores, rows});
  });
}

}  // namespace minifloat::cpu
