// Tiles of AMX; a set.cpp includes this. Written out, for GCC's own functions take no constant that
// a template knows.

// What a thread had before it took the tiles.
inline thread_local TileConfig kept_tiles;

// Others in the process may use tiles, so that each thread leaves them as they were.
inline void take_tiles() {
  static constexpr TileConfig kOurs = whole_tiles();
  asm volatile("sttilecfg %0\n\tldtilecfg %1" : "=m"(kept_tiles) : "m"(kOurs));
}

inline void give_tiles_back() {
  if (kept_tiles.palette == 0) {
    asm volatile("tilerelease");
  } else {
    asm volatile("ldtilecfg %0" : : "m"(kept_tiles));
  }
}

inline void zero_tiles() {
  asm volatile(
      "tilezero %tmm0\n\ttilezero %tmm1\n\t"
      "tilezero %tmm2\n\ttilezero %tmm3");
}

template <int kTile>
[[gnu::always_inline]] inline void load_tile(const void* from, std::int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
}

template <int kTile>
[[gnu::always_inline]] inline void store_tile(void* to, std::int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
}

// Adds the products of rows and queries.
template <class L, int kSums, int kRows, int kQueries>
[[gnu::always_inline]] inline void multiply_tiles() {
  if constexpr (std::is_same_v<L, FloatLane>) {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0"
                 :
                 : "i"(kSums), "i"(kRows), "i"(kQueries));
  } else if constexpr (std::is_same_v<L, Int16Lane>) {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kRows), "i"(kQueries));
  } else {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kRows), "i"(kQueries));
  }
}
