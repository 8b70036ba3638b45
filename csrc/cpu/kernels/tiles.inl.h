// Rows in their lane and queries side by side, multiplied by tiles: 16 rows of 64 bytes each, and
// 16 groups of four bytes of 16 queries. Compiled once inside the namespace of each set that has
// them.

// Calls use(i) for each of kCount constants.
template <int kCount, class Use>
[[gnu::always_inline]] inline void for_tiles(Use use) {
  [&]<int... kI>(std::integer_sequence<int, kI...>) __attribute__((always_inline)) {
    (use(std::integral_constant<int, kI>{}), ...);
  }(std::make_integer_sequence<int, kCount>());
}

// Sums of products of planes: of rows, of queries, and to which sum they belong. Each sum is in
// steps of 256 of the next.
struct TileTerm {
  int of_rows, of_queries, sum;
};

template <class L>
struct TileTerms {
  static constexpr int kRowPlanes = 1;
  // Halves of queries have a sum each, but floats of which one is the rest of the other.
  static std::span<const TileTerm> of(int planes) {
    static constexpr int kSecond = std::is_same_v<typename L::Dot, float> ? 0 : 1;
    static constexpr TileTerm kTerms[] = {{0, 0, 0}, {0, 1, kSecond}};
    return std::span(kTerms).first(planes);
  }
};

// Elements of two bytes are halves on both sides.
template <>
struct TileTerms<Int16Lane> {
  static constexpr int kRowPlanes = 2;
  static std::span<const TileTerm> of(int) {
    static constexpr TileTerm kTerms[] = {{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 2}};
    return kTerms;
  }
};
inline constexpr int kMostTileSums = 3;

// Adds the products of kDown times kAcross tiles over some steps. Tiles 0 to 3 are sums, 4 to 7
// operands.
template <class L, int kDown, int kAcross>
[[gnu::always_inline]] inline void add_tiles(const std::uint8_t* rows, std::int64_t row_stride,
                                             std::int64_t row_step, const std::uint8_t* queries,
                                             std::int64_t group_stride, std::int64_t steps) {
  static_assert(kDown * kAcross <= 4);
  for (std::int64_t s = 0; s < steps; ++s) {
    for_tiles<kAcross>([&]<int kJ>(std::integral_constant<int, kJ>) {
      load_tile<6 + kJ>(queries + kJ * kTileBytes, group_stride);
    });
    for_tiles<kDown>([&]<int kI>(std::integral_constant<int, kI>) {
      load_tile<4 + kI % 2>(rows + kI * kTileSide * row_stride + s * row_step, row_stride);
      for_tiles<kAcross>([]<int kJ>(std::integral_constant<int, kJ>) {
        multiply_tiles<L, kI * kAcross + kJ, 4 + kI % 2, 6 + kJ>();
      });
    });
    queries += kTileSide * group_stride;
  }
}

// Groups of a panel of so many queries, and rows, of a chunk.
struct TileOperands {
  const std::uint8_t* rows;
  std::int64_t row_stride;
  const std::uint8_t* queries;
  std::int64_t plane_stride;
  int planes;
  int width;
  std::int64_t steps;
};

// sums[(s * kMostBlockRows + r) * width + q] is sum s of row r and query q, of rows in blocks of
// kDown tiles.
template <class L, int kDown, int kAcross>
void tile_sums(const TileOperands& from, std::int64_t rows, typename L::Dot* sums) {
  constexpr std::int64_t kStep = TileTerms<L>::kRowPlanes * kTileBytes;
  const std::int64_t group_stride = std::int64_t{4} * from.width;
  const auto terms = TileTerms<L>::of(from.planes);
  for (std::int64_t r = 0; r < rows; r += kDown * kTileSide) {
    for (int q = 0; q < from.width; q += kAcross * kTileSide) {
      for (std::size_t t = 0; t < terms.size();) {
        const int sum = terms[t].sum;
        zero_tiles();
        for (; t < terms.size() && terms[t].sum == sum; ++t) {
          add_tiles<L, kDown, kAcross>(
              from.rows + r * from.row_stride + terms[t].of_rows * kTileBytes, from.row_stride,
              kStep, from.queries + terms[t].of_queries * from.plane_stride + q * 4, group_stride,
              from.steps);
        }
        typename L::Dot* const to = sums + (sum * kMostBlockRows + r) * from.width + q;
        for_tiles<kDown * kAcross>([&]<int kI>(std::integral_constant<int, kI>) {
          store_tile<kI>(to + (kI / kAcross * from.width + kI % kAcross) * kTileSide, group_stride);
        });
      }
    }
  }
}

// The dots of a row and kFloats queries from one on, with what the lane's offset adds taken away.
template <class L>
[[gnu::always_inline]] inline typename L::Sums tile_dots(const typename L::Dot* sums,
                                                         const std::int32_t* starts, int count,
                                                         int width) {
  typename L::Sums dots = L::zero();
  for (int s = 0; s < count; ++s) {
    const Vector some = load(sums + s * kMostBlockRows * width);
    dots = s == 0 ? L::of(some) : L::add(L::raise(dots), L::of(some));
    if constexpr (L::kOffset != 0) dots = L::add(dots, L::of(load(starts + s * width)));
  }
  return dots;
}

