// The vocabulary of the scalar kernels; set.cpp includes it.

inline constexpr std::int64_t kWidened = 1;

inline void widen(const Float16* in, float* out) { *out = to_float(*in); }

// Bytes that one stream moves, between addresses that are multiples of it.
inline constexpr int kStreamed = 64;

inline void stream(const std::uint8_t* from, std::uint8_t* to) { std::memcpy(to, from, kStreamed); }

// Words that one narrow takes, of which it keeps the low bytes: compilers do as well with many.
inline constexpr std::int64_t kNarrowed = 1;

inline void narrow(const std::int32_t* in, std::uint8_t* out) {
  *out = static_cast<std::uint8_t>(*in);
}
