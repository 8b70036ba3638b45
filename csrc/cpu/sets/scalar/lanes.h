// The lanes in plain C++; a set.cpp includes this.

inline constexpr int kWidth = 4;        // sums in a vector
inline constexpr int kSumVectors = 4;   // vectors of sums that a tile keeps
inline constexpr int kScanVectors = 4;  // and that a scan keeps, at least for one row
inline constexpr int kStepCodes = 16;   // codes that one step takes from a row

using Vector = std::array<std::uint32_t, kWidth>;

// What one step makes of a row.
template <int kCount>
struct Vectors {
  Vector each[kCount];
};

[[gnu::always_inline]] inline Vector load(const void* from) {
  Vector vector;
  std::memcpy(vector.data(), from, sizeof(vector));
  return vector;
}

// Rounded twice, unless a factor is 1 or -1.
template <class Floats>
[[gnu::always_inline]] inline Floats multiply_add(Floats a, Floats b, Floats c) {
  return a * b + c;
}

// From here on the compiler does not know what the vector holds.
template <class Any>
[[gnu::always_inline]] inline void make_unknown(Any&) {}

// One group in every place.
[[gnu::always_inline]] inline Vector broadcast(const void* group) {
  std::uint32_t word;
  std::memcpy(&word, group, sizeof(word));
  return {word, word, word, word};
}

// A lane multiplies groups of elements, four bytes each: the row's times the query's.
template <class Element, class Sum>
struct PlainSums {
  using Row = Element;
  using Query = Element;
  using Dot = Sum;
  using Sums = std::array<Sum, kWidth>;
  static constexpr int kOffset = 0;
  static constexpr int kGroup = 4 / sizeof(Element);
  static constexpr int kTileVectors = kSumVectors;

  [[gnu::always_inline]] static Sums zero() { return {}; }
  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    const auto a = __builtin_bit_cast(std::array<Element, kWidth * kGroup>, rows);
    const auto b = __builtin_bit_cast(std::array<Element, kWidth * kGroup>, queries);
    for (int i = 0; i < kWidth * kGroup; ++i) sums[i / kGroup] += static_cast<Sum>(a[i]) * b[i];
    return sums;
  }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) {
    std::memcpy(to, sums.data(), sizeof(sums));
  }
  [[gnu::always_inline]] static std::array<float, kWidth> floats(Sums sums) {
    std::array<float, kWidth> floats;
    for (int i = 0; i < kWidth; ++i) floats[i] = static_cast<float>(sums[i]);
    return floats;
  }
  [[gnu::always_inline]] static Sums of(Vector bits) { return __builtin_bit_cast(Sums, bits); }
  // Sums of a high plane in steps of the low one.
  [[gnu::always_inline]] static Sums raise(Sums high) {
    for (Sum& sum : high) sum *= sizeof(Element) == 1 ? 256 : 1;
    return high;
  }
};

template <int>
using Int8Lane = DirectSums<PlainSums<std::int8_t, std::int32_t>>;
using Int16Lane = DirectSums<PlainSums<std::int16_t, std::int32_t>>;
using FloatLane = DirectSums<PlainSums<float, float>>;

// The totals of four vectors of sums.
template <class L, class Sums = typename L::Sums>
[[gnu::always_inline]] inline void totals(Sums a, Sums b, Sums c, Sums d, typename L::Dot* to) {
  const Sums sums[] = {a, b, c, d};
  for (int i = 0; i < 4; ++i) to[i] = (sums[i][0] + sums[i][2]) + (sums[i][1] + sums[i][3]);
}

// Bit i of found[r] tells whether scores[r * width + i] is above bounds[i], or NaN; count is at
// most 64 and not above width.
inline void find_above(const float* scores, std::int64_t rows, int width, const float* bounds,
                       int count, std::uint64_t* found) {
  for (std::int64_t r = 0; r < rows; ++r, scores += width) {
    std::uint64_t bits = 0;
    for (int i = 0; i < count; ++i) {
      bits |= static_cast<std::uint64_t>(!(scores[i] <= bounds[i])) << i;
    }
    found[r] = bits;
  }
}
