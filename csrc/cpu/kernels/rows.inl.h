// Rows of codes and queries as an instruction set's lanes take them: compiled once inside each
// one's namespace.

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

// The row elements of all codes, of 64 at least: the low bytes of all, and then the next ones.
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

// Memory is asked for so many bytes before it is read, a line at a time.
inline constexpr std::int64_t kAhead = 8192;
inline constexpr std::int64_t kLine = 64;

// Rows of codes as rows of lane elements, whole steps each, zeros after the last code.
template <Format F>
void rows_to_lane(const std::uint8_t* packed, std::int64_t rows, std::int64_t dim, void* out) {
  using L = LaneOf<F>;
  const std::int64_t bytes = row_bytes(dim, F.bits());
  auto* to = static_cast<std::uint8_t*>(out);
  for (std::int64_t r = 0; r < rows; ++r, packed += bytes) {
    for (std::int64_t at = 0; at < bytes; at += kStepBytes<F>) {
      __builtin_prefetch(packed + at + kAhead);
      const auto vectors = step<L, F>(packed + at, bytes - at, kRowTable<F>.data());
      std::memcpy(to, vectors.each, sizeof(vectors));
      to += sizeof(vectors);
    }
  }
}

// One query's elements as the lane takes them: `planes` rows of whole steps, zeros at the end. Two
// planes are the query's high and low part. What the offset of rows adds to a chunk goes to
// `starts`, negative, by chunk and plane.
template <Format F>
void query_to_lane(const Scoring& scoring, const void* elements, int planes, void* out,
                   std::int32_t* starts) {
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
        starts[first / scoring.chunk * planes + plane] = -L::kOffset * sum;
      }
    }
  }
}
