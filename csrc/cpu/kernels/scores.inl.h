// The scoring kernels of one instruction set: compiled once inside each one's namespace.

// Sums of chunks.
template <class L>
using Total = std::conditional_t<std::is_same_v<typename L::Dot, float>, float, std::int64_t>;

// One of a high plane in steps of the low one.
template <class L>
inline constexpr int kRaised = sizeof(typename L::Query) == 1 ? 256 : 1;

// Groups of a panel: queries by plane, and what the sums of each plane start from.
struct Groups {
  const std::uint8_t* queries;
  std::int64_t count;
  int planes;
  std::int64_t plane_stride;
  const std::int32_t* starts;
};

// Where a tile's sums go, row by row: as they are, or as scores.
template <class L, int kV>
struct ToDots {
  typename L::Dot* dots;

  [[gnu::always_inline]] void operator()(int r, int v, typename L::Sums sums) const {
    L::store(dots + (r * kV + v) * kWidth, sums);
  }
};

template <class L, int kV>
struct ToScores {
  const float* factors;  // by query
  const float* norms;    // by row
  float* scores;

  [[gnu::always_inline]] void operator()(int r, int v, typename L::Sums sums) const {
    store_scores<L>(scores + (r * kV + v) * kWidth, sums, factors + v * kWidth, norms[r]);
  }
};

// Calls finish(r, v, sums) for each of kR rows and kV vectors of queries, multiplied over some
// groups. A function by itself, and with nothing known of the sums at its end, or the compiler runs
// out of registers for them.
template <class L, int kV, int kR, class Finish>
[[gnu::noinline]] void tile(const std::uint8_t* rows, std::int64_t row_stride, const Groups& groups,
                            Finish finish) {
  typename L::Sums sums[kR][kV];
  for (int plane = 0; plane < groups.planes; ++plane) {
#pragma GCC unroll 24
    for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kV; ++v) {
        sums[r][v] = plane == 0 ? L::zero() : L::raise(sums[r][v]);
        if constexpr (L::kOffset != 0) {
          const std::int32_t* start = groups.starts + (plane * kV + v) * kWidth;
          sums[r][v] = L::add(sums[r][v], L::of(load(start)));
        }
      }
    }
    const std::uint8_t* panel = groups.queries + plane * groups.plane_stride;
    for (std::int64_t g = 0; g < groups.count; ++g) {
      Vector queries[kV];
#pragma GCC unroll 4
      for (int v = 0; v < kV; ++v) queries[v] = load(panel + (g * kV + v) * sizeof(Vector));
#pragma GCC unroll 24
      for (int r = 0; r < kR; ++r) {
        const Vector row = broadcast(rows + r * row_stride + g * 4);
#pragma GCC unroll 4
        for (int v = 0; v < kV; ++v) sums[r][v] = L::dot(sums[r][v], row, queries[v]);
      }
    }
  }
#pragma GCC unroll 24
  for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v) {
      forget(sums[r][v]);
      finish(r, v, sums[r][v]);
    }
  }
}

