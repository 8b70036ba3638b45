// How scans with AVX2 take codes from a row; a set.cpp includes this in its target region.

// Steps of 64 codes of 4 bits, the even ones and then the odd ones: nothing is interleaved.
template <Format F>
struct HalfSteps {
  template <int>
  using LaneFor = LaneOf<F>;
  static constexpr int kCodes = 2 * sizeof(Vector);
  static constexpr int kVectors = 2;
  static constexpr int place(int i) { return i % 2 * sizeof(Vector) + i / 2; }
  template <int>
  [[gnu::always_inline]] static Vectors<2> of(const std::uint8_t* packed, std::int64_t bytes) {
    std::array<std::uint8_t, sizeof(Vector)> copy;
    const Vector pairs = load(next_bytes(packed, bytes, copy));
    const std::uint8_t* const table = kRowTable<F>.data();
    return {{look_up<4>(table, pairs), look_up<4>(table, _mm256_srli_epi16(pairs, 4))}};
  }
};

// Steps of 32 codes of 6 bits. A table of magnitudes is half as long as one of values.
template <Format F>
struct SignedSteps {
  static constexpr int kMost = max_fixed(F);
  // Halves of floats may be -128, which has no opposite.
  template <int kPlanes>
  using LaneFor = std::conditional_t<kPlanes == 1, SignedLane<kMost>, Int8Lane<kMost>>;
  static constexpr int kCodes = kStepCodes;
  static constexpr int kVectors = 1;
  static constexpr int place(int i) { return i; }
  template <int kPlanes>
  [[gnu::always_inline]] static auto of(const std::uint8_t* packed, std::int64_t bytes) {
    constexpr int kBytes = kStepCodes * F.bits() / 8;
    std::array<std::uint8_t, kBytes> copy;
    const Vector codes = codes_of<6>(next_bytes(packed, bytes, copy));
    const auto part = [&](int i) {
      const __m128i entries = load_half(kMagnitudes.data() + 16 * i);
      return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), codes);
    };
    // Of each byte, shuffles take the low bits, a blend the top one.
    const Vector magnitudes = _mm256_blendv_epi8(part(0), part(1), _mm256_slli_epi16(codes, 3));
    const Vector signs = _mm256_slli_epi16(codes, 2);
    if constexpr (kPlanes == 1) {
      return Of{{{magnitudes, signs}}};
    } else {
      const Vector offset = _mm256_set1_epi8(kMost);
      return Vectors<1>{{_mm256_add_epi8(_mm256_sign_epi8(magnitudes, signs), offset)}};
    }
  }

 private:
  struct Of {
    Signed each[1];
  };
  alignas(32) static constexpr auto kMagnitudes = [] {
    std::array<std::uint8_t, 32> magnitudes{};
    for (int i = 0; i < 32; ++i) magnitudes[i] = to_element<F>(static_cast<std::uint8_t>(i));
    return magnitudes;
  }();
};

// What panels of 8, 16 and 32 queries cost, measured with searches of rows of 512: where rows are
// long to decode, they are worth it for fewer queries.
template <Format F>
inline constexpr std::array<float, 3> kPanelCosts =
    F.bits() == 4             ? std::array{6.0f, 6.5f, 11.0f}
    : lane(F) == Lane::kInt8  ? std::array{3.0f, 4.2f, 6.5f}
    : F.bits() == 6           ? std::array{2.5f, 3.2f, 5.0f}
    : lane(F) == Lane::kInt16 ? std::array{4.2f, 5.5f, 9.0f}
                              : std::array{6.6f, 8.0f, 13.0f};

template <Format F>
using ScanSteps =
    std::conditional_t<F.bits() == 4, HalfSteps<F>,
                       std::conditional_t<lane(F) == Lane::kInt8, SignedSteps<F>, LaneSteps<F>>>;
