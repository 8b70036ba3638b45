#pragma once

// Dense rows of codes, of any length and from any address: a block takes a tile of codes through
// shared memory, so that each side of it is moved 16 bytes at a time whatever the bits of a code.

#include "cuda/codec/runs.h"
#include "cuda/codec/sixteen.h"

namespace minifloat::cuda {

inline constexpr int kThreads = 128;
inline constexpr int kBlocks = 16;  // of each multiprocessor
inline constexpr int kTile = kThreads * kSixteen;

// Bytes of shared memory: a tile's codes, then the same packed.
template <int kBits>
inline constexpr int kSharedBytes = kTile + kTile / 8 * kBits;

// Rows, cut into tiles of codes, and how far a block goes from one of its tiles to the next.
struct Tiles {
  std::int64_t rows;
  std::int64_t dim;
  std::int64_t a_row;
  std::int64_t step_rows = 0;
  std::int64_t step_tiles = 0;
};

// A block's tile: its row, and its number there.
struct Place {
  std::int64_t row;
  std::int64_t tile;

  MINIFLOAT_DEVICE static Place first(const Tiles& tiles) {
    return {block_index() / tiles.a_row, block_index() % tiles.a_row};
  }

  MINIFLOAT_DEVICE void step(const Tiles& tiles) {
    row += tiles.step_rows;
    tile += tiles.step_tiles;
    if (tile >= tiles.a_row) {
      tile -= tiles.a_row;
      ++row;
    }
  }
};

// Where a tile is: its first code among all of the source, its first byte, and its codes.
struct Tile {
  std::int64_t code;
  std::int64_t byte;
  int count;
};

MINIFLOAT_DEVICE Tile tile_at(const Tiles& tiles, const Place& place, int bits) {
  const std::int64_t first = place.tile * kTile, left = tiles.dim - first;
  return {place.row * tiles.dim + first, place.row * row_bytes(tiles.dim, bits) + first / 8 * bits,
          static_cast<int>(left < kTile ? left : kTile)};
}

// Puts a tile's codes into shared memory, zeros after them: those of codes, or of values.
template <Format F, bool kSaturates>
MINIFLOAT_DEVICE void take_codes(const std::uint8_t* source, int count, std::uint8_t* codes) {
  copy_bytes(codes, source, count);
}
template <Format F, bool kSaturates, class Source>
MINIFLOAT_DEVICE void take_codes(const Source* source, int count, std::uint8_t* codes) {
  const int vectors = is_aligned(source) ? count / kAtOnce<Source> : 0;
  for (int i = thread_index(); i < vectors; i += kThreads) {
    encode_bytes<F, kSaturates>(source + i * kAtOnce<Source>, codes + i * kAtOnce<Source>);
  }
  for (int i = vectors * kAtOnce<Source> + thread_index(); i < count; i += kThreads) {
    codes[i] = to_code<F, kSaturates>(widen(source[i]));
  }
}

template <int kFormat, bool kSaturates, class Source>
MINIFLOAT_KERNEL(kThreads, kBlocks)
pack_kernel(const Source* source, Tiles tiles, std::uint8_t* packed) {
  constexpr int kBits = kFormatOf<kFormat>.bits();
  std::uint8_t* const codes = shared_memory();
  std::uint8_t* const bytes = codes + kTile;
  for (auto at = Place::first(tiles); at.row < tiles.rows; at.step(tiles)) {
    const Tile tile = tile_at(tiles, at, kBits);
    take_codes<kFormatOf<kFormat>, kSaturates>(source + tile.code, tile.count, codes);
    const int padded = (tile.count + kSixteen - 1) / kSixteen * kSixteen;
    for (int i = tile.count + thread_index(); i < padded; i += kThreads) codes[i] = 0;
    sync_threads();
    const Words4 taken = reinterpret_cast<const Words4*>(codes)[thread_index()];
    reinterpret_cast<Sixteen<kBits>*>(bytes)[thread_index()] = squeeze_sixteen<kBits>(taken);
    sync_threads();
    copy_bytes(packed + tile.byte, bytes, row_bytes(tile.count, kBits));
  }
}

template <int kBits>
MINIFLOAT_KERNEL(kThreads, kBlocks)
unpack_kernel(const std::uint8_t* packed, Tiles tiles, std::uint8_t* out) {
  std::uint8_t* const codes = shared_memory();
  std::uint8_t* const bytes = codes + kTile;
  for (auto at = Place::first(tiles); at.row < tiles.rows; at.step(tiles)) {
    const Tile tile = tile_at(tiles, at, kBits);
    copy_bytes(bytes, packed + tile.byte, row_bytes(tile.count, kBits));
    sync_threads();
    const auto taken = reinterpret_cast<const Sixteen<kBits>*>(bytes)[thread_index()];
    reinterpret_cast<Words4*>(codes)[thread_index()] = spread_sixteen<kBits>(taken);
    sync_threads();
    copy_bytes(out + tile.code, codes, tile.count);
  }
}

}  // namespace minifloat::cuda
