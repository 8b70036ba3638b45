// How scans with NEON take codes from a row; a set.cpp includes this.

// Steps of several codes of each place in a byte, or in three: those of the first place, then those
// of the next. Nothing is interleaved.
template <Format F>
struct PlaceSteps {
  template <int>
  using LaneFor = LaneOf<F>;
  static constexpr int kPlaces = F.bits() == 4 ? 2 : 4;
  static constexpr int kCodes = kPlaces * sizeof(Vector);
  static constexpr int kBytes = kCodes * F.bits() / 8;
  static constexpr int kVectors = kPlaces * sizeof(typename LaneOf<F>::Row);
  static constexpr int place(int i) { return i % kPlaces * sizeof(Vector) + i / kPlaces; }
  template <int>
  [[gnu::always_inline]] static Vectors<kVectors> of(const std::uint8_t* packed,
                                                     std::int64_t bytes) {
    std::array<std::uint8_t, kBytes> copy;
    const auto codes = codes_at(next_bytes(packed, bytes, copy));
    const std::uint8_t* const table = kRowTable<F>.data();
    constexpr int kEach = kVectors / kPlaces;
    Vectors<kVectors> elements;
    for (int i = 0; i < kPlaces; ++i) {
      const Vectors<kEach> some = elements_of<LaneOf<F>, F>(table, codes.each[i]);
      for (int j = 0; j < kEach; ++j) elements.each[i * kEach + j] = some.each[j];
    }
    return elements;
  }

 private:
  [[gnu::always_inline]] static Vectors<kPlaces> codes_at(const std::uint8_t* packed) {
    if constexpr (F.bits() == 4) {
      const Vector pairs = load(packed);
      return {{vandq_u8(pairs, vdupq_n_u8(0x0f)), vshrq_n_u8(pairs, 4)}};
    } else {
      const uint8x16x3_t bytes = vld3q_u8(packed);
      const Vector low = vdupq_n_u8(0x3f);
      const auto [a, b, c] = bytes.val;
      return {{vandq_u8(a, low), vandq_u8(vsliq_n_u8(vshrq_n_u8(a, 6), b, 2), low),
               vandq_u8(vsliq_n_u8(vshrq_n_u8(b, 4), c, 4), low), vshrq_n_u8(c, 2)}};
    }
  }
};

// What panels of 4, 8 and 16 queries cost, by instructions of searches of rows of 512.
template <Format F>
inline constexpr std::array<float, 3> kPanelCosts =
    lane(F) == Lane::kInt16 ? std::array{4.0f, 5.0f, 7.5f} : std::array{4.0f, 6.5f, 9.0f};

template <Format F>
using ScanSteps = std::conditional_t<F.bits() == 8, LaneSteps<F>, PlaceSteps<F>>;
