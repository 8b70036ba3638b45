// What kernels derive from the lanes of an instruction set: compiled once inside each one's
// namespace.

// The largest magnitude of an element that is a byte.
template <Format F>
inline constexpr int kMostByte = lane(F) == Lane::kInt8 ? static_cast<int>(max_fixed(F)) : 1;

template <Format F>
using LaneOf =
    std::conditional_t<lane(F) == Lane::kInt8, Int8Lane<kMostByte<F>>,
                       std::conditional_t<lane(F) == Lane::kInt16, Int16Lane, FloatLane>>;

// The largest magnitude of an element of a query, of which planes are halves.
template <Format F>
constexpr std::int64_t query_most(int planes) {
  return planes == 1 ? max_fixed(F) : 128;
}

// Sums with the products of one group, whatever it holds.
template <class L, class Rows>
[[gnu::always_inline]] inline auto add_dot(typename L::Sums sums, Rows rows, Vector queries) {
  return L::close(sums, L::dot(L::open(sums), rows, queries));
}

// Sums of chunks.
template <class L>
using Total = std::conditional_t<std::is_same_v<typename L::Dot, float>, float, std::int64_t>;

// One of a high plane in steps of the low one.
template <class L>
inline constexpr int kRaised = sizeof(typename L::Query) == 1 ? 256 : 1;

using Floats [[gnu::vector_size(sizeof(Vector))]] = float;
inline constexpr int kFloats = sizeof(Vector) / sizeof(float);

[[gnu::always_inline]] inline Floats load_floats(const float* from) {
  Floats floats;
  std::memcpy(&floats, from, sizeof(floats));
  return floats;
}

[[gnu::always_inline]] inline void store_floats(float* to, Floats floats) {
  std::memcpy(to, &floats, sizeof(floats));
}

// The same in every way of multiplying: in this order it is rounded.
template <class Sum>
float score_of(Sum sum, float by_query, float by_row) {
  return static_cast<float>(sum) * by_query * by_row;
}

template <class L>
[[gnu::always_inline]] inline Floats scores_of(typename L::Sums sums, const float* by_query,
                                               float by_row) {
  return __builtin_bit_cast(Floats, L::floats(sums)) * load_floats(by_query) * by_row;
}

template <Format F>
inline constexpr std::int64_t kStepBytes = kStepCodes * F.bits() / 8;

template <class T>
inline constexpr std::int64_t kGroup = 4 / sizeof(T);
