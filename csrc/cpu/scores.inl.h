// The scoring kernels of one instruction set: compiled once inside each one's namespace.

// Sums of chunks and planes.
template <class L>
using Total = std::conditional_t<std::is_same_v<typename L::Dot, float>, float, std::int64_t>;

// What a plane's dot counts in the total: the high half of an int8 query is in steps of 256.
template <class L>
Total<L> weight(int plane, int planes) {
  return sizeof(typename L::Query) == 1 && plane + 1 < planes ? 256 : 1;
}

// dots[r * kV * kWidth + i] is the product of row r and query i of a panel, over some groups.
template <class L, int kV, int kR>
void tile(const std::uint8_t* rows, std::int64_t row_stride, const std::uint8_t* panel,
          std::int64_t groups, typename L::Dot* dots) {
  typename L::Sums sums[kR][kV];
#pragma GCC unroll 24
  for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v) sums[r][v] = L::zero();
  }
  for (std::int64_t g = 0; g < groups; ++g) {
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
#pragma GCC unroll 24
  for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v) L::store(dots + (r * kV + v) * kWidth, sums[r][v]);
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
  const std::int64_t panel_stride = steps * kStepCodes / kElements * kQueries * 4;
  const auto* const base = static_cast<const std::uint8_t*>(rows);
  const auto* const queries = static_cast<const std::uint8_t*>(panel.elements);

  const auto multiply = [&](std::int64_t first, int taken, int plane, std::int64_t at,
                            typename L::Dot* dots) {
    const std::int64_t length = std::min(scoring.chunk, scoring.dim - at);
    const std::int64_t whole = (length + kStepCodes - 1) / kStepCodes * kStepCodes;
    const std::int64_t groups = whole / kElements;
    const std::uint8_t* part = base + first * row_stride + at * sizeof(typename L::Row);
    const std::uint8_t* with = queries + plane * panel_stride + at / kElements * kQueries * 4;
    if (taken == kR) return tile<L, kV, kR>(part, row_stride, with, groups, dots);
    for (int r = 0; r < taken; ++r) {
      tile<L, kV, 1>(part + r * row_stride, 0, with, groups, dots + r * kQueries);
    }
  };
  const auto write = [&](std::int64_t row, const auto* totals) {
    for (int i = 0; i < kQueries; ++i) {
      out[row * kQueries + i] =
          static_cast<float>(totals[i]) * scoring.unit * panel.reciprocal_norms[i] * norms[row];
    }
  };

  const bool is_single = panel.planes == 1 && scoring.dim <= scoring.chunk;
  for (std::int64_t first = 0; first < count; first += kR) {
    const int taken = static_cast<int>(std::min<std::int64_t>(kR, count - first));
    alignas(64) typename L::Dot dots[kR * kQueries];
    if (is_single) {
      multiply(first, taken, 0, 0, dots);
      for (int r = 0; r < taken; ++r) {
        typename L::Dot* row = dots + r * kQueries;
        if constexpr (L::kOffset != 0) {
          for (int i = 0; i < kQueries; ++i) row[i] -= panel.corrections[i];
        }
        write(first + r, row);
      }
      continue;
    }
    Total<L> totals[kR * kQueries] = {};
    const std::int32_t* corrections = panel.corrections;
    for (int plane = 0; plane < panel.planes; ++plane) {
      for (std::int64_t at = 0; at < scoring.dim; at += scoring.chunk) {
        multiply(first, taken, plane, at, dots);
        for (int i = 0; i < taken * kQueries; ++i) {
          const Total<L> correction = L::kOffset != 0 ? corrections[i % kQueries] : 0;
          totals[i] += (dots[i] - correction) * weight<L>(plane, panel.planes);
        }
        corrections += kQueries;
      }
    }
    for (int r = 0; r < taken; ++r) write(first + r, totals + r * kQueries);
  }
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
    std::array<Total<L>, kBlock> sums;
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
      for (int p = 0; p < kPlanes; ++p) {
        const Total<L> correction = L::kOffset != 0 ? query.corrections[p * chunks + c] : 0;
        for (r = 0; r < taken; ++r) {
          const Total<L> dot = (dots[p * kBlock + r] - correction) * weight<L>(p, kPlanes);
          sums[r] = c == 0 && p == 0 ? dot : sums[r] + dot;
        }
      }
    }
    for (std::int64_t r = 0; r < taken; ++r) {
      out[first + r] =
          static_cast<float>(sums[r]) * scoring.unit * query.reciprocal_norms[0] * norms[first + r];
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
    const Vector element = load(elements + round % kSumVectors * sizeof(Vector));
#pragma GCC unroll 24
    for (int i = 0; i < kSumVectors; ++i) sums[i] = L::dot(sums[i], element, other);
  }
#pragma GCC unroll 24
  for (int i = 0; i < kSumVectors; ++i) {
    typename L::Dot dots[kWidth];
    L::store(dots, sums[i]);
    *sink += static_cast<float>(dots[0]);
  }
  return rounds * kProducts;
}
