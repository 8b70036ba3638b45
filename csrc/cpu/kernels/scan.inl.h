// Rows as they are packed and a few queries: the kernels of one instruction set, compiled once
// inside each one's namespace.

// What a vector of kFour numbers has of rows that have kQ numbers each.
inline constexpr int kFour = 4;
using Four [[gnu::vector_size(kFour * sizeof(float))]] = float;
using FourInts [[gnu::vector_size(kFour * sizeof(std::int32_t))]] = std::int32_t;

template <int kQ>
[[gnu::always_inline]] inline Four of_rows(const float* by_row) {
  if constexpr (kQ == 4) return Four{} + by_row[0];
  return Four{by_row[0], by_row[1 / kQ], by_row[2 / kQ], by_row[3 / kQ]};
}

// Scores out of dots of a chunk that is a whole row.
template <class L, int kPlanes, int kQ>
void write_scores(const typename L::Dot* dots, const QueryPanel& panel, const Rows& rows,
                  float* out) {
  using Dots = std::conditional_t<std::is_same_v<typename L::Dot, float>, Four, FourInts>;
  constexpr std::int64_t kPlane = kQ * kMostBlockRows;
  const auto repeated = [](const auto* by_query) {
    Dots dots;
    for (int i = 0; i < kFour; ++i) dots[i] = by_query[i % kQ];
    return dots;
  };
  Four factors;
  for (int i = 0; i < kFour; ++i) factors[i] = panel.factors[i % kQ];
  Dots starts[kPlanes] = {};
  if constexpr (L::kOffset != 0) {
    for (int p = 0; p < kPlanes; ++p) starts[p] = repeated(panel.starts + p * kQ);
  }
  const auto dot_at = [&](std::int64_t i) __attribute__((always_inline)) {
    Dots dot = {};
    for (int p = 0; p < kPlanes; ++p) {
      Dots of_plane;
      std::memcpy(&of_plane, dots + p * kPlane + i, sizeof(of_plane));
      dot = dot * kRaised<L> + of_plane + starts[p];
    }
    return __builtin_convertvector(dot, Four);
  };
  const std::int64_t count = rows.count * kQ;
  std::int64_t i = 0;
  for (; i + kFour <= count; i += kFour) {
    const Four scores = dot_at(i) * factors * of_rows<kQ>(rows.norms + i / kQ);
    std::memcpy(out + i, &scores, sizeof(scores));
  }
  if (i < count) {
    const Four last = dot_at(i) * factors;
    for (int j = 0; i + j < count; ++j) out[i + j] = last[j] * rows.norms[(i + j) / kQ];
  }
}

// Scores of rows of codes and kQ queries, kR rows side by side.
template <Format F, class Steps, int kPlanes, int kQ, int kR>
void scan_scores(const Scoring& scoring, const QueryPanel& panel, const Rows& rows, float* out) {
  using L = typename Steps::template LaneFor<kPlanes>;
  constexpr std::int64_t kPlane = kQ * kMostBlockRows;
  const auto* const packed = static_cast<const std::uint8_t*>(rows.data);
  const auto* const elements = static_cast<const std::uint8_t*>(panel.elements);
  const std::int64_t count = rows.count, bytes = row_bytes(scoring.dim, F.bits());
  const std::int64_t steps = (scoring.dim + Steps::kCodes - 1) / Steps::kCodes;
  const std::int64_t plane_bytes = steps * Steps::kCodes * kQ * sizeof(typename L::Query);
  const std::int64_t chunk_bytes = scoring.chunk / 8 * F.bits();
  const std::int64_t chunks = (scoring.dim + scoring.chunk - 1) / scoring.chunk;

  // The next rows' norms: too few at a time for the processor to ask for them by itself.
  for (std::int64_t i = 0; i < count; i += kLine / sizeof(float)) {
    __builtin_prefetch(rows.norms + count + i);
  }
  std::array<typename L::Dot, kPlanes * kPlane> dots{};
  std::array<Total<L>, kPlane> wholes;
  for (std::int64_t c = 0; c < chunks; ++c) {
    const Scanned part{packed + c * chunk_bytes, bytes,
                       std::min(chunk_bytes, bytes - c * chunk_bytes),
                       elements + c * scoring.chunk * kQ * sizeof(typename L::Query), plane_bytes};
    std::int64_t r = 0;
    const auto multiply = [&]<int kTogether>(std::integral_constant<int, kTogether>) {
      for (; r + kTogether <= count; r += kTogether) {
        Scanned some = part;
        some.packed += r * bytes;
        row_dots<F, Steps, kPlanes, kQ, kTogether>(some, dots.data() + r * kQ);
      }
    };
    multiply(std::integral_constant<int, kR>{});
    multiply(std::integral_constant<int, 1>{});
    if (chunks == 1) return write_scores<L, kPlanes, kQ>(dots.data(), panel, rows, out);
    for (std::int64_t i = 0; i < count * kQ; ++i) {
      typename L::Dot dot = 0;
      for (int p = 0; p < kPlanes; ++p) {
        dot = dot * kRaised<L> + dots[p * kPlane + i];
        if constexpr (L::kOffset != 0) dot += panel.starts[(c * kPlanes + p) * kQ + i % kQ];
      }
      wholes[i] = (c == 0 ? 0 : wholes[i]) + dot;
    }
  }
  for (std::int64_t i = 0; i < count * kQ; ++i) {
    out[i] = score_of(wholes[i], panel.factors[i % kQ], rows.norms[i / kQ]);
  }
}

