// The k best rows of each query. A block has a slice of the rows and a block of queries; what
// passes a query's threshold is gathered until it is sorted, which raises the threshold of all
// blocks.

#include "search.h"

#include <algorithm>
#include <bit>

#include "slices.h"

namespace minifloat::cuda {
namespace {

// Queries that are laid out at once.
constexpr std::int64_t kQueries = 1 << 12;

// Up to so many keys are sorted by a warp, with others beside it, and more by the whole block.
constexpr int kWarpKeys = 512;

// A block's memory besides the ring: keys that are sorted, and for each query its threshold, limit,
// bound, and how many matches it has.
constexpr int kQueryBytes = 2 * sizeof(Key) + sizeof(float) + sizeof(int);
constexpr int sort_bytes(int capacity) {
  const int groups = capacity <= kWarpKeys ? Ring::kThreads / kWarp : 1;
  return groups * capacity * static_cast<int>(sizeof(Key));
}

template <int kQueryCount>
struct Board {
  Key* sorted;
  Key* thresholds;
  Key* limits;
  float* bounds;
  int* counts;

  MINIFLOAT_DEVICE Board(std::uint8_t* memory, int capacity)
      : sorted(reinterpret_cast<Key*>(memory)),
        thresholds(reinterpret_cast<Key*>(memory + sort_bytes(capacity))),
        limits(thresholds + kQueryCount),
        bounds(reinterpret_cast<float*>(limits + kQueryCount)),
        counts(reinterpret_cast<int*>(bounds + kQueryCount)) {}

