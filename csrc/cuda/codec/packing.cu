// Dense rows of codes: a block takes a tile of codes through shared memory, so that each side of it
// is moved 16 bytes at a time whatever the bits of a code.

#include <array>

#include "cuda/codec/runs.h"
#include "cuda/device/launches.h"
#include "cuda/operators.h"
#include "format/packing.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kBlocks = 16;  // of each multiprocessor
constexpr int kCodes = 16;   // of each thread
constexpr int kTile = kThreads * kCodes;

// Rows, cut into tiles of codes.
struct Tiles {
  std::int64_t count;
  std::int64_t a_row;
  std::int64_t dim;
};

// Rows that fill their bytes are one long row.
Tiles tiles_of(std::int64_t rows, std::int64_t dim, int bits) {
  if (dim * bits % 8 == 0) {
    dim *= rows;
    rows = rows == 0 ? 0 : 1;
  }
  const std::int64_t a_row = (dim + kTile - 1) / kTile;
  return {rows * a_row, a_row, dim};
}

// Where a tile is: its first code among all of the source, its first byte, and its codes.
struct Tile {
  std::int64_t code;
  std::int64_t byte;
  int count;
};

MINIFLOAT_DEVICE Tile tile_at(const Tiles& tiles, std::int64_t index, int bits) {
  const std::int64_t row = index / tiles.a_row, first = index % tiles.a_row * kTile;
  const std::int64_t left = tiles.dim - first;
  return {row * tiles.dim + first, row * row_bytes(tiles.dim, bits) + first / 8 * bits,
          static_cast<int>(left < kTile ? left : kTile)};
}

// Bytes of shared memory: a tile's codes, then the same packed.
template <int kBits>
constexpr int kPackedBytes = kTile / 8 * kBits;
template <int kBits>
constexpr int kSharedBytes = kTile + kPackedBytes<kBits>;

// Sixteen codes in a tile, packed: whole words where the bits of a code are even.
template <int kBits>
struct Sixteen {
  using Word = std::conditional_t<kBits % 2 == 0, std::uint32_t, std::uint16_t>;
  static constexpr int kWordBits = 8 * sizeof(Word);
  static constexpr int kWords = kCodes * kBits / kWordBits;

  Word each[kWords];
};

template <int kBits>
MINIFLOAT_DEVICE Sixteen<kBits> squeeze_sixteen(const Words4& codes) {
  const auto both = bits_of<std::array<std::uint64_t, 2>>(codes);
  const unsigned __int128 packed =
      squeeze<kBits>(both[0]) | static_cast<unsigned __int128>(squeeze<kBits>(both[1]))
                                    << (8 * kBits);
  Sixteen<kBits> out;
  for (int i = 0; i < out.kWords; ++i) {
    out.each[i] = static_cast<typename Sixteen<kBits>::Word>(packed >> (i * out.kWordBits));
  }
  return out;
}

template <int kBits>
MINIFLOAT_DEVICE Words4 spread_sixteen(const Sixteen<kBits>& packed) {
  unsigned __int128 all = 0;
  for (int i = 0; i < packed.kWords; ++i) {
    all |= static_cast<unsigned __int128>(packed.each[i]) << (i * packed.kWordBits);
  }
  const std::array<std::uint64_t, 2> codes{
      spread<kBits>(static_cast<std::uint64_t>(all)),
      spread<kBits>(static_cast<std::uint64_t>(all >> (8 * kBits)))};
  return bits_of<Words4>(codes);
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
    encode_run<F, kSaturates>(source + i * kAtOnce<Source>, codes + i * kAtOnce<Source>);
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
  for (std::int64_t t = block_index(); t < tiles.count; t += block_count()) {
    const Tile tile = tile_at(tiles, t, kBits);
    take_codes<kFormatOf<kFormat>, kSaturates>(source + tile.code, tile.count, codes);
    const int padded = (tile.count + kCodes - 1) / kCodes * kCodes;
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
  for (std::int64_t t = block_index(); t < tiles.count; t += block_count()) {
    const Tile tile = tile_at(tiles, t, kBits);
    copy_bytes(bytes, packed + tile.byte, row_bytes(tile.count, kBits));
    sync_threads();
    const auto taken = reinterpret_cast<const Sixteen<kBits>*>(bytes)[thread_index()];
    reinterpret_cast<Words4*>(codes)[thread_index()] = spread_sixteen<kBits>(taken);
    sync_threads();
    copy_bytes(out + tile.code, codes, tile.count);
  }
}

template <int kBits>
Grid grid_of(const Tiles& tiles) {
  return {blocks_for(tiles.count, kBlocks), kThreads, kSharedBytes<kBits>};
}

template <int kFormat, bool kSaturates, class Source>
void pack_rows(const Source* source, std::int64_t rows, std::int64_t dim, std::uint8_t* packed,
               Stream stream) {
  constexpr int kBits = kFormatOf<kFormat>.bits();
  const Tiles tiles = tiles_of(rows, dim, kBits);
  launch(pack_kernel<kFormat, kSaturates, Source>, grid_of<kBits>(tiles), stream, source, tiles,
         packed);
}

}  // namespace

void pack(int format, const std::uint8_t* codes, std::int64_t rows, std::int64_t dim,
          std::uint8_t* packed, Stream stream) {
  choose_format(format, [&](auto f) {
    if constexpr (kFormatOf<f()>.bits() == 8) {
      copy_memory(packed, codes, rows * dim, stream);
    } else {
      pack_rows<f(), true>(codes, rows, dim, packed, stream);
    }
  });
}

void unpack(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
            std::uint8_t* codes, Stream stream) {
  choose_format(format, [&](auto f) {
    constexpr int kBits = kFormatOf<f()>.bits();
    if constexpr (kBits == 8) {
      copy_memory(codes, packed, rows * dim, stream);
    } else {
      const Tiles tiles = tiles_of(rows, dim, kBits);
      launch(unpack_kernel<kBits>, grid_of<kBits>(tiles), stream, packed, tiles, codes);
    }
  });
}

void encode_pack(int format, int source, bool saturates, const void* values, std::int64_t rows,
                 std::int64_t dim, std::uint8_t* packed, Stream stream) {
  choose_format(format, [&](auto f) {
    if constexpr (kFormatOf<f()>.bits() == 8) {
      encode(format, source, saturates, values, rows * dim, packed, stream);
    } else {
      choose<kSourceCount>(source, [&](auto s) {
        choose_overflow<kFormatOf<f()>>(saturates, [&](auto saturate) {
          using Source = SourceAt<s()>;
          const auto* const from = static_cast<const Source*>(values);
          pack_rows<f(), saturate()>(from, rows, dim, packed, stream);
        });
      });
    }
  });
}

}  // namespace minifloat::cuda
