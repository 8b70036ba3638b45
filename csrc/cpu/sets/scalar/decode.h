// Rows of codes decoded in plain C++; a set.cpp includes this.

// Entries for codes of a table of as many as there are codes.
template <int kBits>
[[gnu::always_inline]] inline Vector look_up(const std::uint8_t* table, Vector codes) {
  auto bytes = __builtin_bit_cast(std::array<std::uint8_t, sizeof(Vector)>, codes);
  for (std::uint8_t& byte : bytes) byte = table[byte];
  return __builtin_bit_cast(Vector, bytes);
}

// The element that 1 stands for in what `step` makes of a row.
template <class L, Format F>
inline constexpr float kDecodedUnit = 1;

// Where the element of code i of a step goes.
template <class L>
constexpr int lane_place(int i) {
  return i;
}

// The row elements of kStepCodes codes; where only some of their bytes are there, zeros follow.
template <class L, Format F>
[[gnu::always_inline]] inline auto step(const std::uint8_t* packed, std::int64_t bytes,
                                        const std::uint8_t*) {
  std::array<std::uint8_t, kStepCodes * F.bits() / 8> copy;
  std::array<std::uint8_t, kStepCodes> codes;
  unpack_run<F.bits()>(next_bytes(packed, bytes, copy), kStepCodes, codes.data());
  std::array<typename L::Row, kStepCodes> elements;
  for (int i = 0; i < kStepCodes; ++i) elements[i] = to_element<F>(codes[i]);
  return __builtin_bit_cast(Vectors<sizeof(elements) / sizeof(Vector)>, elements);
}
