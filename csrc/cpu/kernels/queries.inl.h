// Queries as an instruction set's lanes take them: compiled once inside each one's namespace.

// Float elements are cut to bfloat16 where the lane is: codes are exact in it.
inline Bfloat16 to_bfloat16(float x) {
  const std::uint32_t bits = bits_of<std::uint32_t>(x);
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

// One query's elements as the lane takes them: `planes` rows of whole steps, zeros at the end. Two
// planes are the query's high and low part. What the offset of rows adds to a chunk goes to
// `starts`, negative, by chunk and plane.
template <Format F, class Steps, class Query = typename LaneOf<F>::Query>
void query_to_lane(const Scoring& scoring, const void* elements, int planes, void* out,
                   std::int32_t* starts) {
  using L = typename Steps::template LaneFor<1>;
  constexpr int kCodes = Steps::kCodes;
  const int offset = planes == 1 ? L::kOffset : Steps::template LaneFor<2>::kOffset;
  const auto* const in = static_cast<const Element<F>*>(elements);
  auto* to = static_cast<Query*>(out);
  const std::int64_t padded = (scoring.dim + kCodes - 1) / kCodes * kCodes;
  for (int plane = 0; plane < planes; ++plane, to += padded) {
    for (std::int64_t at = 0; at < padded; ++at) {
      const std::int64_t i = at / kCodes * kCodes + Steps::place(at % kCodes);
      const Element<F> x = at < scoring.dim ? in[at] : Element<F>{};
      if constexpr (std::is_same_v<Query, Bfloat16>) {
        const Bfloat16 high = to_bfloat16(x);
        to[i] = plane == 0 ? high : to_bfloat16(x - to_float(high));
      } else if constexpr (sizeof(Query) == 1) {
        const auto low = static_cast<std::int8_t>(x & 0xff);
        to[i] = planes == 1 || plane == 1 ? low : static_cast<std::int8_t>((x - low) >> 8);
      } else {
        to[i] = x;
      }
    }
    if constexpr (sizeof(Query) == 1) {
      for (std::int64_t first = 0; first < scoring.dim; first += scoring.chunk) {
        std::int32_t sum = 0;
        const std::int64_t end = std::min(padded, first + scoring.chunk);
        for (std::int64_t i = first; i < end; ++i) sum += to[i];
        starts[first / scoring.chunk * planes + plane] = -offset * sum;
      }
    }
  }
}

// What one plane holds of queries that are floats: all bytes where products of any bytes add up,
// else what codes are.
template <Format F, class Steps, class Query = typename LaneOf<F>::Query>
constexpr std::int64_t one_plane() {
  if constexpr (std::is_same_v<Query, Bfloat16>) return 1;
  if constexpr (sizeof(Query) > 1) return 0;
  constexpr std::int64_t kMost = std::numeric_limits<std::int8_t>::max();
  using L = typename Steps::template LaneFor<1>;
  return L::exact(kMost) == kAnyNumber ? kMost : max_fixed(F);
}

template <Format F, class Steps, int kGroupBytes>
inline constexpr Layout kLayout{
    .step = Steps::kCodes,
    .group = kGroupBytes,
    .row_size = sizeof(typename LaneOf<F>::Row),
    .query_size = sizeof(typename LaneOf<F>::Query),
    .code_planes = 1,
    .planes = sizeof(typename LaneOf<F>::Query) < sizeof(Element<F>) ? 2 : 1,
    .one_plane = one_plane<F, Steps>(),
    .row_unit = element_unit(F) * kDecodedUnit<LaneOf<F>, F>,
    .rows_to_lane = rows_to_lane<F>,
    .query_to_lane = query_to_lane<F, Steps>,
};