// Scores of up to `count` lane rows and a panel of kV * kWidth queries, a row's side by side.
template <Format F, int kV>
void panel_scores(const Scoring& scoring, const QueryPanel& panel, const void* rows,
                  const float* norms, std::int64_t count, float* out) {
  using L = LaneOf<F>;
  constexpr int kR = kSumVectors / kV;
  constexpr int kQueries = kV * kWidth;
  constexpr std::int64_t kElements = kGroup<typename L::Row>;
  const std::int64_t steps = (scoring.dim + kStepCodes - 1) / kStepCodes;
  const std::int64_t row_stride = steps * kStepCodes * sizeof(typename L::Row);
  const auto* const queries = static_cast<const std::uint8_t*>(panel.elements);

  // The groups of the chunk that begins at an element.
  const auto groups_at = [&](std::int64_t at) {
    const std::int64_t length = std::min(scoring.chunk, steps * kStepCodes - at);
    return Groups{.queries = queries + at / kElements * kQueries * 4,
                  .count = length / kElements,
                  .planes = panel.planes,
                  .plane_stride = steps * kStepCodes / kElements * kQueries * 4,
                  .starts = panel.starts + at / scoring.chunk * panel.planes * kQueries};
  };
  const auto score = [&]<int kRows>(std::integral_constant<int, kRows>, std::int64_t first) {
    const std::uint8_t* from = static_cast<const std::uint8_t*>(rows) + first * row_stride;
    float* to = out + first * kQueries;
    if (scoring.dim <= scoring.chunk) {
      const ToScores<L, kV> finish{panel.factors, norms + first, to};
      return tile<L, kV, kRows>(from, row_stride, groups_at(0), finish);
    }
    alignas(64) typename L::Dot dots[kRows * kQueries];
    Total<L> totals[kRows * kQueries] = {};
    for (std::int64_t at = 0; at < scoring.dim; at += scoring.chunk) {
      tile<L, kV, kRows>(from + at * sizeof(typename L::Row), row_stride, groups_at(at),
                         ToDots<L, kV>{dots});
      for (int i = 0; i < kRows * kQueries; ++i) totals[i] += dots[i];
    }
    for (int i = 0; i < kRows * kQueries; ++i) {
      const float factor = panel.factors[i % kQueries];
      to[i] = static_cast<float>(totals[i]) * factor * norms[first + i / kQueries];
    }
  };
  std::int64_t first = 0;
  for (; first + kR <= count; first += kR) score(std::integral_constant<int, kR>{}, first);
  for (; first < count; ++first) score(std::integral_constant<int, 1>{}, first);
}

// dots[p * stride + r] is the product of row r, as it is packed, and plane p of one query.
template <Format F, int kPlanes, int kR>
void row_dots(const std::uint8_t* packed, std::int64_t row_stride, std::int64_t bytes,
              const std::uint8_t* query, std::int64_t plane_bytes, typename LaneOf<F>::Dot* dots,
              std::int64_t stride) {
  using L = LaneOf<F>;
  constexpr int kVectors = sizeof(typename L::Row);
  typename L::Sums sums[kPlanes][kR];
  for (auto& plane : sums) {
    for (auto& sum : plane) sum = L::zero();
  }
  // Side by side, rows are asked for in the order in which memory has them all the same.
  const std::uint8_t* ahead = packed + kAhead;
  const auto add = [&](std::int64_t left) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (std::int64_t i = 0; i < kR * kStepBytes<F>; i += kLine) __builtin_prefetch(ahead + i);
    ahead += kR * kStepBytes<F>;
#pragma GCC unroll 4
    for (int r = 0; r < kR; ++r) {
      const auto vectors = step<L, F>(packed + r * row_stride, left, kRowTable<F>.data());
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 2
        for (int p = 0; p < kPlanes; ++p) {
          const Vector with = load(query + p * plane_bytes + v * sizeof(Vector));
          sums[p][r] = L::dot(sums[p][r], vectors.each[v], with);
        }
      }
    }
    packed += kStepBytes<F>;
    query += kVectors * sizeof(Vector);
  };
  // A step of a row that goes on reads whole vectors.
  constexpr std::int64_t kWhole = sizeof(Vector);
  static_assert(kStepBytes<F> <= kWhole);
  for (; bytes >= kWhole; bytes -= kStepBytes<F>) add(kWhole);
  for (; bytes >= kStepBytes<F>; bytes -= kStepBytes<F>) add(kStepBytes<F>);
  if (bytes > 0) add(bytes);
  for (int p = 0; p < kPlanes; ++p) {
    // One row is added up in the order of four, so that it scores the same among others.
    typename L::Dot four[4];
    totals<L>(sums[p][0], sums[p][1 % kR], sums[p][2 % kR], sums[p][3 % kR], four);
    std::copy_n(four, kR, dots + p * stride);
  }
}

// Rows that a scan multiplies side by side, so that their latencies overlap.
inline constexpr int kScanRows = 4;

