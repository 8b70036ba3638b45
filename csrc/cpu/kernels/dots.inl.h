// Products of rows as they are packed and a few queries: compiled once inside each instruction
// set's namespace.

// What a scan multiplies: some queries, whose vectors lie side by side, by plane, and parts of some
// rows, so many bytes apart.
struct Scanned {
  const std::uint8_t* packed;
  std::int64_t row_stride;
  std::int64_t bytes;  // of each row
  const std::uint8_t* queries;
  std::int64_t plane_bytes;
};

// The sums of kR rows and kQ queries, by plane.
template <class L, int kPlanes, int kR, int kQ>
struct ScanSums {
  typename L::Sums sums[kPlanes][kR][kQ];
  typename L::Partial partial[kPlanes][kR][kQ];

  template <class Use>
  [[gnu::always_inline]] static void for_each(Use use) {
#pragma GCC unroll 2
    for (int p = 0; p < kPlanes; ++p) {
#pragma GCC unroll 16
      for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 4
        for (int q = 0; q < kQ; ++q) use(p, r, q);
      }
    }
  }

  [[gnu::always_inline]] void open() {
    for_each([&](int p, int r, int q) { partial[p][r][q] = L::open(sums[p][r][q]); });
  }
  [[gnu::always_inline]] void close() {
    for_each(
        [&](int p, int r, int q) { sums[p][r][q] = L::close(sums[p][r][q], partial[p][r][q]); });
  }

  // Fewer than four are added up as four are, so that a score does not depend on how many there
  // are.
  void total_to(typename L::Dot* dots) const {
    constexpr int kDots = kR * kQ;
    for (int p = 0; p < kPlanes; ++p) {
      for (int i = 0; i < kDots; i += 4) {
        const auto at = [&](int j) { return sums[p][j % kDots / kQ][j % kQ]; };
        typename L::Dot four[4];
        totals<L>(at(i), at(i + 1), at(i + 2), at(i + 3), four);
        std::copy_n(four, std::min(4, kDots), dots + p * kQ * kMostBlockRows + i);
      }
    }
  }
};

// dots[(p * kMostBlockRows + r) * kQ + q] is the product of row r and plane p of query q. Inlined,
// or memory waits while each call begins: four rows of 512 bytes take 26 ns in place of 45.
template <Format F, class Steps, int kPlanes, int kQ, int kR>
[[gnu::always_inline]] inline void row_dots(Scanned from, typename LaneOf<F>::Dot* dots) {
  using L = typename Steps::template LaneFor<kPlanes>;
  constexpr int kVectors = Steps::kVectors;
  constexpr std::int64_t kBytes = Steps::kCodes * F.bits() / 8;
  // A step of a row that goes on reads whole vectors.
  constexpr std::int64_t kWhole = std::max<std::int64_t>(sizeof(Vector), kBytes);
  constexpr std::int64_t kExact = L::exact(query_most<F>(kPlanes)) / kVectors;
  static_assert(kExact > 0);
  constexpr bool kTwoKinds = kExact < kAnyNumber / kVectors;

  ScanSums<L, kPlanes, kR, kQ> all;
  all.for_each([&](int p, int r, int q) { all.sums[p][r][q] = L::zero(); });
  all.open();
  // Where partial sums are others than these, registers are for them.
  if constexpr (kTwoKinds) asm("" : "+m"(all.sums));
  // Memory is asked for in its own order, though rows are read side by side.
  const std::uint8_t* ahead = from.packed + kAhead;
  const auto add = [&](std::int64_t left) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kR * kBytes; i += kLine) __builtin_prefetch(ahead + i);
    ahead += kR * kBytes;
#pragma GCC unroll 16
    for (int r = 0; r < kR; ++r) {
      const auto vectors = Steps::template of<kPlanes>(from.packed + r * from.row_stride, left);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        for (int p = 0; p < kPlanes; ++p) {
          for (int q = 0; q < kQ; ++q) {
            const auto* const at = from.queries + p * from.plane_bytes;
            const Vector with = load(at + (v * kQ + q) * sizeof(Vector));
            all.partial[p][r][q] = L::dot(all.partial[p][r][q], vectors.each[v], with);
          }
        }
      }
    }
    from.packed += kBytes;
    from.queries += kVectors * kQ * sizeof(Vector);
  };
  std::int64_t steps = 0;
  const auto begin_step = [&] {
    if (!kTwoKinds || steps++ < kExact) return;
    all.close();
    all.open();
    if constexpr (kTwoKinds) asm("" : "+m"(all.sums));
    steps = 1;
  };
  std::int64_t bytes = from.bytes;
  for (; bytes >= kWhole; bytes -= kBytes) {
    begin_step();
    add(kWhole);
  }
  for (; bytes >= kBytes; bytes -= kBytes) {
    begin_step();
    add(kBytes);
  }
  if (bytes > 0) {
    begin_step();
    add(bytes);
  }
  all.close();
  all.total_to(dots);
}
