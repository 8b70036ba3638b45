// Rows as they are packed and one query: the kernels of one instruction set, compiled once inside
// each one's namespace.

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
  // Memory is asked for in its own order, though rows are read side by side.
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
    // A row by itself is added up as four are, so that its score does not depend on how many there
    // are.
    typename L::Dot four[4];
    totals<L>(sums[p][0], sums[p][1 % kR], sums[p][2 % kR], sums[p][3 % kR], four);
    std::copy_n(four, kR, dots + p * stride);
  }
}

// Rows that a scan multiplies side by side, so that their latencies overlap.
inline constexpr int kScanRows = 4;

// Scores of rows of codes and one query.
template <Format F, int kPlanes>
void scan_scores(const Scoring& scoring, const QueryPanel& query, const Rows& rows, float* out) {
  using L = LaneOf<F>;
  const auto* const packed = static_cast<const std::uint8_t*>(rows.data);
  const auto* const elements = static_cast<const std::uint8_t*>(query.elements);
  const std::int64_t count = rows.count, bytes = row_bytes(scoring.dim, F.bits());
  const std::int64_t steps = (scoring.dim + kStepCodes - 1) / kStepCodes;
  const std::int64_t plane_bytes = steps * kStepCodes * sizeof(typename L::Query);
  const std::int64_t chunk_bytes = scoring.chunk / 8 * F.bits();
  const std::int64_t chunks = (scoring.dim + scoring.chunk - 1) / scoring.chunk;

  // The next rows' norms: too few at a time for the processor to ask for them by itself.
  for (std::int64_t i = 0; i < count; i += kLine / sizeof(float)) {
    __builtin_prefetch(rows.norms + count + i);
  }
  std::array<Total<L>, kMostBlockRows> totals;
  for (std::int64_t c = 0; c < chunks; ++c) {
    const std::uint8_t* part = packed + c * chunk_bytes;
    const std::uint8_t* with = elements + c * scoring.chunk * sizeof(typename L::Query);
    const std::int64_t part_bytes = std::min(chunk_bytes, bytes - c * chunk_bytes);
    std::array<typename L::Dot, kPlanes * kMostBlockRows> dots;
    std::int64_t r = 0;
    for (; r + kScanRows <= count; r += kScanRows) {
      row_dots<F, kPlanes, kScanRows>(part + r * bytes, bytes, part_bytes, with, plane_bytes,
                                      dots.data() + r, kMostBlockRows);
    }
    for (; r < count; ++r) {
      row_dots<F, kPlanes, 1>(part + r * bytes, bytes, part_bytes, with, plane_bytes,
                              dots.data() + r, kMostBlockRows);
    }
    const auto dot_of = [&](std::int64_t row) {
      typename L::Dot dot = 0;
      for (int p = 0; p < kPlanes; ++p) {
        dot = dot * kRaised<L> + dots[p * kMostBlockRows + row];
        if constexpr (L::kOffset != 0) dot += query.starts[c * kPlanes + p];
      }
      return dot;
    };
    const auto write = [&](const auto& sums_of) {
      for (r = 0; r < count; ++r) out[r] = score_of(sums_of(r), query.factors[0], rows.norms[r]);
    };
    if (chunks == 1) return write(dot_of);
    for (r = 0; r < count; ++r) totals[r] = (c == 0 ? 0 : totals[r]) + dot_of(r);
    if (c + 1 == chunks) write([&](std::int64_t row) { return totals[row]; });
  }
}

// Adds the products of the rows' and the query's coordinates.
inline void add_axes(const QueryPanel& query, const Rows& rows, float* scores) {
  const std::int64_t count = rows.count, axes = rows.axes;
  // The next rows' coordinates, as their norms.
  for (std::int64_t i = 0; i < count * axes; i += kLine / sizeof(float)) {
    __builtin_prefetch(rows.coordinates + count * axes + i);
  }
  if (axes == 1) {
    const float of_query = query.coordinates[0];
    for (std::int64_t r = 0; r < count; ++r) scores[r] += rows.coordinates[r] * of_query;
    return;
  }
  for (std::int64_t axis = 0; axis < axes; ++axis) {
    const float of_query = query.coordinates[axis];
    const float* const along = rows.coordinates + axis;
    for (std::int64_t r = 0; r < count; ++r) scores[r] += along[r * axes] * of_query;
  }
}

template <Format F>
void scan(const Scoring& scoring, const QueryPanel& query, const Rows& rows, float* out) {
  constexpr ScoreKernel kByPlanes[] = {scan_scores<F, 1>, scan_scores<F, 2>};
  kByPlanes[query.planes - 1](scoring, query, rows, out);
  if (scoring.axes > 0) add_axes(query, rows, out);
}

// Multiplies queries one by one.
template <Format F>
constexpr Way by_scan(float cost) {
  return {.layout = kLayout<F>,
          .takes_packed = true,
          .width = 1,
          .most_vectors = 1,
          .most_rows = kMostBlockRows,
          .score = scan<F>,
          .cost = cost};
}
