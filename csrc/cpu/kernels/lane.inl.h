// What kernels derive from the lanes of an instruction set: compiled once inside each one's
// namespace.

template <Format F>
using LaneOf =
    std::conditional_t<lane(F) == Lane::kInt8, Int8Lane,
                       std::conditional_t<lane(F) == Lane::kInt16, Int16Lane, FloatLane>>;

// Sums of chunks.
template <class L>
using Total = std::conditional_t<std::is_same_v<typename L::Dot, float>, float, std::int64_t>;

// One of a high plane in steps of the low one.
template <class L>
inline constexpr int kRaised = sizeof(typename L::Query) == 1 ? 256 : 1;

// The same in every way of multiplying: in this order it is rounded.
template <class Sum>
float score_of(Sum sum, float by_query, float by_row) {
  return static_cast<float>(sum) * by_query * by_row;
}

template <Format F>
inline constexpr std::int64_t kStepBytes = kStepCodes * F.bits() / 8;

template <class T>
inline constexpr std::int64_t kGroup = 4 / sizeof(T);
