// The vocabulary of the scalar kernels; isa_scalar.cpp includes it.

inline constexpr std::int64_t kWidened = 1;

inline void widen(const Float16* in, float* out) { *out = to_float(*in); }
