// Rows of values on their way to packed codes: scaled, encoded and packed, and the norm of what the
// codes stand for, while they are in registers or in the first cache. Compiled once inside each
// instruction set's namespace.

// The type that values are multiplied in.
template <class Value>
using Wide = std::conditional_t<std::is_same_v<Value, double>, double, float>;

// The largest magnitude of a row: infinite or NaN for one that is not finite.
template <class Value>
Wide<Value> row_largest(const Value* in, std::int64_t dim) {
  // As integers magnitudes have the same order, infinity and NaN above all others.
  using Bits =
      std::conditional_t<sizeof(Value) == 2, std::int16_t,
                         std::conditional_t<sizeof(Value) == 4, std::int32_t, std::int64_t>>;
  Bits largest = 0;
  for (std::int64_t i = 0; i < dim; ++i) {
    const Bits magnitude = bits_of<Bits>(in[i]) & std::numeric_limits<Bits>::max();
    largest = largest > magnitude ? largest : magnitude;
  }
  if constexpr (std::is_same_v<Value, double>) {
    return bits_of<double>(largest);
  } else {
    return to_float(bits_of<Value>(largest));
  }
}

// What a row is multiplied by, one after the other.
template <class T>
struct Factors {
  T first = 1, second = 1;
};

// Those that make the largest magnitude of a row the limit; a zero row stays as it is.
template <class T>
Factors<T> factors_of(T largest, T limit) {
  // A factor above the largest number is reached in two steps.
  constexpr T kStep = static_cast<T>(sizeof(T) == sizeof(double) ? 0x1p512 : 0x1p64);
  const T first = largest < 1 / kStep ? kStep : T{1};
  const T raised = largest * first;
  return {first, raised > 0 ? 1 / raised * limit : T{1}};
}

// The exponent of a magnitude's fraction in [1/2, 1); 0 of 0.
template <class T>
int exponent_of(T magnitude) {
  using Bits = std::conditional_t<sizeof(T) == sizeof(double), std::int64_t, std::int32_t>;
  constexpr int kMantissa = std::numeric_limits<T>::digits - 1;
  const auto exponent = static_cast<int>(bits_of<Bits>(magnitude) >> kMantissa);
  if (exponent > 0) return exponent + std::numeric_limits<T>::min_exponent - 1;
  int found = 0;
  __builtin_frexp(magnitude, &found);
  return found;
}

// Those whose product is the power of two that brings a magnitude into [1/2, 1): one alone might be
// beyond the largest number.
template <class T>
Factors<T> factors_near_one(T largest) {
  using Bits = std::conditional_t<sizeof(T) == sizeof(double), std::int64_t, std::int32_t>;
  constexpr int kBias = 1 - std::numeric_limits<T>::min_exponent + 1, kMost = kBias - 1;
  const auto power = [](int exponent) {
    return bits_of<T>(static_cast<Bits>(exponent + kBias) << (std::numeric_limits<T>::digits - 1));
  };
  const int wanted = -exponent_of(largest);
  const int first = wanted > kMost ? kMost : wanted < -kMost ? -kMost : wanted;
  return {power(first), power(wanted - first)};
}

// Writes a row as floats, near 1.
template <class Value>
void near_one(const Value* in, std::int64_t dim, Wide<Value> largest, float* out) {
  const auto [first, second] = factors_near_one(largest);
  if constexpr (std::is_same_v<Value, Float16>) {
    widen_run(in, dim, out);
    for (std::int64_t i = 0; i < dim; ++i) out[i] = out[i] * first * second;
  } else if constexpr (std::is_same_v<Value, Bfloat16>) {
    for (std::int64_t i = 0; i < dim; ++i) out[i] = to_float(in[i]) * first * second;
  } else {
    for (std::int64_t i = 0; i < dim; ++i) out[i] = static_cast<float>(in[i] * first * second);
  }
}

// A block of a row as floats, and what is left to multiply them by: doubles are multiplied first,
// so that they are rounded once.
template <class Value>
Factors<float> to_floats(const Value* __restrict in, std::int64_t count,
                         const Factors<Wide<Value>>& by, float* __restrict out) {
  if constexpr (std::is_same_v<Value, double>) {
    const double first = by.first, second = by.second;
    for (std::int64_t i = 0; i < count; ++i) out[i] = to_float(in[i] * first * second);
    return {1, 1};
  } else {
    if constexpr (std::is_same_v<Value, Float16>) {
      widen_run(in, count, out);
    } else {
      for (std::int64_t i = 0; i < count; ++i) out[i] = to_float(in[i]);
    }
    return by;
  }
}

// Whether no code is infinite or NaN, where no value is.
template <Format F, Overflow O>
inline constexpr bool kStaysFinite = O == Overflow::kSaturate || F.specials == Specials::kNone;