// Scores of `count` rows of codes and one query.
template <Format F, int kPlanes>
void scan_scores(const Scoring& scoring, const QueryPanel& query, const void* rows,
                 const float* norms, std::int64_t count, float* out) {
  using L = LaneOf<F>;
  const auto* packed = static_cast<const std::uint8_t*>(rows);
  const auto* const elements = static_cast<const std::uint8_t*>(query.elements);
  const std::int64_t bytes = row_bytes(scoring.dim, F.bits());
  const std::int64_t steps = (scoring.dim + kStepCodes - 1) / kStepCodes;
  const std::int64_t plane_bytes = steps * kStepCodes * sizeof(typename L::Query);
  const std::int64_t chunk_bytes = scoring.chunk / 8 * F.bits();
  const std::int64_t chunks = (scoring.dim + scoring.chunk - 1) / scoring.chunk;

  // The next rows' norms: too few at a time for the processor to ask for them by itself.
  for (std::int64_t i = 0; i < count; i += kLine / sizeof(float)) {
    __builtin_prefetch(norms + count + i);
  }
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    std::array<Total<L>, kBlock> totals;
    for (std::int64_t c = 0; c < chunks; ++c) {
      const std::uint8_t* part = packed + first * bytes + c * chunk_bytes;
      const std::uint8_t* with = elements + c * scoring.chunk * sizeof(typename L::Query);
      const std::int64_t part_bytes = std::min(chunk_bytes, bytes - c * chunk_bytes);
      std::array<typename L::Dot, kPlanes * kBlock> dots;
      std::int64_t r = 0;
      for (; r + kScanRows <= taken; r += kScanRows) {
        row_dots<F, kPlanes, kScanRows>(part + r * bytes, bytes, part_bytes, with, plane_bytes,
                                        dots.data() + r, kBlock);
      }
      for (; r < taken; ++r) {
        row_dots<F, kPlanes, 1>(part + r * bytes, bytes, part_bytes, with, plane_bytes,
                                dots.data() + r, kBlock);
      }
      const auto dot_of = [&](std::int64_t row) {
        typename L::Dot dot = 0;
        for (int p = 0; p < kPlanes; ++p) {
          dot = dot * kRaised<L> + dots[p * kBlock + row];
          if constexpr (L::kOffset != 0) dot += query.starts[c * kPlanes + p];
        }
        return dot;
      };
      const auto write = [&](const auto& sums_of) {
        for (r = 0; r < taken; ++r) {
          out[first + r] = static_cast<float>(sums_of(r)) * query.factors[0] * norms[first + r];
        }
      };
      if (chunks == 1) {
        write(dot_of);
        continue;
      }
      for (r = 0; r < taken; ++r) totals[r] = (c == 0 ? 0 : totals[r]) + dot_of(r);
      if (c + 1 == chunks) write([&](std::int64_t row) { return totals[row]; });
    }
  }
}

// Products of elements in registers alone, about as many as asked for: what the processor can do.
// Elements are kMultiplied bytes, which the compiler must not know, or it multiplies equals once.
template <Format F>
std::int64_t multiply(std::int64_t products, const std::uint8_t* elements, float* sink) {
  using L = LaneOf<F>;
  static_assert((kSumVectors + 1) * sizeof(Vector) <= kMultiplied);
  constexpr std::int64_t kProducts = kSumVectors * kWidth * kGroup<typename L::Row>;
  typename L::Sums sums[kSumVectors];
  const Vector other = load(elements);
#pragma GCC unroll 24
  for (int i = 0; i < kSumVectors; ++i) {
    sums[i] = L::dot(L::zero(), load(elements + i * sizeof(Vector)), other);
  }
  const std::int64_t rounds = products / kProducts + 1;
  for (std::int64_t round = 0; round < rounds; ++round) {
    Vector element = load(elements + round % kSumVectors * sizeof(Vector));
#pragma GCC unroll 24
    for (int i = 0; i < kSumVectors; ++i) {
      forget(element);
      sums[i] = L::dot(sums[i], element, other);
    }
  }
#pragma GCC unroll 24
  for (int i = 0; i < kSumVectors; ++i) {
    typename L::Dot dots[kWidth];
    L::store(dots, sums[i]);
    *sink += static_cast<float>(dots[0]);
  }
  return rounds * kProducts;
}