// Adds the products of the rows' and the queries' coordinates.
template <int kQ>
void add_axes(const QueryPanel& panel, const Rows& rows, float* scores) {
  const std::int64_t count = rows.count, axes = rows.axes;
  // The next rows' coordinates, as their norms.
  for (std::int64_t i = 0; i < count * axes; i += kLine / sizeof(float)) {
    __builtin_prefetch(rows.coordinates + count * axes + i);
  }
  // Of one axis or two, rows are taken side by side.
  const auto add_few = [&]<int kAxes>(std::integral_constant<int, kAxes>) {
    for (int q = 0; q < kQ; ++q) {
      for (std::int64_t r = 0; r < count; ++r) {
        float score = scores[r * kQ + q];
        for (int axis = 0; axis < kAxes; ++axis) {
          score += rows.coordinates[r * kAxes + axis] * panel.coordinates[axis * kQ + q];
        }
        scores[r * kQ + q] = score;
      }
    }
  };
  if (axes == 1) return add_few(std::integral_constant<int, 1>{});
  if (axes == 2) return add_few(std::integral_constant<int, 2>{});
  for (std::int64_t axis = 0; axis < axes; ++axis) {
    const float* const along = rows.coordinates + axis;
    for (int q = 0; q < kQ; ++q) {
      const float of_query = panel.coordinates[axis * kQ + q];
      for (std::int64_t r = 0; r < count; ++r) scores[r * kQ + q] += along[r * axes] * of_query;
    }
  }
}

// Rows are multiplied side by side, so that their latencies overlap: as many as there are registers
// for, of short rows. Memory is read faster where they lie within so many bytes.
inline constexpr std::int64_t kSideBySide = 1024;

template <Format F, class Steps, int kPlanes, int kQ>
void scan_side_by_side(const Scoring& scoring, const QueryPanel& panel, const Rows& rows,
                       float* out) {
  constexpr int kMost = std::max(1, kScanVectors / (kPlanes * kQ));
  constexpr int kHalf = std::max(std::min(kMost, 4), kMost / 2), kFew = std::min(kMost, 4);
  const std::int64_t bytes = row_bytes(scoring.dim, F.bits());
  const auto scan_scores_of =
      kMost * bytes <= kSideBySide   ? scan_scores<F, Steps, kPlanes, kQ, kMost>
      : kHalf * bytes <= kSideBySide ? scan_scores<F, Steps, kPlanes, kQ, kHalf>
                                     : scan_scores<F, Steps, kPlanes, kQ, kFew>;
  scan_scores_of(scoring, panel, rows, out);
  if (scoring.axes > 0) add_axes<kQ>(panel, rows, out);
}

template <Format F, class Steps>
void scan(const Scoring& scoring, const QueryPanel& panel, const Rows& rows, float* out) {
  constexpr ScoreKernel kByQueries[][2] = {
      {scan_side_by_side<F, Steps, 1, 1>, scan_side_by_side<F, Steps, 2, 1>},
      {scan_side_by_side<F, Steps, 1, 2>, scan_side_by_side<F, Steps, 2, 2>},
      {scan_side_by_side<F, Steps, 1, 4>, scan_side_by_side<F, Steps, 2, 4>}};
  const auto width = static_cast<unsigned>(panel.width);
  kByQueries[std::countr_zero(width)][panel.planes - 1](scoring, panel, rows, out);
}

// Multiplies a few queries with rows as they are packed, each of which is decoded once.
template <Format F, class Steps>
constexpr Way by_scan(std::array<float, 3> costs) {
  return {.layout = kLayout<F, Steps, sizeof(Vector)>,
          .takes_packed = true,
          .width = 1,
          .most_rows = kMostBlockRows,
          .score = scan<F, Steps>,
          .costs = costs};
}