// Scores of rows in their lane and a panel of queries, a row's side by side.
template <Format F>
void tile_scores(const Scoring& scoring, const QueryPanel& panel, const Rows& rows, float* out) {
  using L = LaneOf<F>;
  using Terms = TileTerms<L>;
  constexpr std::int64_t kRowElement = sizeof(typename L::Row);
  constexpr std::int64_t kQueryElement = kRowElement / Terms::kRowPlanes;
  const std::int64_t padded = (scoring.dim + kStepCodes - 1) / kStepCodes * kStepCodes;
  const int width = panel.width;
  const int sum_count = Terms::of(panel.planes).back().sum + 1;
  alignas(64) typename L::Dot sums[kMostTileSums * kMostBlockRows * 4 * kTileSide];
  Total<L> totals[kMostBlockRows * 4 * kTileSide];
  const bool is_whole = scoring.dim <= scoring.chunk;
  for (std::int64_t at = 0; at < scoring.dim; at += scoring.chunk) {
    const TileOperands from{
        .rows = static_cast<const std::uint8_t*>(rows.data) + at * kRowElement,
        .row_stride = padded * kRowElement,
        .queries = static_cast<const std::uint8_t*>(panel.elements) + at * kQueryElement * width,
        .plane_stride = padded * kQueryElement * width,
        .planes = panel.planes,
        .width = width,
        .steps = std::min(scoring.chunk, padded - at) * kQueryElement / kTileBytes};
    if (width == kTileSide) {
      tile_sums<L, 4, 1>(from, rows.count, sums);
    } else {
      tile_sums<L, 2, 2>(from, rows.count, sums);
    }
    const std::int32_t* const starts = panel.starts + at / scoring.chunk * panel.planes * width;
    for (std::int64_t r = 0; r < rows.count; ++r) {
      for (int q = 0; q < width; q += kFloats) {
        const auto dots = tile_dots<L>(sums + r * width + q, starts + q, sum_count, width);
        if (is_whole) {
          store_floats(out + r * width + q, scores_of<L>(dots, panel.factors + q, rows.norms[r]));
          continue;
        }
        typename L::Dot each[kFloats];
        L::store(each, dots);
        Total<L>* const of = totals + r * width + q;
        for (int i = 0; i < kFloats; ++i) of[i] = (at == 0 ? 0 : of[i]) + each[i];
      }
    }
  }
  for (std::int64_t i = 0; i < rows.count * width && !is_whole; ++i) {
    out[i] = score_of(totals[i], panel.factors[i % width], rows.norms[i / width]);
  }
  if (scoring.axes > 0) add_axes_from(0, panel, rows, out);
}

// Halves of elements of two bytes, of a step the high ones and then the low ones.
template <Format F>
void rows_to_halves(const std::uint8_t* packed, std::int64_t rows, std::int64_t dim, void* out) {
  auto* to = static_cast<std::int8_t*>(out);
  const std::int64_t bytes = row_bytes(dim, F.bits());
  for (std::int64_t r = 0; r < rows; ++r, packed += bytes) {
    for (std::int64_t at = 0; at < bytes; at += kStepBytes<F>, to += 2 * kStepCodes) {
      __builtin_prefetch(packed + at + kAhead);
      const auto vectors = step<LaneOf<F>, F>(packed + at, bytes - at, kRowTable<F>.data());
      std::array<std::int16_t, kStepCodes> elements;
      std::memcpy(elements.data(), vectors.each, sizeof(elements));
      for (int i = 0; i < kStepCodes; ++i) {
        const auto low = static_cast<std::int8_t>(elements[i] & 0xff);
        to[i] = static_cast<std::int8_t>((elements[i] - low) >> 8);
        to[kStepCodes + i] = low;
      }
    }
  }
}

template <Format F>
inline constexpr Layout kTileLayout = [] {
  Layout layout = kLayout<F, LaneSteps<F>, 4>;
  if constexpr (lane(F) == Lane::kInt16) {
    layout.query_size = 1;
    layout.planes = layout.code_planes = 2;
    layout.one_plane = 0;
    layout.rows_to_lane = rows_to_halves<F>;
    layout.query_to_lane = query_to_lane<F, LaneSteps<F>, std::int8_t>;
  }
  return layout;
}();

// Multiplies queries side by side with rows in their lane, tile by tile.
template <Format F>
constexpr Way by_tiles(std::array<float, 3> costs) {
  return {.layout = kTileLayout<F>,
          .takes_packed = false,
          .width = kTileSide,
          .most_rows = kMostBlockRows,
          .score = tile_scores<F>,
          .costs = costs,
          .enter = take_tiles,
          .leave = give_tiles_back};
}
