// The lanes of NEON, but for that of bytes; a set.cpp includes this.

inline constexpr int kWidth = 4;        // sums in a vector
inline constexpr int kSumVectors = 20;  // vectors of sums that a tile keeps in registers
inline constexpr int kScanVectors = 8;  // and that a scan keeps, at least for one row
inline constexpr int kStepCodes = 16;   // codes that one step takes from a row

using Vector = uint8x16_t;

// What one step makes of a row.
template <int kCount>
struct Vectors {
  Vector each[kCount];
};

[[gnu::always_inline]] inline Vector load(const void* from) {
  return vld1q_u8(static_cast<const std::uint8_t*>(from));
}

// Rounded once.
[[gnu::always_inline]] inline float32x4_t multiply_add(float32x4_t a, float32x4_t b,
                                                       float32x4_t c) {
  return vfmaq_f32(c, a, b);
}

// From here on the compiler does not know what the vector holds.
template <class Any>
[[gnu::always_inline]] inline void make_unknown(Any& vector) {
  asm("" : "+w"(vector));
}

// One group in every place.
[[gnu::always_inline]] inline Vector broadcast(const void* group) {
  std::uint32_t word;
  std::memcpy(&word, group, sizeof(word));
  return vreinterpretq_u8_u32(vdupq_n_u32(word));
}

// What integer lanes add up in. `raise` brings sums of a high plane into steps of the low one.
struct IntSums {
  using Dot = std::int32_t;
  using Sums = int32x4_t;
  static constexpr int kTileVectors = kSumVectors;

  [[gnu::always_inline]] static Sums zero() { return vdupq_n_s32(0); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { vst1q_s32(to, sums); }
  [[gnu::always_inline]] static float32x4_t floats(Sums sums) { return vcvtq_f32_s32(sums); }
  [[gnu::always_inline]] static Sums of(Vector bits) { return vreinterpretq_s32_u8(bits); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return vshlq_n_s32(high, 8); }
  // Sums of neighbours in a, then in b.
  [[gnu::always_inline]] static Sums fold(Sums a, Sums b) { return vpaddq_s32(a, b); }
};

// Products of the lower and of the upper half of groups add up by themselves: two instructions, and
// registers for twice as many sums.
template <class Half>
struct HalfSums : IntSums {
  struct Partial {
    Half low, high;
  };
  static constexpr int kTileVectors = 12;

  [[gnu::always_inline]] static Partial open(Sums) { return {Half{}, Half{}}; }
};

// A lane multiplies groups of elements, four bytes each: the row's times the query's.
struct Int16Lane : HalfSums<int32x4_t> {
  using Row = std::int16_t;
  using Query = std::int16_t;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Partial dot(Partial sums, Vector rows, Vector queries) {
    const int16x8_t a = vreinterpretq_s16_u8(rows), b = vreinterpretq_s16_u8(queries);
    return {vmlal_s16(sums.low, vget_low_s16(a), vget_low_s16(b)), vmlal_high_s16(sums.high, a, b)};
  }
  [[gnu::always_inline]] static Sums close(Sums sums, Partial halves) {
    return vaddq_s32(sums, fold(halves.low, halves.high));
  }
  static constexpr std::int64_t exact(std::int64_t) { return kAnyNumber; }
};

struct FloatSums {
  using Dot = float;
  using Sums = float32x4_t;
  static constexpr int kTileVectors = kSumVectors;

  [[gnu::always_inline]] static Sums zero() { return vdupq_n_f32(0); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { vst1q_f32(to, sums); }
  [[gnu::always_inline]] static float32x4_t floats(Sums sums) { return sums; }
  [[gnu::always_inline]] static Sums of(Vector bits) { return vreinterpretq_f32_u8(bits); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return high; }
  [[gnu::always_inline]] static Sums fold(Sums a, Sums b) { return vpaddq_f32(a, b); }
};

struct FloatLane : DirectSums<FloatSums> {
  using Row = float;
  using Query = float;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    return vfmaq_f32(sums, vreinterpretq_f32_u8(rows), vreinterpretq_f32_u8(queries));
  }
};

// The totals of four vectors of sums.
template <class L, class Sums = typename L::Sums>
[[gnu::always_inline]] inline void totals(Sums a, Sums b, Sums c, Sums d, typename L::Dot* to) {
  L::store(to, L::fold(L::fold(a, b), L::fold(c, d)));
}

// Bit i of found[r] tells whether scores[r * width + i] is above bounds[i], or NaN; count is at
// most 64 and not above width.
inline void find_above(const float* scores, std::int64_t rows, int width, const float* bounds,
                       int count, std::uint64_t* found) {
  static constexpr std::uint32_t kOnes[kWidth] = {1, 2, 4, 8};
  const uint32x4_t ones = vld1q_u32(kOnes);
  for (std::int64_t r = 0; r < rows; ++r, scores += width) {
    std::uint64_t bits = 0;
    int i = 0;
    for (; i + kWidth <= count; i += kWidth) {
      const uint32x4_t not_above = vcleq_f32(vld1q_f32(scores + i), vld1q_f32(bounds + i));
      bits |= static_cast<std::uint64_t>(vaddvq_u32(vbicq_u32(ones, not_above))) << i;
    }
    for (; i < count; ++i) bits |= static_cast<std::uint64_t>(!(scores[i] <= bounds[i])) << i;
    found[r] = bits;
  }
}
