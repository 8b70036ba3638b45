// Tiles in plain C++, over memory, for machines that have none; a source of a set includes this.

// By tile, by row.
inline thread_local std::uint8_t tiles[8][kTileSide][kTileBytes];

inline void take_tiles() {}
inline void give_tiles_back() {}

inline void zero_tiles() { std::memset(tiles, 0, 4 * sizeof(tiles[0])); }

template <int kTile>
void load_tile(const void* from, std::int64_t stride) {
  const auto* row = static_cast<const std::uint8_t*>(from);
  for (int r = 0; r < kTileSide; ++r, row += stride) std::memcpy(tiles[kTile][r], row, kTileBytes);
}

template <int kTile>
void store_tile(void* to, std::int64_t stride) {
  auto* row = static_cast<std::uint8_t*>(to);
  for (int r = 0; r < kTileSide; ++r, row += stride) std::memcpy(row, tiles[kTile][r], kTileBytes);
}

// Adds the products of groups of four bytes, as integers that go round, or of two bfloat16, of
// which the sums of even and of odd ones are added last.
template <class L, int kSums, int kRows, int kQueries>
void multiply_tiles() {
  for (int r = 0; r < kTileSide; ++r) {
    for (int q = 0; q < kTileSide; ++q) {
      const auto group = [&](auto& values, int tile, int row, int at) {
        std::memcpy(&values, tiles[tile][row] + 4 * at, 4);
      };
      auto* const to = tiles[kSums][r] + 4 * q;
      if constexpr (std::is_same_v<L, FloatLane>) {
        float sum, sums[2] = {};
        std::memcpy(&sum, to, sizeof(sum));
        for (int k = 0; k < kTileSide; ++k) {
          std::array<Bfloat16, 2> a, b;
          group(a, kRows, r, k);
          group(b, kQueries, k, q);
          for (int i = 0; i < 2; ++i) {
            sums[i] = __builtin_fmaf(to_float(a[i]), to_float(b[i]), sums[i]);
          }
        }
        sum += sums[0] + sums[1];
        std::memcpy(to, &sum, sizeof(sum));
      } else {
        using OfRows = std::conditional_t<std::is_same_v<L, Int16Lane>, std::int8_t, std::uint8_t>;
        std::uint32_t sum;
        std::memcpy(&sum, to, sizeof(sum));
        for (int k = 0; k < kTileSide; ++k) {
          std::array<OfRows, 4> a;
          std::array<std::int8_t, 4> b;
          group(a, kRows, r, k);
          group(b, kQueries, k, q);
          for (int i = 0; i < 4; ++i) sum += static_cast<std::uint32_t>(a[i] * b[i]);
        }
        std::memcpy(to, &sum, sizeof(sum));
      }
    }
  }
}
