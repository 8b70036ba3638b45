#pragma once

// The loop that makes scores: blocks of rows by parts of queries, each handed to what keeps them.

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <vector>

#include "cpu/search/plan.h"
#include "cpu/search/queries.h"
#include "cpu/threads.h"

namespace minifloat::cpu {

// Consecutive rows of b, up to kMostBlockRows.
struct Block {
  std::int64_t first;
  std::int64_t count;
  std::uint64_t selected;  // bit i tells whether row first + i takes part
};

// Some blocks, or those of all rows, which need no list.
class Blocks {
 public:
  explicit Blocks(std::vector<Block> some) : some_(std::move(some)), count_(std::ssize(some_)) {}
  Blocks(std::int64_t rows, std::int64_t most_rows)
      : rows_(rows), most_rows_(most_rows), count_((rows + most_rows - 1) / most_rows) {}

  std::int64_t count() const { return count_; }

  Block operator[](std::int64_t i) const {
    if (most_rows_ == 0) return some_[i];
    return {i * most_rows_, std::min(most_rows_, rows_ - i * most_rows_), ~0ull};
  }

 private:
  std::vector<Block> some_;
  std::int64_t rows_ = 0, most_rows_ = 0;
  std::int64_t count_;
};

// The rows that take part in a search.
Blocks blocks_of(const Plan& plan, const Selection& selection);

// Blocks that threads go through together, some at a time.
struct Pass {
  const Blocks& blocks;
  std::int64_t at_once;
  std::atomic<std::int64_t> next = 0;
};

// What one thread keeps. Scores, by row, by query, that it does not want are not made.
template <class T>
concept Keeper = requires(T kept, const Block& block, const Queries::Part& part, const float* s) {
  { kept.wants(block, part) } -> std::same_as<bool>;
  kept.keep(block, part, s);
};

// Makes scores; each thread has its own.
class Scorer {
 public:
  explicit Scorer(const Plan& plan)
      : plan_(plan), scores_(lines_for(std::int64_t{4} * plan.way.most_rows * widest(plan.way))) {
    if (plan.way.enter) plan.way.enter();
  }
  Scorer(const Scorer&) = delete;
  ~Scorer() {
    if (plan_.way.leave) plan_.way.leave();
  }

  // Those of all blocks of a pass that no other thread has taken.
  template <Keeper Kept>
  void go_through(Pass& pass, const Queries& queries, Kept& kept) {
    const std::int64_t count = pass.blocks.count();
    for (std::int64_t first; (first = pass.next.fetch_add(pass.at_once)) < count && keep_going();) {
      const std::int64_t end = std::min(first + pass.at_once, count);
      for (std::int64_t i = first; i < end; ++i) score(pass.blocks[i], queries, kept);
    }
  }

  template <Keeper Kept>
  void score(const Block& block, const Queries& queries, Kept& kept) {
    auto* const scores = reinterpret_cast<float*>(scores_.data());
    const Rows& b = plan_.sides.b;
    const auto* const packed =
        static_cast<const std::uint8_t*>(b.data) + block.first * plan_.row_bytes;
    const bool takes_packed = plan_.way.takes_packed;
    Rows rows{takes_packed ? packed : nullptr,
              b.norms + block.first,
              block.count,
              takes_packed,
              b.coordinates + block.first * b.axes,
              b.axes};
    for (const Queries::Part& part : queries.parts()) {
      if (!kept.wants(block, part)) continue;
      // Whoever asks for a block has looked just before.
      if (part.first != queries.first() && !keep_going()) return;
      if (!rows.data) rows.data = in_lane(packed, block.count);
      plan_.way.score(plan_.scoring, part.panel, rows, scores);
      kept.keep(block, part, static_cast<const float*>(scores));
    }
  }

 private:
  // Packed rows as the way takes them.
  const void* in_lane(const std::uint8_t* packed, std::int64_t count);

  const Plan& plan_;
  std::vector<Line> lane_, scores_;
};

// Calls use(queries) for blocks of a's rows.
template <class Use>
void for_each_query_block(const Plan& plan, const Shares& shares, Use use) {
  const std::int64_t count = plan.sides.a.count, most = shares.queries;
  parallel_for(count, most, shares.query_threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end && keep_going(); first += most) {
      use(Queries(plan, first, std::min(most, end - first)));
    }
  });
}

// Makes the scores of all queries and some blocks of rows. What is kept of a block of queries is
// what keep_of(queries) returns: for each thread that shares the rows kept.on_thread(i, scorer) is
// a keeper, and when all of them are done kept.finish() is called.
template <class KeepOf>
void make_scores(const Plan& plan, const Shares& shares, const Blocks& blocks, KeepOf keep_of) {
  for_each_query_block(plan, shares, [&](const Queries& queries) {
    auto kept = keep_of(queries);
    Pass pass{blocks, shares.row_blocks};
    parallel_for(shares.row_threads, 1, shares.row_threads, [&](std::int64_t i, std::int64_t) {
      Scorer scorer(plan);
      scorer.go_through(pass, queries, kept.on_thread(i, scorer));
    });
    kept.finish();
  });
}

}  // namespace minifloat::cpu
