// Rows of codes by themselves, and as an instruction set's lanes take them: compiled once inside
// each one's namespace.

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

template <class Sum, std::size_t kCount>
Sum total(const std::array<Sum, kCount>& sums) {
  if constexpr (kCount == 1) {
    return sums[0];
  } else {
    constexpr std::size_t kHalf = kCount / 2;
    std::array<Sum, kHalf> halves;
    for (std::size_t i = 0; i < kHalf; ++i) halves[i] = sums[i] + sums[i + kHalf];
    return total(halves);
  }
}

// Adds the squares of a block's values to the sums of their places; floats hold them exactly.
inline void add_squares(const float* squares, std::int64_t count, std::array<double, kSums>& sums) {
  std::int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int j = 0; j < kSums; ++j) sums[j] += squares[i + j];
  }
  for (; i < count; ++i) sums[i % kSums] += squares[i];
}

inline float reciprocal_root(double squares) {
  const auto root = static_cast<float>(1 / __builtin_sqrt(squares));
  const float of_finite = squares == 0 ? 0.0f : root;
  return squares < std::numeric_limits<double>::infinity()
             ? of_finite
             : std::numeric_limits<float>::quiet_NaN();
}

template <Format F>
float row_reciprocal_norm(const std::uint8_t* packed, std::int64_t dim) {
  std::array<double, kSums> sums{};
  for_each_block<F>(packed, dim, [&](const std::uint8_t* codes, std::int64_t, auto count) {
    std::array<float, kBlock> squares;
    for (std::int64_t i = 0; i < count; ++i) {
      const float value = decode<F>(codes[i]);
      squares[i] = value * value;
    }
    add_squares(squares.data(), count, sums);
  });
  return reciprocal_root(total(sums));
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

// Memory is asked for so many bytes before it is read, a line at a time.
inline constexpr std::int64_t kAhead = 8192;
inline constexpr std::int64_t kLine = 64;

// Steps of codes in the order that rows in their lane have.
template <Format F>
struct LaneSteps {
  template <int>
  using LaneFor = LaneOf<F>;
  static constexpr int kCodes = kStepCodes;
  static constexpr int kVectors = sizeof(typename LaneOf<F>::Row);
  static constexpr int place(int i) { return lane_place<LaneOf<F>>(i); }
  template <int>
  [[gnu::always_inline]] static auto of(const std::uint8_t* packed, std::int64_t bytes) {
    return step<LaneOf<F>, F>(packed, bytes, kRowTable<F>.data());
  }
};

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
