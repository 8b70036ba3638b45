// The set with tiles, and all else of AVX-512 with VNNI: a source includes this after the tiles.

#include "cpu/kernels/tiles.inl.h"

// As many products as a lane's elements have, in tiles alone.
template <Format F>
std::int64_t multiply_in_tiles(std::int64_t products, const std::uint8_t* elements, float* sink) {
  using L = LaneOf<F>;
  constexpr std::int64_t kElements = kTileBytes / sizeof(typename L::Row);
  // Elements of two bytes that are halves take twice as many for each of theirs.
  constexpr std::int64_t kHalves = TileTerms<L>::kRowPlanes;
  constexpr std::int64_t kProducts = 4 * kTileSide * kTileSide * kElements / kHalves;
  const std::int64_t rounds = products / kProducts + 1;
  take_tiles();
  zero_tiles();
  for_tiles<4>([&]<int kI>(std::integral_constant<int, kI>) { load_tile<4 + kI>(elements, 64); });
  for (std::int64_t round = 0; round < rounds; ++round) {
    for_tiles<4>([]<int kI>(std::integral_constant<int, kI>) {
      multiply_tiles<L, kI, 4 + kI / 2, 6 + kI % 2>();
    });
  }
  alignas(64) float sums[kTileSide * kTileSide];
  store_tile<0>(sums, kTileBytes);
  *sink += sums[0];
  give_tiles_back();
  return rounds * kProducts;
}

// Of a scan for one query: of panels of 16, 32 and 64. Counted in instructions and bytes, not
// measured yet.
template <Format F>
inline constexpr Way kByTiles = by_tiles<F>(lane(F) == Lane::kInt16 ? std::array{1.6f, 2.2f, 3.5f}
                                                                    : std::array{1.4f, 1.7f, 2.5f});

// Another set's kernels with tiles in place of its panels.
class WithTiles {
 public:
  WithTiles(const char* name, const Isa& other) : isa_(other) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      (add<kIndex>(other.kernels[kIndex]), ...);
    }(std::make_index_sequence<kFormats.size()>());
    isa_.name = name;
    isa_.kernels = kernels_.data();
    isa_.multiply = multiply_.data();
  }

  const Isa& isa() const { return isa_; }

 private:
  template <std::size_t kIndex>
  void add(const Kernels& other) {
    constexpr Format kFormat = kFormats[kIndex].format;
    ways_[kIndex] = {other.ways[0], kByTiles<kFormat>};
    kernels_[kIndex] = other;
    kernels_[kIndex].ways = ways_[kIndex];
    multiply_[kIndex] = multiply_in_tiles<kFormat>;
  }

  Isa isa_;
  std::array<std::array<Way, 2>, kFormats.size()> ways_;
  std::array<Kernels, kFormats.size()> kernels_;
  std::array<Multiply, kFormats.size()> multiply_;
};
