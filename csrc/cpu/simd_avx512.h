// The vocabulary of the AVX-512 kernels; isa_avx512.cpp includes it in their target region.

// Values that one widen takes.
inline constexpr std::int64_t kWidened = 16;

// Exact, NaN and subnormals too, in every flush-to-zero mode.
inline void widen(const Float16* in, float* out) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
  _mm512_storeu_ps(out, _mm512_cvtph_ps(halves));
}
