// Rows of values as elements of a lane, as large as it takes them, and the reciprocal norms of
// these. Compiled once inside each instruction set's namespace.

// The integer nearest to a number that an int16 holds; of two, the even one.
template <class T>
[[gnu::always_inline]] inline std::int16_t nearest_integer(T x) {
  using Bits = std::conditional_t<sizeof(T) == sizeof(double), std::int64_t, std::int32_t>;
  // Sums of this size have no fraction, and the integer in their lowest bits.
  constexpr T kLarge = static_cast<T>(sizeof(T) == sizeof(double) ? 0x1.8p52 : 0x1.8p23);
  return static_cast<std::int16_t>(bits_of<Bits>(x + kLarge));
}

// A block of a row in the type that it is multiplied in: where it is, or in the buffer.
template <class Value>
const Wide<Value>* widened(const Value* in, std::int64_t count, float* __restrict buffer) {
  if constexpr (std::is_same_v<Value, Wide<Value>>) {
    return in;
  } else if constexpr (std::is_same_v<Value, Float16>) {
    widen_run(in, count, buffer);
    return buffer;
  } else {
    for (std::int64_t i = 0; i < count; ++i) buffer[i] = to_float(in[i]);
    return buffer;
  }
}

// The sum of the squares of elements, block by block. Integers add up exactly in any order, floats
// as the squares of codes do: by place, and then by halves.
template <class Element>
class ElementSquares {
 public:
  void add(const Element* elements, std::int64_t count) {
    if constexpr (std::is_same_v<Element, float>) {
      std::int64_t i = 0;
      for (; i + kSums <= count; i += kSums) {
        for (int j = 0; j < kSums; ++j) sums_[j] += square(elements[i + j]);
      }
      for (; i < count; ++i) sums_[i % kSums] += square(elements[i]);
    } else {
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < count; ++i) sum += std::int32_t{elements[i]} * elements[i];
      sums_[0] += static_cast<double>(sum);
    }
  }

  double value() const { return total(sums_); }

 private:
  static double square(float x) { return double{x} * x; }

  std::array<double, kSums> sums_{};
};

// Writes a row as elements; returns the sum of their squares.
template <class Element, class Value>
double row_to_lane(const Value* in, const Factors<Wide<Value>>& by, std::int64_t dim,
                   Element* out) {
  const Wide<Value> first = by.first, second = by.second;
  std::array<float, kBlock> floats;
  ElementSquares<Element> squares;
  for (std::int64_t at = 0; at < dim; at += kBlock) {
    const std::int64_t taken = std::min(kBlock, dim - at);
    const Wide<Value>* __restrict const from = widened(in + at, taken, floats.data());
    Element* __restrict const to = out + at;
    for (std::int64_t i = 0; i < taken; ++i) {
      if constexpr (std::is_same_v<Element, float>) {
        to[i] = static_cast<float>(from[i] * first * second);
      } else {
        to[i] = nearest_integer(from[i] * first * second);
      }
    }
    squares.add(to, taken);
  }
  return squares.value();
}

template <class Element, class Value>
std::int64_t values_to_lane(const ValueRows& rows, float limit, const InLane& to) {
  using W = Wide<Value>;
  auto* const elements = static_cast<Element*>(to.elements);
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const auto* const in = reinterpret_cast<const Value*>(rows.values + r * rows.stride);
    const W largest = row_largest(in, rows.dim);
    if (!(largest < std::numeric_limits<W>::infinity())) return r;
    const Factors<W> by = factors_of<W>(largest, limit);
    to.norms[r] = reciprocal_root(row_to_lane(in, by, rows.dim, elements + r * rows.dim));
  }
  return rows.count;
}
