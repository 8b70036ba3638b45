// Sums of products that go into a lane's sums directly: compiled once inside each instruction set's
// namespace, before its lanes.

// Lanes add up in partial sums, which are opened and closed around so many products of groups with
// queries up to a magnitude as `exact` tells. Here they are the sums.
template <class AllSums>
struct DirectSums : AllSums {
  using Sums = typename AllSums::Sums;
  using Partial = Sums;

  [[gnu::always_inline]] static Partial open(Sums sums) { return sums; }
  [[gnu::always_inline]] static Sums close(Sums, Partial sums) { return sums; }
  static constexpr std::int64_t exact(std::int64_t) { return kAnyNumber; }
};
