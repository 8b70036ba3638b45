// The scoring kernels of one instruction set: compiled once inside each one's namespace.

// Calls use(codes, first, count) for each block of the row's codes.
template <Format F, class Use>
void for_each_block(const std::uint8_t* packed, std::int64_t dim, Use use) {
  std::array<std::uint8_t, kBlock> codes;
  for (std::int64_t first = 0; first < dim; first += kBlock) {
    const std::int64_t count = std::min(kBlock, dim - first);
    unpack_run<F.bits()>(packed + first / 8 * F.bits(), count, codes.data());
    use(codes.data(), first, count);
  }
}

template <Format F>
void row_to_elements(const std::uint8_t* packed, std::int64_t dim, void* elements) {
  Element<F>* __restrict out = static_cast<Element<F>*>(elements);
  for_each_block<F>(packed, dim, [&](const std::uint8_t* codes, std::int64_t first, auto count) {
    for (std::int64_t i = 0; i < count; ++i) out[first + i] = to_element<F>(codes[i]);
  });
}

// A fixed order of additions, so that every instruction set rounds alike.
inline constexpr int kSums = 16;

template <class Sum>
Sum total(const std::array<Sum, kSums>& sums) {
  std::array<Sum, kSums> rest = sums;
  for (int half = kSums / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) rest[i] += rest[i + half];
  }
  return rest[0];
}

template <Format F>
float row_reciprocal_norm(const std::uint8_t* packed, std::int64_t dim) {
  std::array<double, kSums> sums{};
  for_each_block<F>(packed, dim, [&](const std::uint8_t* codes, std::int64_t, auto count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double value = decode<F>(codes[i]);
      sums[i % kSums] += value * value;
    }
  });
  const double squares = total(sums);
  if (!(squares < std::numeric_limits<double>::infinity())) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  return squares == 0 ? 0.0f : static_cast<float>(1 / __builtin_sqrt(squares));
}

template <Format F>
using LaneOf =
    std::conditional_t<lane(F) == Lane::kInt8, Int8Lane,
                       std::conditional_t<lane(F) == Lane::kInt16, Int16Lane, FloatLane>>;

// Float elements are cut to bfloat16 where the lane is: codes are exact in it.
inline Bfloat16 to_bfloat16(float x) {
  const std::uint32_t bits = bits_of<std::uint32_t>(x);
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

// The row elements of all codes, of 64 at least: their low bytes, then their next ones.
template <Format F>
alignas(64) inline constexpr auto kRowTable = [] {
  using L = LaneOf<F>;
  constexpr unsigned kEntries = F.bits() == 8 ? 256 : 64;
  std::array<std::uint8_t, kEntries * sizeof(typename L::Row)> table{};
  for (unsigned i = 0; i < kEntries; ++i) {
    const Element<F> element = to_element<F>(static_cast<std::uint8_t>(i & (2 * F.sign_bit() - 1)));
    std::uint32_t bits = 0;
    if constexpr (std::is_same_v<typename L::Row, Bfloat16>) {
      bits = bits_of<std::uint32_t>(element) >> 16;
    } else if constexpr (lane(F) == Lane::kFloat) {
      bits = bits_of<std::uint32_t>(element);
    } else {
      bits = static_cast<std::uint32_t>(element + L::kOffset);
    }
    for (unsigned b = 0; b < sizeof(typename L::Row); ++b) {
      table[b * kEntries + i] = static_cast<std::uint8_t>(bits >> (8 * b));
    }
  }
  return table;
}();

template <Format F>
inline constexpr std::int64_t kStepBytes = kStepCodes * F.bits() / 8;

template <class T>
inline constexpr std::int64_t kGroup = 4 / sizeof(T);

// Rows of codes as rows of lane elements, whole steps each, zeros after the last code.
template <Format F>
void rows_to_lane(const std::uint8_t* packed, std::int64_t rows, std::int64_t dim, void* out) {
  using L = LaneOf<F>;
  const std::int64_t bytes = row_bytes(dim, F.bits());
  auto* to = static_cast<std::uint8_t*>(out);
  for (std::int64_t r = 0; r < rows; ++r, packed += bytes) {
    for (std::int64_t at = 0; at < bytes; at += kStepBytes<F>) {
      const auto vectors = step<L, F>(packed + at, bytes - at, kRowTable<F>.data());
      std::memcpy(to, vectors.each, sizeof(vectors));
      to += sizeof(vectors);
    }
  }
}

// One query's elements as the lane takes them: `planes` rows of whole steps, zeros at the end. Two
// planes are the query's high and low part. Each chunk's sum, times the lane's offset, goes to
// `corrections`.
template <Format F>
void query_to_lane(const Scoring& scoring, const void* elements, int planes, void* out,
                   std::int32_t* corrections) {
  using L = LaneOf<F>;
  const auto* const in = static_cast<const Element<F>*>(elements);
  auto* to = static_cast<typename L::Query*>(out);
  const std::int64_t padded = (scoring.dim + kStepCodes - 1) / kStepCodes * kStepCodes;
  for (int plane = 0; plane < planes; ++plane, to += padded) {
    for (std::int64_t at = 0; at < padded; ++at) {
      const std::int64_t i = at / kStepCodes * kStepCodes + place<L>(at % kStepCodes);
      const Element<F> x = at < scoring.dim ? in[at] : Element<F>{};
      if constexpr (std::is_same_v<typename L::Query, Bfloat16>) {
        const Bfloat16 high = to_bfloat16(x);
        to[i] = plane == 0 ? high : to_bfloat16(x - to_float(high));
      } else if constexpr (sizeof(typename L::Query) == 1) {
        const auto low = static_cast<std::int8_t>(x & 0xff);
        to[i] = planes == 1 || plane == 1 ? low : static_cast<std::int8_t>((x - low) >> 8);
      } else {
        to[i] = x;
      }
    }
    if constexpr (L::kOffset != 0) {
      for (std::int64_t first = 0; first < scoring.dim; first += scoring.chunk) {
        std::int32_t sum = 0;
        const std::int64_t end = std::min(padded, first + scoring.chunk);
        for (std::int64_t i = first; i < end; ++i) sum += to[i];
        *corrections++ = sum * L::kOffset;
      }
    }
  }
}

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

// Rows are asked for so many bytes before they are read.
inline constexpr int kAhead = 16384;

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
  const auto add = [&](std::int64_t left) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int r = 0; r < kR; ++r) {
      __builtin_prefetch(packed + r * row_stride + kAhead);
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
