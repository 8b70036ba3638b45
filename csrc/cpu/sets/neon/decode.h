// Rows of codes decoded with NEON; a set.cpp includes this.

// Byte i is code i.
template <int kBits>
[[gnu::always_inline]] inline Vector codes_of(const std::uint8_t* packed) {
  static_assert(kBits == 4 || kBits == 6 || kBits == 8);
  if constexpr (kBits == 8) {
    return load(packed);
  } else if constexpr (kBits == 4) {
    const uint8x8_t pairs = vld1_u8(packed);
    const uint8x8x2_t codes = vzip_u8(vand_u8(pairs, vdup_n_u8(0x0f)), vshr_n_u8(pairs, 4));
    return vcombine_u8(codes.val[0], codes.val[1]);
  } else {
    // Three bytes hold four codes. Each word gets the two that a code lies in, and shifts bring
    // even codes to its low byte, odd ones to the high one.
    static constexpr std::uint8_t kEven[16] = {0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11};
    static constexpr std::uint8_t kOdd[16] = {0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11};
    static constexpr std::int16_t kEvenShifts[8] = {0, -4, 0, -4, 0, -4, 0, -4};
    static constexpr std::int16_t kOddShifts[8] = {2, 6, 2, 6, 2, 6, 2, 6};
    std::uint32_t last;
    std::memcpy(&last, packed + 8, sizeof(last));
    const Vector bytes = vcombine_u8(vld1_u8(packed), vcreate_u8(last));
    const auto words = [&](const std::uint8_t* from, const std::int16_t* shifts) {
      return vreinterpretq_u8_u16(
          vshlq_u16(vreinterpretq_u16_u8(vqtbl1q_u8(bytes, load(from))), vld1q_s16(shifts)));
    };
    const Vector low_bytes = vreinterpretq_u8_u16(vdupq_n_u16(0x00ff));
    return vandq_u8(vbslq_u8(low_bytes, words(kEven, kEvenShifts), words(kOdd, kOddShifts)),
                    vdupq_n_u8(0x3f));
  }
}

// Entries for codes of a table of as many as there are codes.
template <int kBits>
[[gnu::always_inline]] inline Vector look_up(const std::uint8_t* table, Vector codes) {
  static_assert(kBits == 4 || kBits == 6);
  if constexpr (kBits == 4) return vqtbl1q_u8(load(table), codes);
  return vqtbl4q_u8(vld1q_u8_x4(table), codes);
}

// Integers of codes of up to 3 exponent bits: the significand, times a power of two with the code's
// sign.
template <Format F>
[[gnu::always_inline]] inline Vectors<2> integers_of(Vector codes) {
  static_assert(F.exponent_bits <= 3);
  constexpr int kExponents = 1 << F.exponent_bits;
  // By sign and exponent: the power, and the bit that a normal number hides.
  static constexpr auto kPowers = [] {
    std::array<std::uint8_t, 16> powers{};
    for (int i = 0; i < 2 * kExponents; ++i) {
      const int power = 1 << std::max(0, i % kExponents - 1);
      powers[i] = static_cast<std::uint8_t>(i < kExponents ? power : -power);
    }
    return powers;
  }();
  static constexpr auto kHidden = [] {
    std::array<std::uint8_t, 16> hidden{};
    for (int i = 0; i < 16; ++i) hidden[i] = i % kExponents == 0 ? 0 : 1 << F.mantissa_bits;
    return hidden;
  }();
  const Vector fields = vshrq_n_u8(codes, F.mantissa_bits);
  const Vector mantissas = vandq_u8(codes, vdupq_n_u8((1 << F.mantissa_bits) - 1));
  const auto powers = vreinterpretq_s8_u8(vqtbl1q_u8(load(kPowers.data()), fields));
  const auto significands =
      vreinterpretq_s8_u8(vorrq_u8(mantissas, vqtbl1q_u8(load(kHidden.data()), fields)));
  return {{vreinterpretq_u8_s16(vmull_s8(vget_low_s8(significands), vget_low_s8(powers))),
           vreinterpretq_u8_s16(vmull_high_s8(significands, powers))}};
}

// Floats of codes of 8 bits, by way of the float16 that have the same fields: the exponent's bias
// may be another.
template <Format F>
[[gnu::always_inline]] inline Vectors<4> floats_of(Vector codes) {
  static_assert(F.bits() == 8 && F.exponent_bits <= 5);
  constexpr int kShift = 5 - F.exponent_bits;
  float16x8_t low, high;
  if constexpr (kShift == 0) {
    low = vreinterpretq_f16_u8(vzip1q_u8(vdupq_n_u8(0), codes));
    high = vreinterpretq_f16_u8(vzip2q_u8(vdupq_n_u8(0), codes));
  } else {
    // Signs are spread over the exponent: there they are cleared.
    const int8x16_t bytes = vreinterpretq_s8_u8(codes);
    const int16x8_t fields = vdupq_n_s16(static_cast<std::int16_t>(0x8000 | 0x7fff >> kShift));
    low = vreinterpretq_f16_s16(vandq_s16(vshll_n_s8(vget_low_s8(bytes), 8 - kShift), fields));
    high = vreinterpretq_f16_s16(vandq_s16(vshll_high_n_s8(bytes, 8 - kShift), fields));
  }
  return {{vreinterpretq_u8_f32(vcvt_f32_f16(vget_low_f16(low))),
           vreinterpretq_u8_f32(vcvt_high_f32_f16(low)),
           vreinterpretq_u8_f32(vcvt_f32_f16(vget_low_f16(high))),
           vreinterpretq_u8_f32(vcvt_high_f32_f16(high))}};
}

// The row elements of codes, a byte each.
template <class L, Format F>
[[gnu::always_inline]] inline auto elements_of(const std::uint8_t* table, Vector codes) {
  if constexpr (sizeof(typename L::Row) == 1) {
    return Vectors<1>{{look_up<F.bits()>(table, codes)}};
  } else if constexpr (std::is_same_v<L, Int16Lane>) {
    return integers_of<F>(codes);
  } else {
    return floats_of<F>(codes);
  }
}

// The element that 1 stands for in what `step` makes of a row: float16 that have a format's fields
// may have another bias than it.
template <class L, Format F>
inline constexpr float kDecodedUnit = std::is_same_v<L, FloatLane> ? 1 << (15 - F.bias()) : 1;

// Where the element of code i of a step goes.
template <class L>
constexpr int lane_place(int i) {
  return i;
}

// The row elements of kStepCodes codes; where only some of their bytes are there, zeros follow.
template <class L, Format F>
[[gnu::always_inline]] inline auto step(const std::uint8_t* packed, std::int64_t bytes,
                                        const std::uint8_t* table) {
  std::array<std::uint8_t, kStepCodes * F.bits() / 8> copy;
  packed = next_bytes(packed, bytes, copy);
  return elements_of<L, F>(table, codes_of<F.bits()>(packed));
}
