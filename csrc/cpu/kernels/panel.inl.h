// Rows in their lane and queries side by side: the kernels of one instruction set, compiled once
// inside each one's namespace.

// Groups of a panel: queries by plane, and what the sums of each plane start from.
struct Groups {
  const std::uint8_t* queries;
  std::int64_t count;
  std::int64_t exact;  // so many at a time add up in partial sums
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

// Of rows in a frame, with the product of their first coordinates added.
template <class L, int kV, bool kInFrame>
struct ToScores {
  const QueryPanel& panel;
  const float* norms;        // by row
  const float* coordinates;  // by row, by axis
  std::int64_t axes;
  float* scores;

  [[gnu::always_inline]] void operator()(int r, int v, typename L::Sums sums) const {
    Floats found = scores_of<L>(sums, panel.factors + v * kWidth, norms[r]);
    if constexpr (kInFrame) {
      found += coordinates[r * axes] * load_floats(panel.coordinates + v * kWidth);
    }
    store_floats(scores + (r * kV + v) * kWidth, found);
  }
};

// Adds the products of coordinates from an axis on.
inline void add_axes_from(std::int64_t first, const QueryPanel& panel, const Rows& rows,
                          float* scores) {
  for (std::int64_t r = 0; r < rows.count; ++r) {
    for (std::int64_t axis = first; axis < rows.axes; ++axis) {
      const float of_row = rows.coordinates[r * rows.axes + axis];
      const float* const of_queries = panel.coordinates + axis * panel.width;
      float* const of_scores = scores + r * panel.width;
      for (int i = 0; i < panel.width; i += kFloats) {
        store_floats(of_scores + i,
                     load_floats(of_scores + i) + of_row * load_floats(of_queries + i));
      }
    }
  }
}

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
    for (std::int64_t g = 0; g < groups.count;) {
      typename L::Partial partial[kR][kV];
#pragma GCC unroll 24
      for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kV; ++v) partial[r][v] = L::open(sums[r][v]);
      }
      const std::int64_t end = std::min(groups.count, g + groups.exact);
      for (; g < end; ++g) {
        Vector queries[kV];
#pragma GCC unroll 4
        for (int v = 0; v < kV; ++v) queries[v] = load(panel + (g * kV + v) * sizeof(Vector));
#pragma GCC unroll 24
        for (int r = 0; r < kR; ++r) {
          const Vector row = broadcast(rows + r * row_stride + g * 4);
#pragma GCC unroll 4
          for (int v = 0; v < kV; ++v) partial[r][v] = L::dot(partial[r][v], row, queries[v]);
        }
      }
#pragma GCC unroll 24
      for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kV; ++v) sums[r][v] = L::close(sums[r][v], partial[r][v]);
      }
    }
  }
#pragma GCC unroll 24
  for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v) {
      make_unknown(sums[r][v]);
      finish(r, v, sums[r][v]);
    }
  }
}

// Scores of rows in their lane and a panel of kV * kWidth queries, a row's side by side.
template <Format F, int kV, bool kInFrame>
void panel_scores(const Scoring& scoring, const QueryPanel& panel, const Rows& rows, float* out) {
  using L = LaneOf<F>;
  constexpr int kR = L::kTileVectors / kV;
  constexpr int kPanelQueries = kV * kWidth;
  constexpr std::int64_t kElements = kGroup<typename L::Row>;
  const std::int64_t steps = (scoring.dim + kStepCodes - 1) / kStepCodes;
  const std::int64_t row_stride = steps * kStepCodes * sizeof(typename L::Row);
  const auto* const queries = static_cast<const std::uint8_t*>(panel.elements);

  // The groups of the chunk that begins at an element.
  const auto groups_at = [&](std::int64_t at) {
    const std::int64_t length = std::min(scoring.chunk, steps * kStepCodes - at);
    return Groups{.queries = queries + at / kElements * kPanelQueries * 4,
                  .count = length / kElements,
                  .exact = L::exact(query_most<F>(panel.planes)),
                  .planes = panel.planes,
                  .plane_stride = steps * kStepCodes / kElements * kPanelQueries * 4,
                  .starts = panel.starts + at / scoring.chunk * panel.planes * kPanelQueries};
  };
  const auto score = [&]<int kRows>(std::integral_constant<int, kRows>, std::int64_t first) {
    const std::uint8_t* from = static_cast<const std::uint8_t*>(rows.data) + first * row_stride;
    float* to = out + first * kPanelQueries;
    if (scoring.dim <= scoring.chunk) {
      const ToScores<L, kV, kInFrame> finish{panel, rows.norms + first,
                                             rows.coordinates + first * rows.axes, rows.axes, to};
      return tile<L, kV, kRows>(from, row_stride, groups_at(0), finish);
    }
    alignas(64) typename L::Dot dots[kRows * kPanelQueries];
    Total<L> totals[kRows * kPanelQueries] = {};
    for (std::int64_t at = 0; at < scoring.dim; at += scoring.chunk) {
      tile<L, kV, kRows>(from + at * sizeof(typename L::Row), row_stride, groups_at(at),
                         ToDots<L, kV>{dots});
      for (int i = 0; i < kRows * kPanelQueries; ++i) totals[i] += dots[i];
    }
    for (int i = 0; i < kRows * kPanelQueries; ++i) {
      const std::int64_t row = first + i / kPanelQueries;
      const int query = i % kPanelQueries;
      to[i] = score_of(totals[i], panel.factors[query], rows.norms[row]);
      if constexpr (kInFrame) {
        to[i] += rows.coordinates[row * rows.axes] * panel.coordinates[query];
      }
    }
  };
  std::int64_t first = 0;
  for (; first + kR <= rows.count; first += kR) score(std::integral_constant<int, kR>{}, first);
  for (; first < rows.count; ++first) score(std::integral_constant<int, 1>{}, first);
}

template <Format F>
void panel(const Scoring& scoring, const QueryPanel& panel, const Rows& rows, float* out) {
  constexpr ScoreKernel kByVectors[][2] = {{panel_scores<F, 1, false>, panel_scores<F, 1, true>},
                                           {panel_scores<F, 2, false>, panel_scores<F, 2, true>},
                                           {panel_scores<F, 4, false>, panel_scores<F, 4, true>}};
  const auto vectors = static_cast<unsigned>(panel.width / kWidth);
  kByVectors[std::countr_zero(vectors)][scoring.axes > 0](scoring, panel, rows, out);
  if (scoring.axes > 1) add_axes_from(1, panel, rows, out);
}

// Multiplies queries side by side with rows in their lane. So many rows stay in the cache, and
// tiles of all heights fill them.
template <Format F>
constexpr Way by_panel(std::array<float, 3> costs) {
  return {.layout = kLayout<F, LaneSteps<F>, 4>,
          .takes_packed = false,
          .width = kWidth,
          .most_rows = 48,
          .score = panel<F>,
          .costs = costs};
}
