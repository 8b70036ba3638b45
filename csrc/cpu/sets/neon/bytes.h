// The vocabulary of the NEON kernels for codecs; a set.cpp includes it.

// Values that one widen takes.
inline constexpr std::int64_t kWidened = 8;

// Exact, NaN and subnormals too, in every flush-to-zero mode.
inline void widen(const Float16* in, float* out) {
  const float16x8_t halves =
      vreinterpretq_f16_u16(vld1q_u16(reinterpret_cast<const std::uint16_t*>(in)));
  vst1q_f32(out, vcvt_f32_f16(vget_low_f16(halves)));
  vst1q_f32(out + 4, vcvt_high_f32_f16(halves));
}

// Bytes that one stream moves. Arm's processors see by themselves where whole lines are written.
inline constexpr int kStreamed = 64;

inline void stream(const std::uint8_t* from, std::uint8_t* to) { std::memcpy(to, from, kStreamed); }

// Words that one narrow takes, of which it keeps the low bytes: compilers do as well with many.
inline constexpr std::int64_t kNarrowed = 1;

inline void narrow(const std::int32_t* in, std::uint8_t* out) {
  *out = static_cast<std::uint8_t>(*in);
}
