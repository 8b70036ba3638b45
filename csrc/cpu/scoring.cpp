#include "scoring.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../lanes.h"
#include "../packing.h"
#include "isa.h"
#include "parallel.h"

namespace minifloat {
namespace {

// Rows of either side that are multiplied as one block: as many as fit in the L1 cache.
constexpr std::int64_t kTile = 64;

Format format_of(const Sides& sides) { return kFormats[sides.format].format; }

Scoring scoring_of(const Sides& sides) {
  const Format format = format_of(sides);
  if (lane(format) == Lane::kFloat) return {sides.dim, sides.dim, 1.0f};
  const int steps = fraction_bits(format) * (sides.a.packed ? 2 : 1);
  const std::int64_t largest = sides.a.packed ? max_fixed(format) : kQueryMax;
  const std::int64_t exact =
      std::numeric_limits<std::int32_t>::max() / (largest * max_fixed(format));
  return {sides.dim, exact, std::ldexp(1.0f, -steps)};
}

// Up to `capacity` rows of one side in their lane.
class Panel {
 public:
  Panel(const Sides& sides, const Rows& rows, std::int64_t capacity)
      : kernels_(current_isa().kernels[sides.format]),
        rows_(rows),
        dim_(sides.dim),
        code_bytes_(row_bytes(sides.dim, format_of(sides).bits())),
        element_bytes_(sides.dim * (lane(format_of(sides)) == Lane::kFloat ? sizeof(float)
                                                                           : sizeof(std::int16_t))),
        buffer_(rows.packed ? std::min(capacity, rows.count) * element_bytes_ : 0) {}

  LaneRows load(std::int64_t first, std::int64_t count) {
    const auto* const data = static_cast<const std::uint8_t*>(rows_.data);
    const float* const norms = rows_.reciprocal_norms + first;
    if (!rows_.packed) return {data + first * element_bytes_, norms, count};
    for (std::int64_t i = 0; i < count; ++i) {
      kernels_.to_elements(data + (first + i) * code_bytes_, dim_,
                           buffer_.data() + i * element_bytes_);
    }
    return {buffer_.data(), norms, count};
  }

 private:
  const Kernels& kernels_;
  const Rows rows_;
  const std::int64_t dim_;
  const std::int64_t code_bytes_;
  const std::int64_t element_bytes_;
  std::vector<std::uint8_t> buffer_;
};

struct Match {
  float score;
  std::int64_t row;
};

// Whether x comes before y in an answer.
bool before(const Match& x, const Match& y) {
  const auto key = [](float s) {
    return std::isnan(s) ? -std::numeric_limits<float>::infinity() : s;
  };
  const float a = key(x.score), b = key(y.score);
  return a != b ? a > b : x.row < y.row;
}

// The k best of the matches that were offered: a heap with the worst of them in front.
class Best {
 public:
  void offer(const Match& match, std::size_t k) {
    if (heap_.size() == k) {
      if (!before(match, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), before);
      heap_.back() = match;
    } else {
      heap_.push_back(match);
    }
    std::push_heap(heap_.begin(), heap_.end(), before);
  }

  const std::vector<Match>& matches() const { return heap_; }

 private:
  std::vector<Match> heap_;
};

}  // namespace

void all_scores(const Sides& sides, float* out, int threads) {
  const Scoring scoring = scoring_of(sides);
  const Kernels& kernels = current_isa().kernels[sides.format];
  parallel_for(sides.b.count, kTile, threads, [&](std::int64_t begin, std::int64_t end) {
    Panel a_panel(sides, sides.a, kTile), b_panel(sides, sides.b, kTile);
    for (std::int64_t j = begin; j < end; j += kTile) {
      const LaneRows b = b_panel.load(j, std::min(kTile, end - j));
      for (std::int64_t i = 0; i < sides.a.count; i += kTile) {
        const LaneRows a = a_panel.load(i, std::min(kTile, sides.a.count - i));
        kernels.scores(scoring, a, b, out + i * sides.b.count + j, sides.b.count);
      }
    }
  });
}

void pair_scores(const Sides& sides, const std::int64_t* pairs, std::int64_t count, float* out,
                 int threads) {
  constexpr std::int64_t kGrain = 4096;
  const Scoring scoring = scoring_of(sides);
  const Kernels& kernels = current_isa().kernels[sides.format];
  parallel_for(count, kGrain, threads, [&](std::int64_t begin, std::int64_t end) {
    Panel a_panel(sides, sides.a, 1), b_panel(sides, sides.b, 1);
    LaneRows a{};
    for (std::int64_t t = begin; t < end; ++t) {
      // Trial lists come sorted by their first row: it is turned into its lane once.
      if (t == begin || pairs[2 * t] != pairs[2 * t - 2]) a = a_panel.load(pairs[2 * t], 1);
      kernels.scores(scoring, a, b_panel.load(pairs[2 * t + 1], 1), out + t, 1);
    }
  });
}

void search(const Sides& sides, std::int64_t k, float* scores, std::int64_t* indices, int threads) {
  const Scoring scoring = scoring_of(sides);
  const Kernels& kernels = current_isa().kernels[sides.format];
  const std::int64_t queries = sides.a.count, rows = sides.b.count;
  const std::int64_t parts = std::clamp<std::int64_t>(rows / kTile, 1, threads);
  const auto start_of = [&](std::int64_t part) { return rows * part / parts; };

  // Each part of the database keeps its own answers, which are then put together.
  std::vector<std::vector<Best>> found(parts, std::vector<Best>(queries));
  parallel_for(parts, 1, threads, [&](std::int64_t part, std::int64_t last_part) {
    Panel a_panel(sides, sides.a, kTile), b_panel(sides, sides.b, kTile);
    std::vector<float> tile(kTile * kTile);
    for (; part < last_part; ++part) {
      const std::int64_t end = start_of(part + 1);
      for (std::int64_t j = start_of(part); j < end; j += kTile) {
        const LaneRows b = b_panel.load(j, std::min(kTile, end - j));
        for (std::int64_t i = 0; i < queries; i += kTile) {
          const LaneRows a = a_panel.load(i, std::min(kTile, queries - i));
          kernels.scores(scoring, a, b, tile.data(), kTile);
          for (std::int64_t q = 0; q < a.count; ++q) {
            for (std::int64_t r = 0; r < b.count; ++r) {
              found[part][i + q].offer({tile[q * kTile + r], j + r}, k);
            }
          }
        }
      }
    }
  });

  parallel_for(queries, kTile, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Match> matches;
    for (std::int64_t q = begin; q < end; ++q) {
      matches.clear();
      for (const auto& part : found) {
        matches.insert(matches.end(), part[q].matches().begin(), part[q].matches().end());
      }
      std::partial_sort(matches.begin(), matches.begin() + k, matches.end(), before);
      for (std::int64_t i = 0; i < k; ++i) {
        scores[q * k + i] = matches[i].score;
        indices[q * k + i] = matches[i].row;
      }
    }
  });
}

}  // namespace minifloat