// Writes the codes of a block, and calls use(i, rounded) for each value.
template <Format F, Overflow O, class Use>
[[gnu::always_inline]] inline void encode_each(const float* __restrict in, std::int64_t count,
                                               const Factors<float>& by,
                                               std::uint8_t* __restrict codes, Use use) {
  const float first = by.first, second = by.second;
  const auto encode_to = [&](auto* __restrict to) __attribute__((always_inline)) {
    for (std::int64_t i = 0; i < count; ++i) {
      const Rounded rounded = round_to_code<F, O>(in[i] * first * second);
      to[i] = rounded.code;
      use(i, rounded);
    }
  };
  if constexpr (kNarrowed == 1) return encode_to(codes);
  alignas(kStreamed) std::array<std::int32_t, kBlock> wide;
  encode_to(wide.data());
  narrow_run(wide.data(), count, codes);
}

// The sum of the squares of what the codes of a row stand for, block by block. Integers are added
// up in steps of their lane's element, which is exact in any order.
template <Format F, Overflow O>
class IntegerSquares {
 public:
  void encode_block(const float* in, std::int64_t count, const Factors<float>& by,
                    std::uint8_t* codes) {
    constexpr auto kSteps = static_cast<float>(1 << fraction_bits(F));
    std::int32_t sum = 0, largest = 0;
    const auto add = [&](std::int64_t, const Rounded& rounded) {
      const auto element = static_cast<std::int32_t>(rounded.magnitude * kSteps);
      sum += element * element;
      if constexpr (!kStaysFinite<F, O>) largest = largest > element ? largest : element;
    };
    encode_each<F, O>(in, count, by, codes, add);
    is_finite_ &= largest <= max_fixed(F);
    sum_ += sum;
  }

  // Infinite where a value has become so.
  double value() const {
    constexpr double kUnit = element_unit(F);
    return is_finite_ ? static_cast<double>(sum_) * (kUnit * kUnit)
                      : std::numeric_limits<double>::infinity();
  }

 private:
  // What overflows takes the place of the next larger value.
  static_assert(2 * max_fixed(F) * max_fixed(F) * kBlock <=
                std::numeric_limits<std::int32_t>::max());

  std::int64_t sum_ = 0;
  bool is_finite_ = true;
};

template <Format F, Overflow O>
class FloatSquares {
 public:
  void encode_block(const float* in, std::int64_t count, const Factors<float>& by,
                    std::uint8_t* codes) {
    std::array<float, kBlock> squares;
    const auto square = [&](std::int64_t i, const Rounded& rounded) {
      const float value = kStaysFinite<F, O> ? rounded.magnitude : decode<F>(rounded.code);
      squares[i] = value * value;
    };
    encode_each<F, O>(in, count, by, codes, square);
    add_squares(squares.data(), count, sums_);
  }

  // Infinite or NaN where a value has become so.
  double value() const { return total(sums_); }

 private:
  std::array<double, kSums> sums_{};
};

template <Format F, Overflow O>
using Squares =
    std::conditional_t<lane(F) == Lane::kFloat, FloatSquares<F, O>, IntegerSquares<F, O>>;

// Packs the codes of a row; what they stand for goes to sums.
template <Format F, class Value, class Sums>
void quantize_row(const Value* in, const Factors<Wide<Value>>& by, std::int64_t dim,
                  std::uint8_t* out, Sums& sums) {
  std::array<float, kBlock> floats;
  std::array<std::uint8_t, kBlock> codes;
  for (std::int64_t first = 0; first < dim; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, dim - first);
    std::uint8_t* const to = out + first / 8 * F.bits();
    std::uint8_t* const unpacked = F.bits() == 8 ? to : codes.data();
    if constexpr (std::is_same_v<Value, float>) {
      sums.encode_block(in + first, taken, by, unpacked);
    } else {
      const Factors<float> left = to_floats(in + first, taken, by, floats.data());
      sums.encode_block(floats.data(), taken, left, unpacked);
    }
    if constexpr (F.bits() != 8) pack_run<F.bits()>(unpacked, taken, to);
  }
}

template <Format F, class Value, Overflow O>
std::int64_t quantize_rows(const ValueRows& rows, bool scales, std::uint8_t* out, float* norms) {
  using W = Wide<Value>;
  constexpr W kLimit = decode<F>(static_cast<std::uint8_t>(F.max_code()));
  // Roots take long, and several at once no longer.
  constexpr std::int64_t kRoots = 64;
  std::array<double, kRoots> squares;
  for (std::int64_t first = 0; first < rows.count; first += kRoots) {
    const std::int64_t count = std::min(kRoots, rows.count - first);
    for (std::int64_t r = first; r < first + count; ++r, out += row_bytes(rows.dim, F.bits())) {
      const auto* const in = reinterpret_cast<const Value*>(rows.values + r * rows.stride);
      const W largest = row_largest(in, rows.dim);
      if (!(largest < std::numeric_limits<W>::infinity())) return r;
      const Factors<W> by = scales ? factors_of(largest, kLimit) : Factors<W>{};
      Squares<F, O> of_row;
      quantize_row<F>(in, by, rows.dim, out, of_row);
      squares[r - first] = of_row.value();
    }
    for (std::int64_t i = 0; i < count; ++i) norms[first + i] = reciprocal_root(squares[i]);
  }
  return rows.count;
}