  MINIFLOAT_DEVICE void raise(int query, Key threshold) {
    thresholds[query] = threshold;
    bounds[query] =
        threshold == 0 ? score_of(key_of(bits_of<float>(0xff800000), 0)) : score_of(threshold);
  }
};

// Keeps the best of a query's matches.
template <int kQueryCount>
MINIFLOAT_DEVICE void keep_best(const Group& group, Board<kQueryCount>& board, int query, Key* keys,
                                const Found& found, Key* threshold) {
  const bool is_warp = group.threads == kWarp;
  Key* const sorted = board.sorted + (is_warp ? thread_index() / kWarp * found.capacity : 0);
  const int count = board.counts[query];
  for (int i = group.thread; i < found.capacity; i += group.threads) {
    sorted[i] = i < count ? keys[i] : 0;
  }
  sort(group, sorted, found.capacity);
  for (int i = group.thread; i < found.kept; i += group.threads) keys[i] = sorted[i];
  if (group.thread == 0) {
    board.counts[query] = count < found.kept ? count : found.kept;
    const Key last = sorted[found.kept - 1];
    if (last > board.thresholds[query]) {
      board.raise(query, last);
      atomic_max(threshold, last);
    }
  }
  group.sync();
}

template <int kFormat, bool kArePacked, int kTiles, bool kIsLong>
MINIFLOAT_KERNEL(Ring::kThreads, blocks_of(kTiles))
search_kernel(Rows rows, Queries queries, const std::uint8_t* selected, std::int64_t slice_rows,
              Found found) {
  constexpr int kQueryCount = kTiles * kTileQueries;
  const std::int64_t slice = block_index() / queries.blocks;
  const std::int64_t begin = slice * slice_rows;
  const std::int64_t end = begin + slice_rows < rows.count ? begin + slice_rows : rows.count;
  const std::int64_t query_block = block_index() % queries.blocks;
  const std::int64_t first_query = query_block * kQueryCount;
  Board<kQueryCount> board(shared_memory() + Piece<kFormatOf<kFormat>>::kRingBytes, found.capacity);
  // This block's matches of its first query.
  const std::int64_t mine = slice * queries.blocks * kQueryCount + first_query;
  Key* const keys = found.keys + mine * found.capacity;
  const int thread = thread_index();
  if (thread < kQueryCount) {
    board.counts[thread] = 0;
    board.limits[thread] = found.limits[first_query + thread];
    board.raise(thread, found.thresholds[first_query + thread]);
  }
  sync_threads();
  for_each_score<kFormat, kArePacked, kTiles, kIsLong>(
      rows, queries, begin, end, query_block,
      [&](std::int64_t row, std::int64_t query, float score) {
        const int q = static_cast<int>(query - first_query);
        // NaN is above every bound, and then below every number's key.
        if (score < board.bounds[q] || row >= end || query >= queries.count) return;
        if (selected && !selected[row]) return;
        const Key key = key_of(score, row);
        if (key <= board.thresholds[q] || key >= board.limits[q]) return;
        keys[std::int64_t{q} * found.capacity + atomic_add(&board.counts[q], 1)] = key;
      },
      [&](std::int64_t) {
        sync_threads();
        // A row block adds at most one match for each of its rows.
        const bool is_full =
            thread < kQueryCount && board.counts[thread] > found.capacity - Ring::kRows;
        if (thread < kQueryCount) {
          const Key others = load_fresh(&found.thresholds[first_query + thread]);
          if (others > board.thresholds[thread]) board.raise(thread, others);
        }
        if (!any_thread(is_full)) return;
        const Group group = found.capacity <= kWarpKeys ? Group{thread % kWarp, kWarp}
                                                        : Group{thread, Ring::kThreads};
        const int step = Ring::kThreads / group.threads;
        for (int q = thread / group.threads; q < kQueryCount; q += step) {
          if (board.counts[q] <= found.capacity - Ring::kRows) continue;
          keep_best(group, board, q, keys + std::int64_t{q} * found.capacity, found,
                    &found.thresholds[first_query + q]);
        }
        sync_threads();
      });
  if (thread < kQueryCount) found.counts[mine + thread] = board.counts[thread];
}

// What a search of some queries at a time needs.
struct Plan {
  Queries queries;
  Slices slices;
  Found found;
  std::uint8_t* selected;
};

Plan plan_of(const Sides& sides, std::int64_t count, std::int64_t k, Workspace& workspace) {
  Plan plan{};
  const int tiles = tiles_for(sides);
  plan.queries = take_queries(sides, count, tiles, workspace);
  plan.slices = slices_of(sides.b_count, plan.queries);
  const std::int64_t padded = plan.queries.blocks * tiles * kTileQueries;
  plan.found.kept = static_cast<int>(std::min(k, kMostKept));
  plan.found.capacity = static_cast<int>(
      std::bit_ceil(static_cast<unsigned>(std::max(plan.found.kept + 2 * Ring::kRows, 256))));
  plan.found.keys = workspace.take<Key>(plan.slices.count * padded * plan.found.capacity);
  plan.found.counts = workspace.take<int>(plan.slices.count * padded);
  plan.found.thresholds = workspace.take<Key>(padded);
  plan.found.limits = workspace.take<Key>(padded);
  plan.selected = workspace.take<std::uint8_t>(sides.b_count);
  return plan;
}

}  // namespace

std::int64_t search_workspace(const Sides& sides, std::int64_t k) {
  Workspace workspace(nullptr);
  plan_of(sides, std::min(sides.a_count, kQueries), k, workspace);
  return workspace.size();
}

void search(const Sides& sides, const Selection& selection, std::int64_t k, std::uint8_t* workspace,
            float* scores, std::int64_t* rows_out, Stream stream) {
  const Rows rows{sides.b, sides.b_norms, sides.dim, sides.b_count};
  for (std::int64_t first = 0; first < sides.a_count; first += kQueries) {
    Workspace memory(workspace);
    const std::int64_t count = std::min(kQueries, sides.a_count - first);
    const Plan plan = plan_of(sides, count, k, memory);
    const std::int64_t padded = plan.queries.blocks * plan.queries.tiles * kTileQueries;
    lay_out(sides, first, plan.queries, stream);
    const bool has_ranges = selection.range_count >= 0;
    if (has_ranges) select(selection, rows.count, plan.selected, stream);
    const std::uint8_t* const selected = has_ranges ? plan.selected : selection.mask;
    fill_memory(plan.found.limits, 0xff, padded * sizeof(Key), stream);
    for (std::int64_t done = 0; done < k; done += kMostKept) {
      Found found = plan.found;
      found.kept = static_cast<int>(std::min(kMostKept, k - done));
      fill_memory(found.thresholds, 0, padded * sizeof(Key), stream);
      choose_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
        const Grid grid{plan.slices.count * plan.queries.blocks, Ring::kThreads,
                        Piece<kFormatOf<format()>>::kRingBytes + sort_bytes(found.capacity) +
                            tiles() * kTileQueries * kQueryBytes};
        launch(search_kernel<format(), packed(), tiles(), is_long()>, grid, stream, rows,
               plan.queries, selected, plan.slices.rows, found);
      });
      merge(found, plan.slices.count, count, padded, k, scores + first * k + done,
            rows_out + first * k + done, stream);
    }
  }
}

}  // namespace minifloat::cuda
